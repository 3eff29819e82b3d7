import { type JsonObject, parseServerName, type ServerName, serverNameOf } from '@portico/protocol';
import { claimUserKeys } from '../../../federation-api/user-keys.ts';
import type { FederationClient } from '../../federation/client/federation-client.ts';
import { createPacer } from '../../pacer.ts';
import type { KeyAsker } from '../asker.ts';
import { type HandedOut, type KeyClaim, keyText } from '../claim-local-keys.ts';
import { type Failures, unreachable } from '../failures.ts';
import { parseKeyMap } from '../parse-keys.ts';
import type { AskServer } from './ask-servers.ts';
import { memberOf, unlessRefused } from './parse-remote-keys.ts';

/** Takes keys of devices of other servers: of all servers at the same time. */
export type ClaimRemoteKeys = (
  asker: KeyAsker,
  claim: KeyClaim,
  timeout: number,
) => Promise<{ readonly keys: HandedOut; readonly failures: Failures }>;

type Dependencies = { readonly client: FederationClient; readonly askServer: AskServer };

/** In milliseconds: a key that comes too late is lost, so that nobody waits for too short a time. */
const shortestTimeout = 2000;
const longestTimeout = 30_000;

/** {@link https://spec.matrix.org/v1.19/server-server-api/#post_matrixfederationv1userkeysclaim} */
export function createClaimRemoteKeys({ client, askServer }: Dependencies): ClaimRemoteKeys {
  // Somebody may want keys from thousands of servers.
  const pace = createPacer();
  return async ({ userId, signal }, claim, timeout) => {
    const limit = Math.min(Math.max(timeout, shortestTimeout), longestTimeout);
    const byServer = Map.groupBy(Object.entries(claim), ([user]) => parseServerName(serverNameOf(user) ?? ''));
    const failures: { [server: string]: JsonObject } = {};
    const question = { owner: userId, isWanted: () => signal?.aborted !== true };
    async function ask(server: ServerName, wanted: KeyClaim): Promise<HandedOut> {
      const answer = await askServer(
        server,
        limit,
        (left) => client.call(claimUserKeys, server, { body: { one_time_keys: wanted } }, { timeout: left, signal }),
        question,
      );
      if (answer === undefined) failures[server] = unreachable;
      return answer === undefined ? new Map() : handedOut(answer.one_time_keys, wanted);
    }

    const answers: Promise<HandedOut>[] = [];
    for (const [server, entries] of byServer) {
      const pause = pace();
      if (pause !== undefined) await pause;
      if (server === undefined) continue;
      const asked = ask(server, Object.fromEntries(entries));
      // Whoever asks is told of a failure when all servers have been asked.
      asked.catch(() => undefined);
      answers.push(asked);
    }
    return { keys: new Map((await Promise.all(answers)).flatMap((answer) => [...answer])), failures };
  };
}

/** Of what a server gave what it was asked for: a key of the algorithm for each device. */
function handedOut(given: JsonObject, wanted: KeyClaim): HandedOut {
  const users = Object.entries(wanted).map(([user, devices]) => {
    const keys = Object.entries(devices).flatMap(([device, algorithm]) => {
      const ofDevice = memberOf(memberOf(given, user), device) ?? {};
      const found = Object.entries(ofDevice).find(([name]) => name.startsWith(`${algorithm}:`));
      if (found === undefined) return [];
      const [key] = unlessRefused(() => parseKeyMap(Object.fromEntries([found]), 1)) ?? [];
      return key === undefined ? [] : [[device, keyText(found[0], key.key)] as const];
    });
    return [user, new Map(keys)] as const;
  });
  return new Map(users.filter(([, devices]) => devices.size > 0));
}
