import { encodeCanonical, type CanonicalMode } from '../json/canonical.ts';
import { filterKeys, type JsonFields } from '../json/object.ts';
import { isJsonObject, type JsonObject } from '../json/value.ts';
import { decodeBase64 } from './base64.ts';
import { signText, verifyText, type SigningKey, type VerifyKey } from './ed25519.ts';

/**
 * > JSON is signed by encoding the JSON object without `signatures` or keys grouped as `unsigned`, using the canonical
 * > encoding
 *
 * {@link https://spec.matrix.org/v1.19/appendices/#signing-details}
 */
export function signedText(object: JsonFields, mode: CanonicalMode = 'strict'): string {
  return encodeCanonical(
    filterKeys(object, (key) => key !== 'signatures' && key !== 'unsigned'),
    mode,
  );
}

/** A copy of the object with this entity's signature added to those it has. */
export function signJson(
  object: JsonFields,
  entity: string,
  key: SigningKey,
  mode: CanonicalMode = 'strict',
): JsonObject {
  return withSignature(object, entity, key.keyId, signText(key, signedText(object, mode)));
}

/** A copy of the object with a signature added to those it has. */
export function withSignature(object: JsonFields, entity: string, keyId: string, signature: string): JsonObject {
  const known = object['signatures'];
  const signatures = filterKeys(isJsonObject(known) ? known : {}, () => true);
  const ofEntity = signatures[entity];
  const entry = filterKeys(isJsonObject(ofEntity) ? ofEntity : {}, () => true);
  entry[keyId] = signature;
  signatures[entity] = entry;
  const copy = filterKeys(object, () => true);
  copy['signatures'] = signatures;
  return copy;
}

/** The signatures of one entity by key ID, of algorithms that we know. */
export function signaturesOf(object: JsonFields, entity: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  const all = object['signatures'];
  const entries = isJsonObject(all) ? all[entity] : undefined;
  if (!isJsonObject(entries)) return found;
  for (const [keyId, signature] of Object.entries(entries)) {
    if (keyId.startsWith('ed25519:') && typeof signature === 'string') found.set(keyId, signature);
  }
  return found;
}

/**
 * Whether the object bears this entity's valid signature by this key.
 *
 * {@link https://spec.matrix.org/v1.19/appendices/#checking-for-a-signature}
 */
export function verifySignedJson(
  object: JsonFields,
  entity: string,
  keyId: string,
  key: VerifyKey,
  mode: CanonicalMode = 'strict',
): boolean {
  const signature = signaturesOf(object, entity).get(keyId);
  const bytes = signature === undefined ? undefined : decodeBase64(signature);
  return bytes !== undefined && verifyText(key, signedText(object, mode), bytes);
}
