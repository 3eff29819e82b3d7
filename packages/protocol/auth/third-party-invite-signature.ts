import { decodeBase64 } from '../crypto/base64.ts';
import { parseVerifyKey, type VerifyKey } from '../crypto/ed25519.ts';
import { signaturesOf, verifySignedJson } from '../crypto/sign-json.ts';
import { isJsonObject, type JsonObject } from '../json/value.ts';

/** A real invite has one or two signatures and keys; the limit keeps a hostile one from buying work. */
const maxAttempts = 32;

/**
 * Whether "any signature in `signed` matches any public key in the `m.room.third_party_invite` event".
 *
 * {@link https://spec.matrix.org/v1.19/rooms/v12/#authorisation-rules}
 */
export function isSignedByAny(signed: JsonObject, publicKeys: Iterable<string>): boolean {
  const keys = [...publicKeys]
    .slice(0, maxAttempts)
    .map(parseKey)
    .filter((key) => key !== undefined);
  let attempts = 0;
  for (const [serverName, keyId] of signatories(signed)) {
    for (const key of keys) {
      attempts += 1;
      if (attempts > maxAttempts) return false;
      if (verifies(signed, serverName, keyId, key)) return true;
    }
  }
  return false;
}

function parseKey(publicKey: string): VerifyKey | undefined {
  const bytes = decodeBase64(publicKey);
  return bytes && parseVerifyKey(bytes);
}

function* signatories(signed: JsonObject): Generator<readonly [serverName: string, keyId: string]> {
  const signatures = signed['signatures'];
  if (!isJsonObject(signatures)) return;
  for (const serverName of Object.keys(signatures)) {
    for (const keyId of signaturesOf(signed, serverName).keys()) yield [serverName, keyId];
  }
}

/** In the older room versions, `signed` may hold numbers that canonical JSON has no form for. */
function verifies(signed: JsonObject, serverName: string, keyId: string, key: VerifyKey): boolean {
  try {
    return verifySignedJson(signed, serverName, keyId, key, 'lenient');
  } catch {
    return false;
  }
}
