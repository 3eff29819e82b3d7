import { serverNameOf } from '@portico/protocol';
import type { Reader } from '@portico/storage';
import { queryKeys, type PublicKeyRow } from '@portico/storage/stores/devices/device-keys.ts';
import { createPacer } from '../pacer.ts';
import type { KeyAsker } from './asker.ts';
import { type Failures, unreachable } from './failures.ts';
import { createKeySections, portionsOf, wantedDevices, type KeyQuery } from './key-sections.ts';
import type { FoundLists, RemoteLists } from './remote/remote-lists.ts';

/** The response as JSON text. `timeout`: for how long other servers are waited for, in milliseconds. */
export type QueryKeys = (viewer: KeyAsker, query: KeyQuery, timeout?: number) => Promise<string>;

type Dependencies = {
  readonly db: Reader;
  readonly isLocal: (userId: string) => boolean;
  /** `undefined` where this server talks to no others. */
  readonly remoteLists: RemoteLists | undefined;
};

/** "10 seconds is the recommended default." */
export const defaultTimeout = 10_000;
const longestTimeout = 30_000;

/** {@link https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3keysquery} */
export function createQueryKeys({ db, isLocal, remoteLists }: Dependencies): QueryKeys {
  async function find(asker: KeyAsker, users: readonly string[], timeout: number): Promise<FoundLists> {
    if (users.length === 0) return { kept: [], passing: [], failures: {} };
    if (remoteLists === undefined) return { kept: [], passing: [], failures: failuresOf(users) };
    return remoteLists.find(asker, users, Math.min(Math.max(timeout, 0), longestTimeout));
  }

  // Somebody may ask for ten thousand people, or for people of whom each has a thousand devices.
  const pace = createPacer();

  return async (asker, query, timeout = defaultTimeout) => {
    const viewer = asker.userId;
    const wanted = wantedDevices(query);
    const users = Object.keys(query);
    const {
      kept: keptUsers,
      passing,
      failures,
    } = await find(
      asker,
      users.filter((user) => !isLocal(user)),
      timeout,
    );
    const here = new Set([...users.filter(isLocal), ...keptUsers]);
    const { add, devices, section } = createKeySections();
    for (const portion of portionsOf(wanted.filter(([user]) => here.has(user)))) {
      const { keys, signatures } = await queryKeys(db, portion, viewer);
      add(new Set(portion.map(([user]) => user)), keys, signatures);
      const pause = pace();
      if (pause !== undefined) await pause;
    }
    for (const portion of portionsOf(passing)) {
      // Of those who are not kept the viewer may have signed something all the same.
      const signed = portion.map(({ userId }) => [userId, ''] as const);
      const { signatures } = await queryKeys(db, signed, viewer);
      for (const { userId, keys } of portion) {
        add([userId], wantedOf(keys, query[userId] ?? []), signatures);
        const pause = pace();
        if (pause !== undefined) await pause;
      }
    }
    return (
      `{"device_keys":${devices()},"master_keys":${section('master')},` +
      `"self_signing_keys":${section('self_signing')},"user_signing_keys":${section('user_signing')},` +
      `"failures":${JSON.stringify(failures)}}`
    );
  };
}

function wantedOf(keys: readonly PublicKeyRow[], devices: readonly string[]): PublicKeyRow[] {
  const named = new Set(devices);
  return keys.filter(({ kind, id }) => kind !== 'device' || named.size === 0 || named.has(id));
}

/** The servers of people who cannot be asked for. */
export function failuresOf(users: readonly string[]): Failures {
  const servers = users.flatMap((user) => serverNameOf(user) ?? []);
  return Object.fromEntries(servers.map((server) => [server, unreachable]));
}
