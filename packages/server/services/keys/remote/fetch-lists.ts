import { isJsonObject, type JsonObject, type ServerName } from '@portico/protocol';
import type { RemoteList } from '@portico/storage/stores/devices/remote-device-lists.ts';
import { getUserDevices, queryUserKeys } from '../../../federation-api/user-keys.ts';
import type { FederationClient } from '../../federation/client/federation-client.ts';
import { FederationError } from '../../federation/client/federation-error.ts';
import { createPacer } from '../../pacer.ts';
import type { AskServer } from './ask-servers.ts';
import { memberOf, parseRemoteKeys } from './parse-remote-keys.ts';

/** People whose keys are asked for with one request. */
const perQuery = 50;
/** Of so many, each is asked for alone, which also says how far the answer goes. */
const fewEnough = 3;

/** The lists of those of a server's people for whom it answered. */
export type FetchLists = (
  server: ServerName,
  users: { readonly shared: readonly string[]; readonly others: readonly string[] },
  asking: Asking,
) => Promise<readonly RemoteList[]>;

/** For how long, and on whose behalf. */
export type Asking = {
  readonly owner: string;
  readonly timeout: number;
  /** Whether anybody still waits for any of these people, whose turn it is. */
  readonly isWanted: (users: readonly string[]) => boolean;
  /** They are being asked for. */
  readonly onAsk: (users: readonly string[]) => void;
};

type Dependencies = { readonly client: FederationClient; readonly askServer: AskServer };

export function createFetchLists({ client, askServer }: Dependencies): FetchLists {
  const pace = createPacer();

  /** {@link https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1userdevicesuserid} */
  async function devicesOf(server: ServerName, userId: string, asking: Asking): Promise<RemoteList[]> {
    const answer = await askServer(
      server,
      asking.timeout,
      (timeout) => {
        asking.onAsk([userId]);
        return client.call(getUserDevices, server, { params: { userId } }, { timeout });
      },
      { owner: asking.owner, isWanted: () => asking.isWanted([userId]), subject: userId },
    );
    if (answer?.user_id !== userId) return [];
    const { devices, stream_id: streamId, master_key: master, self_signing_key: selfSigning } = answer;
    const given = devices.map(({ device_id: id, keys, device_display_name: name }) => ({ id, keys, name }));
    const keys = await parseRemoteKeys(userId, given, { master, self_signing: selfSigning }, pace);
    const known = Number.isSafeInteger(streamId) && streamId >= 0 ? streamId : undefined;
    return [{ userId, streamId: known, keys }];
  }

  /** {@link https://spec.matrix.org/v1.19/server-server-api/#post_matrixfederationv1userkeysquery} */
  async function query(server: ServerName, users: readonly string[], asking: Asking): Promise<RemoteList[]> {
    const wanted = Object.fromEntries(users.map((userId) => [userId, []]));
    const [first] = users;
    const isOne = users.length === 1;
    const answer = await askServer(
      server,
      asking.timeout,
      (timeout) => {
        asking.onAsk(users);
        const called = client.call(queryUserKeys, server, { body: { device_keys: wanted } }, { timeout });
        return isOne ? called : called.catch(tooLarge);
      },
      { owner: asking.owner, isWanted: () => asking.isWanted(users), subject: isOne ? first : undefined },
    );
    if (answer === undefined) return [];
    if (answer === 'too-large') return alone(server, users, asking);
    const lists: RemoteList[] = [];
    for (const userId of users) {
      const devices = Object.entries(memberOf(answer.device_keys, userId) ?? {});
      const given = devices.map(([id, keys]) => ({ id, keys, name: nameIn(keys) }));
      const master = memberOf(answer.master_keys, userId);
      const signing = { master, self_signing: memberOf(answer.self_signing_keys, userId) };
      lists.push({ userId, streamId: undefined, keys: await parseRemoteKeys(userId, given, signing, pace) });
    }
    return lists;
  }

  /** One by one, so that whoever's keys are too many hides nobody else's. */
  async function alone(server: ServerName, users: readonly string[], asking: Asking): Promise<RemoteList[]> {
    return (await Promise.all(users.map((userId) => query(server, [userId], asking)))).flat();
  }

  return async (server, { shared, others }, asking) => {
    const isFew = shared.length <= fewEnough;
    const queried = isFew ? others : [...shared, ...others];
    const requests = isFew ? shared.map((userId) => devicesOf(server, userId, asking)) : [];
    for (let at = 0; at < queried.length; at += perQuery) {
      requests.push(query(server, queried.slice(at, at + perQuery), asking));
    }
    return (await Promise.all(requests)).flat();
  };
}

function tooLarge(error: unknown): 'too-large' {
  if (error instanceof FederationError && error.failure === 'too-large') return 'too-large';
  throw error;
}

function nameIn(keys: JsonObject[string] | undefined) {
  const unsigned = isJsonObject(keys) ? keys['unsigned'] : undefined;
  return isJsonObject(unsigned) ? unsigned['device_display_name'] : undefined;
}
