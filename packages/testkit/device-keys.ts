import { randomBytes } from 'node:crypto';
import { encodeBase64, signJson, signingKeyFromSeed, type JsonObject, type SigningKey } from '@portico/protocol';

type Device = { readonly userId: string; readonly deviceId: string };

const plain = (object: JsonObject): JsonObject => JSON.parse(JSON.stringify(object)) as JsonObject;

/** An ed25519 key; its ID is the public key itself unless another one is given. */
export function newSigningKey(id?: string): SigningKey {
  const seed = randomBytes(32);
  return signingKeyFromSeed(`ed25519:${id ?? signingKeyFromSeed('ed25519:x', seed).publicKey}`, seed);
}

/** The public keys of a device, signed by it, as its client uploads them. */
export function newDeviceKeys({ userId, deviceId }: Device, key: SigningKey = newSigningKey(deviceId)): JsonObject {
  const keys = {
    [`ed25519:${deviceId}`]: key.publicKey,
    [`curve25519:${deviceId}`]: encodeBase64(randomBytes(32)),
  };
  const algorithms = ['m.olm.v1.curve25519-aes-sha2', 'm.megolm.v1.aes-sha2'];
  return plain(signJson({ user_id: userId, device_id: deviceId, algorithms, keys }, userId, key));
}

const keyObject = (userId: string, usage: string, key: SigningKey): JsonObject => ({
  user_id: userId,
  usage: [usage],
  keys: { [key.keyId]: key.publicKey },
});

/** Cross-signing keys, and the body with which a client uploads them. */
export function newIdentity(userId: string, master: SigningKey = newSigningKey()) {
  const [self, user] = [newSigningKey(), newSigningKey()];
  const body = {
    master_key: keyObject(userId, 'master', master),
    self_signing_key: plain(signJson(keyObject(userId, 'self_signing', self), userId, master)),
    user_signing_key: plain(signJson(keyObject(userId, 'user_signing', user), userId, master)),
  };
  return { master, self, user, body };
}

/** One-time keys, as many as that, by their names. */
export function newOneTimeKeys(count: number): JsonObject {
  const key = (n: number): JsonObject => ({ key: `key ${n}`, signatures: { '@a:b': { 'ed25519:X': 'sig' } } });
  return Object.fromEntries(
    Array.from({ length: count }, (_, n) => [`signed_curve25519:K${String(n).padStart(3, '0')}`, key(n)]),
  );
}

export { plain as plainJson };
