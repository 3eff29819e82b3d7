import { decodeBase64 } from '../crypto/base64.ts';
import { parseVerifyKey, type VerifyKey } from '../crypto/ed25519.ts';
import { signaturesOf, verifySignedJson } from '../crypto/sign-json.ts';
import { isJsonObject, type JsonObject } from '../json/value.ts';
import type { OfferedKey } from './third-party-invite-keys.ts';

/** A real invite has one or two signatures and keys; the limit keeps a hostile one from buying work. */
const maxAttempts = 32;

/**
 * The key by which "any signature in `signed` matches any public key in the `m.room.third_party_invite` event", if one does.
 *
 * {@link https://spec.matrix.org/v1.19/rooms/v12/#authorisation-rules}
 */
export function findSigningKey(signed: JsonObject, offered: readonly OfferedKey[]): OfferedKey | undefined {
  const keys = distinct(offered)
    .slice(0, maxAttempts)
    .map((each) => ({ each, key: parseKey(each.publicKey) }));
  let attempts = 0;
  for (const [serverName, keyId] of signatories(signed)) {
    for (const { each, key } of keys) {
      if (key === undefined) continue;
      attempts += 1;
      if (attempts > maxAttempts) return undefined;
      if (verifies(signed, serverName, keyId, key)) return each;
    }
  }
  return undefined;
}

/** Each key once, as it is offered first. */
function distinct(offered: readonly OfferedKey[]): readonly OfferedKey[] {
  const keys = new Map<string, OfferedKey>();
  for (const each of offered) if (!keys.has(each.publicKey)) keys.set(each.publicKey, each);
  return [...keys.values()];
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
