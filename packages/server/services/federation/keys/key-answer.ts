import { decodeBase64, encodeBase64, parseVerifyKey, signaturesOf, verifySignedJson } from '@portico/protocol';
import type { Static } from 'typebox';
import type { serverKeys } from '../../../federation-api/server-keys.ts';
import { isKeyId } from '../signing/key-id.ts';
import { isLeaked } from './leaked-keys.ts';

export type ServerKeysAnswer = Static<typeof serverKeys>;

/** A key as its server has published it. */
export type PublishedKey = {
  readonly keyId: string;
  /** Unpadded Base64. */
  readonly publicKey: string;
  /** Since when it signs no more, if so. */
  readonly expiredTs: number | undefined;
};

/** Keys of one answer that we look at: nobody needs more, and each is a row. */
const mostKeys = 64;

function readKeys(keys: Readonly<Record<string, { readonly key: string; readonly expired_ts?: number }>>) {
  return Object.entries(keys)
    .slice(0, mostKeys)
    .flatMap(([keyId, { key, expired_ts: expiredTs }]): PublishedKey[] => {
      const bytes = decodeBase64(key);
      if (bytes?.length !== 32 || !isKeyId(keyId)) return [];
      const publicKey = encodeBase64(bytes);
      return isLeaked(publicKey) ? [] : [{ keyId, publicKey, expiredTs }];
    });
}

function isSignedWith(answer: ServerKeysAnswer, { keyId, publicKey }: PublishedKey): boolean {
  const key = parseVerifyKey(decodeBase64(publicKey) ?? new Uint8Array());
  return key !== undefined && verifySignedJson(answer, answer.server_name, keyId, key, 'lenient');
}

/**
 * The keys in a server's answer about itself. It must bear a valid signature by one of them, and no wrong one by any.
 *
 * From a notary, only keys count whose owner has signed the answer with them: a notary could otherwise put keys of its own
 * beside a server's, or end those.
 */
export function readKeyAnswer(
  answer: ServerKeysAnswer,
  serverName: string,
  fromNotary: boolean,
): readonly PublishedKey[] | undefined {
  if (answer.server_name !== serverName) return undefined;
  const current = readKeys(answer.verify_keys);
  const given = signaturesOf(answer, serverName);
  const signing = current.filter(({ keyId }) => given.has(keyId));
  if (signing.length === 0 || !signing.every((key) => isSignedWith(answer, key))) return undefined;
  const currentIds = new Set(Object.keys(answer.verify_keys));
  const old = readKeys(answer.old_verify_keys ?? {}).filter(({ keyId }) => !currentIds.has(keyId));
  return [...(fromNotary ? signing : current), ...old];
}
