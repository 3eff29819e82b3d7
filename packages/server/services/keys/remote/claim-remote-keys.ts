import { type JsonObject, parseServerName, serverNameOf } from '@portico/protocol';
import { claimUserKeys } from '../../../federation-api/user-keys.ts';
import type { FederationClient } from '../../federation/client/federation-client.ts';
import type { ClaimedKeys, HandedOut, KeyClaim } from '../claim-local-keys.ts';
import { unreachable } from '../failures.ts';
import { parseKeyMap } from '../parse-keys.ts';
import type { AskServer } from './ask-servers.ts';
import { memberOf, unlessRefused } from './parse-remote-keys.ts';

/** Takes keys of devices of other servers: of all servers at the same time. */
export type ClaimRemoteKeys = (claim: KeyClaim, timeout: number) => Promise<ClaimedKeys>;

type Dependencies = { readonly client: FederationClient; readonly askServer: AskServer };

/** In milliseconds: a key that comes too late is lost, so that nobody waits for too short a time. */
const shortestTimeout = 2000;
const longestTimeout = 30_000;

/** {@link https://spec.matrix.org/v1.19/server-server-api/#post_matrixfederationv1userkeysclaim} */
export function createClaimRemoteKeys({ client, askServer }: Dependencies): ClaimRemoteKeys {
  return async (claim, timeout) => {
    const limit = Math.min(Math.max(timeout, shortestTimeout), longestTimeout);
    const byServer = Map.groupBy(Object.entries(claim), ([user]) => parseServerName(serverNameOf(user) ?? ''));
    const failures: { [server: string]: JsonObject } = {};
    const answers = await Promise.all(
      [...byServer].map(async ([server, entries]): Promise<HandedOut> => {
        if (server === undefined) return {};
        const wanted = Object.fromEntries(entries);
        const answer = await askServer(server, limit, (left) =>
          client.call(claimUserKeys, server, { body: { one_time_keys: wanted } }, { timeout: left }),
        );
        if (answer === undefined) failures[server] = unreachable;
        return answer === undefined ? {} : handedOut(answer.one_time_keys, wanted);
      }),
    );
    return { one_time_keys: Object.assign({}, ...answers) as HandedOut, failures };
  };
}

/** Of what a server gave what it was asked for: a key of the algorithm for each device. */
function handedOut(given: JsonObject, wanted: KeyClaim): HandedOut {
  const users = Object.entries(wanted).map(([user, devices]) => {
    const keys = Object.entries(devices).flatMap(([device, algorithm]) => {
      const ofDevice = memberOf(memberOf(given, user), device) ?? {};
      const found = Object.entries(ofDevice).find(([name]) => name.startsWith(`${algorithm}:`));
      if (found === undefined || unlessRefused(() => parseKeyMap(Object.fromEntries([found]), 1)) === undefined)
        return [];
      return [[device, Object.fromEntries([found])] as const];
    });
    return [user, Object.fromEntries(keys)] as const;
  });
  return Object.fromEntries(users.filter(([, devices]) => Object.keys(devices).length > 0));
}
