import { encodeCanonical, type JsonObject, type ServerName, signJson, type SigningKey } from '@portico/protocol';

export type OldKey = { readonly keyId: string; readonly publicKey: string; readonly expiredTs: number };

export interface OwnKeys {
  /** This server's keys as it publishes them, signed, in canonical JSON. */
  answer(): string;
}

const hour = 60 * 60_000;
/** How long other servers may believe an answer. A key that was lost is believed that long. */
const validity = 24 * hour;
/** "Intermediate notary servers should cache a response for half of its lifetime"; so do we. */
const reuse = validity / 2;

/** {@link https://spec.matrix.org/v1.19/server-server-api/#publishing-keys} */
export function createOwnKeys(
  serverName: ServerName,
  key: SigningKey,
  oldKeys: readonly OldKey[],
  now: () => number,
): OwnKeys {
  let text = '';
  let madeAt = -Infinity;
  const old: JsonObject = Object.fromEntries(
    oldKeys
      .filter(({ keyId }) => keyId !== key.keyId)
      .map(({ keyId, publicKey, expiredTs }) => [keyId, { key: publicKey, expired_ts: expiredTs }]),
  );
  return {
    answer() {
      const at = now();
      if (at - madeAt >= reuse || at < madeAt) {
        const answer = {
          server_name: serverName,
          verify_keys: { [key.keyId]: { key: key.publicKey } },
          old_verify_keys: old,
          valid_until_ts: at + validity,
        };
        text = encodeCanonical(signJson(answer, serverName, key));
        madeAt = at;
      }
      return text;
    },
  };
}
