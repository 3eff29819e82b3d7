import { isJsonObject, type JsonObject } from '../json/value.ts';

/** A key by which an invitation of an address may be signed. */
export type OfferedKey = {
  readonly publicKey: string;
  /** Where to ask whether it has been revoked. "If this URL is absent, the key must be considered valid indefinitely." */
  readonly validityUrl: string | undefined;
};

/**
 * "The public keys are in `content` of `m.room.third_party_invite` as: A single public key in the `public_key` property.
 * A list of public keys in the `public_keys` property."
 *
 * {@link https://spec.matrix.org/v1.19/client-server-api/#mroomthird_party_invite}
 */
export function offeredKeys(content: JsonObject): readonly OfferedKey[] {
  const listed = content['public_keys'];
  return [content, ...(Array.isArray(listed) ? listed : [])].flatMap((item) => {
    if (!isJsonObject(item)) return [];
    const { public_key: publicKey, key_validity_url: validityUrl } = item;
    if (typeof publicKey !== 'string') return [];
    return [{ publicKey, validityUrl: typeof validityUrl === 'string' ? validityUrl : undefined }];
  });
}
