import {
  decodeBase64,
  encodeCanonical,
  isJsonObject,
  parseVerifyKey,
  signaturesOf,
  verifySignedJson,
  type JsonObject,
  type JsonValue,
  type VerifyKey,
} from '@portico/protocol';
import type { NewKey } from '@portico/storage/stores/devices/one-time-keys.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import { checkStorable } from './storable.ts';

const maxObject = 16_384;
const maxOneTimeKey = 4096;
const maxKeyId = 255;

const refuse = (message: string): never => {
  throw new MatrixError('request.invalid-param', { message });
};
/** Of what lacks a field that the spec requires, or has one of another type. */
const malformed = (message: string): never => {
  throw new MatrixError('request.bad-json', { message });
};

/** As it is stored, sent on and signed by others: what cannot be written so would break federation. */
export function canonical(object: JsonObject, max = maxObject): string {
  let text: string;
  try {
    text = encodeCanonical(object);
  } catch {
    return refuse('A key holds what canonical JSON cannot express.');
  }
  return text.length > max ? refuse(`A key has at most ${max} characters.`) : text;
}

/** The object as it came, without what the server adds. */
export function withoutUnsigned(object: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([name]) => name !== 'unsigned'));
}

function isStrings(value: JsonValue | undefined): value is { readonly [name: string]: string } & JsonObject {
  return isJsonObject(value) && Object.values(value).every((entry) => typeof entry === 'string');
}

export function isSignatures(value: JsonValue | undefined): boolean {
  return isJsonObject(value) && Object.values(value).every(isStrings);
}

export function verifyKeyOf(publicKey: JsonValue | undefined): VerifyKey | undefined {
  const bytes = typeof publicKey === 'string' ? decodeBase64(publicKey) : undefined;
  return bytes?.length === 32 ? parseVerifyKey(bytes) : undefined;
}

/**
 * A device's keys as they are stored. A signature by the device's own key must be valid; where there is none, clients
 * take no notice of the device.
 */
export function parseDeviceKeys(userId: string, deviceId: string, given: JsonObject): string {
  const { user_id: user, device_id: device, algorithms, keys, signatures } = given;
  if (user !== userId) refuse('device_keys.user_id must be your own.');
  if (device !== deviceId) refuse('device_keys.device_id must be the device that is logged in.');
  if (!Array.isArray(algorithms) || !algorithms.every((name) => typeof name === 'string')) {
    malformed('device_keys.algorithms must be a list of names.');
  }
  if (!isStrings(keys)) return malformed('device_keys.keys must be an object of keys.');
  if (!isSignatures(signatures)) malformed('device_keys.signatures must be an object of signatures.');
  const object = withoutUnsigned(given);
  const text = canonical(object);
  const keyId = `ed25519:${deviceId}`;
  if (signaturesOf(object, userId).has(keyId)) {
    const key = verifyKeyOf(keys[keyId]);
    if (key === undefined || !verifySignedJson(object, userId, keyId, key)) {
      refuse('device_keys is not signed by the key of the device.');
    }
  }
  return text;
}

/** One-time or fallback keys by `<algorithm>:<key_id>`. */
export function parseKeyMap(given: JsonObject, max: number): NewKey[] {
  const entries = Object.entries(given);
  if (entries.length > max) throw new MatrixError('request.too-large', { message: `At most ${max} keys at a time.` });
  checkStorable(entries.map(([name]) => name));
  return entries.map(([name, value]) => {
    const colon = name.indexOf(':');
    if (colon < 1 || colon === name.length - 1 || name.length > maxKeyId)
      refuse('A key is named <algorithm>:<key_id>.');
    const [algorithm, keyId] = [name.slice(0, colon), name.slice(colon + 1)];
    if (typeof value === 'string') {
      checkStorable([value]);
      if (value.length > maxOneTimeKey) refuse('A key is too long.');
      return { algorithm, keyId, identity: value, key: JSON.stringify(value) };
    }
    if (!isJsonObject(value)) return malformed('A key is text or an object.');
    const { key, signatures } = value;
    if (typeof key !== 'string' || !(signatures === undefined || isSignatures(signatures))) {
      return malformed('A signed key has `key` and `signatures`.');
    }
    checkStorable([key]);
    return { algorithm, keyId, identity: key, key: canonical(value, maxOneTimeKey) };
  });
}
