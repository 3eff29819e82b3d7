import { decodeBase64 } from '../crypto/base64.ts';
import { parseVerifyKey, signText, verifyText, type SigningKey, type VerifyKey } from '../crypto/ed25519.ts';
import { signaturesOf, verifySignedJson, withSignature } from '../crypto/sign-json.ts';
import { filterKeys, type JsonFields } from '../json/object.ts';
import type { JsonObject } from '../json/value.ts';
import type { RoomVersionRules } from '../room-versions/rules.ts';
import { contentHash, redactedText } from './hashes.ts';
import type { Pdu } from './pdu.ts';

/** One signature to verify, so that it may be done elsewhere than on the thread that found it. */
export type SignatureCheck = {
  readonly key: VerifyKey;
  readonly text: string;
  readonly signature: Uint8Array;
};

/**
 * What has to be verified of one server's signatures. `findKey` gives the key by its ID if it is known and counts at the
 * event's time; signatures by others are skipped. An empty list means that the server has not signed.
 *
 * > If a signature is from an unknown or expired key, it is skipped.
 *
 * {@link https://spec.matrix.org/v1.19/server-server-api/#validating-hashes-and-signatures-on-received-events}
 */
export function signatureChecks(
  rules: RoomVersionRules,
  pdu: JsonFields,
  serverName: string,
  findKey: (keyId: string) => VerifyKey | undefined,
): readonly SignatureCheck[] {
  const checks: SignatureCheck[] = [];
  let text: string | undefined;
  for (const [keyId, encoded] of signaturesOf(pdu, serverName)) {
    const key = findKey(keyId);
    if (key === undefined) continue;
    text ??= redactedText(rules, pdu);
    // What is not Base64 is no signature, and fails as one.
    checks.push({ key, text, signature: decodeBase64(encoded) ?? new Uint8Array() });
  }
  return checks;
}

/** "If all signatures from known unexpired keys from the originating server(s) are found to be valid" */
export function isSignedBy(checks: readonly SignatureCheck[]): boolean {
  return checks.length > 0 && checks.every(({ key, text, signature }) => verifyText(key, text, signature));
}

/** The event with its content hash, and signed by this server. */
export function hashAndSignEvent(
  rules: RoomVersionRules,
  event: JsonObject,
  serverName: string,
  key: SigningKey,
): JsonObject {
  const hashed = filterKeys(event, () => true);
  hashed.hashes = { sha256: contentHash(rules, event) };
  return signEvent(rules, hashed, serverName, key);
}

/** An event that others have hashed and signed, with this server's signature added: invites, restricted joins. */
export function signEvent(
  rules: RoomVersionRules,
  event: JsonObject | Pdu,
  serverName: string,
  key: SigningKey,
): JsonObject {
  return withSignature(event, serverName, key.keyId, signText(key, redactedText(rules, event)));
}

/**
 * Whether the `signed` object of a third-party invite bears this signature by one of the keys that the
 * `m.room.third_party_invite` event gives, in standard or URL-safe Base64.
 *
 * {@link https://spec.matrix.org/v1.19/server-server-api/#verifying-the-invite}
 */
export function verifyThirdPartyInvite(
  signed: JsonObject,
  serverName: string,
  keyId: string,
  publicKey: string,
): boolean {
  const bytes = decodeBase64(publicKey);
  const key = bytes === undefined ? undefined : parseVerifyKey(bytes);
  return key !== undefined && verifySignedJson(signed, serverName, keyId, key, 'lenient');
}
