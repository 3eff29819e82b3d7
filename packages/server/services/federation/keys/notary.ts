import {
  encodeCanonical,
  isJsonObject,
  isServerName,
  parseJson,
  type ServerName,
  signJson,
  type SigningKey,
} from '@portico/protocol';
import type { Database } from '@portico/storage';
import { findServerKeyAnswers } from '@portico/storage/stores/federation/server-keys.ts';
import type { OwnKeys } from './own-keys.ts';
import type { ServerKeys } from './server-keys.ts';
import type { WantedKeys } from './wanted-keys.ts';

export interface Notary {
  /**
   * Servers' own answers with this server's signature added, as the text of a JSON array. A server without key IDs is asked
   * for all its keys, one of which should be valid until then.
   */
  query(wanted: WantedKeys, validUntil: number): Promise<string>;
}

type Dependencies = {
  readonly db: Database;
  readonly serverName: ServerName;
  readonly key: SigningKey;
  readonly ownKeys: OwnKeys;
  readonly keys: ServerKeys;
};

/** Anybody may ask, without saying who they are. */
const on = { owner: 'notary', patience: 10_000 };
/** Servers that one query is answered about. */
const mostServers = 200;

/**
 * > The notary server will retrieve keys from the queried servers through use of the `/_matrix/key/v2/server` API. The notary
 * > server will additionally sign the response from the queried server before returning the results.
 *
 * {@link https://spec.matrix.org/v1.19/server-server-api/#querying-keys-through-another-server}
 */
export function createNotary({ db, serverName, key, ownKeys, keys }: Dependencies): Notary {
  function sign(answer: string): string {
    const value = parseJson(answer, 'lenient');
    if (!isJsonObject(value)) throw new Error('An answer with keys was stored that is no object');
    return encodeCanonical(signJson(value, serverName, key, 'lenient'), 'lenient');
  }

  async function freshen(wanted: WantedKeys, validUntil: number): Promise<void> {
    const byKey = new Map([...wanted].filter(([, keyIds]) => keyIds.size > 0));
    const whole = [...wanted].filter(([, keyIds]) => keyIds.size === 0).map(([name]) => name);
    // Only from their servers: notaries that ask each other would never come to an end.
    await Promise.all([keys.find(byKey, { mayAskNotaries: false, on }), keys.refresh(whole, validUntil, on)]);
  }

  return {
    async query(asked, validUntil) {
      const wanted = new Map([...asked].filter(([name]) => isServerName(name)).slice(0, mostServers));
      const others = new Map([...wanted].filter(([name]) => name !== serverName));
      await freshen(others, validUntil);
      const rows = await findServerKeyAnswers(db, [...others.keys()]);
      const given = rows.filter(({ server_name: name, key_id: keyId }) => {
        const keyIds = others.get(name);
        return keyIds?.size === 0 || keyIds?.has(keyId);
      });
      // "The notary server may return multiple keys regardless of the Key IDs given": the same answer once.
      const answers = new Set(given.map(({ answer }) => answer));
      const own = wanted.has(serverName) ? [ownKeys.answer()] : [];
      return `[${[...own, ...[...answers].map(sign)].join(',')}]`;
    },
  };
}
