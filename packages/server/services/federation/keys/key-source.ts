import { encodeCanonical, JsonError, type ServerName, verifySignedJson } from '@portico/protocol';
import { getServerKey, queryManyServerKeys } from '../../../federation-api/server-keys.ts';
import type { Logger } from '../../../observability/logger.ts';
import type { FederationClient } from '../client/federation-client.ts';
import { FederationError } from '../client/federation-error.ts';
import { readKeyAnswer, type ServerKeysAnswer } from './key-answer.ts';
import { type FetchedKeys, isKeyCurrent, type KeyRing } from './known-keys.ts';
import type { WantedKeys } from './wanted-keys.ts';

/** Where keys come from that are not in the database. What cannot be had is not there: the reason goes to the log. */
export interface KeySource {
  fetch(serverName: ServerName): Promise<FetchedKeys | undefined>;
  fetchFromNotary(notary: ServerName, notaryKeys: KeyRing, wanted: WantedKeys): Promise<readonly FetchedKeys[]>;
}

type Dependencies = { readonly client: FederationClient; readonly log: Logger; readonly now: () => number };

function read(answer: ServerKeysAnswer, serverName: string, notary: ServerName | undefined): FetchedKeys | undefined {
  try {
    const keys = readKeyAnswer(answer, serverName, notary !== undefined);
    if (keys === undefined) return undefined;
    const text = encodeCanonical(answer, 'lenient');
    return { serverName, keys, validUntilTs: answer.valid_until_ts, answer: text, notary };
  } catch (error) {
    if (error instanceof JsonError) return undefined;
    throw error;
  }
}

/** Without a signature of the notary it could be anybody's word. */
function isSignedByNotary(answer: ServerKeysAnswer, notary: ServerName, keys: KeyRing, now: number): boolean {
  return [...keys].some(
    ([keyId, known]) => isKeyCurrent(known, now) && verifySignedJson(answer, notary, keyId, known.key, 'lenient'),
  );
}

export function createKeySource({ client, log, now }: Dependencies): KeySource {
  /** `undefined` where the other server is at fault. */
  async function attempt<T>(server: ServerName, ask: () => Promise<T>): Promise<T | undefined> {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof FederationError)) throw error;
      log.debug({ server, failure: error.failure, reason: error.message }, 'keys could not be fetched');
      return undefined;
    }
  }

  return {
    async fetch(serverName) {
      const answer = await attempt(serverName, () => client.call(getServerKey, serverName, {}));
      const fetched = answer && read(answer, serverName, undefined);
      if (answer && !fetched) log.info({ server: serverName }, 'the keys that the server gave are not its own');
      return fetched;
    },
    async fetchFromNotary(notary, notaryKeys, wanted) {
      const queries = [...wanted].map(([server, keys]) => {
        const criteria = [...keys].map(([keyId, until]) => [keyId, { minimum_valid_until_ts: until }] as const);
        return [server, Object.fromEntries(criteria)] as const;
      });
      const body = { server_keys: Object.fromEntries(queries) };
      const answer = await attempt(notary, () => client.call(queryManyServerKeys, notary, { body }));
      const at = now();
      return (answer?.server_keys ?? []).flatMap((entry) => {
        // What nobody asked for would only be a way to make us store it.
        if (!wanted.has(entry.server_name) || !isSignedByNotary(entry, notary, notaryKeys, at)) return [];
        return read(entry, entry.server_name, notary) ?? [];
      });
    },
  };
}
