import { Buffer } from 'node:buffer';
import { createPrivateKey, createPublicKey, sign, verify, type KeyObject } from 'node:crypto';
import { encodeBase64 } from './base64.ts';

/** A server's key for signing, as `ed25519:version`. */
export type SigningKey = {
  /** `ed25519:` and the key's version. */
  readonly keyId: string;
  readonly privateKey: KeyObject;
  /** Unpadded Base64 of the 32 public bytes. */
  readonly publicKey: string;
};

/** The public half of a {@link SigningKey}, as {@link parseVerifyKey} makes it of 32 bytes. */
export type VerifyKey = KeyObject;

// RFC 8410: the fixed DER bytes in front of the 32 bytes of an ed25519 key.
const privatePrefix = Buffer.from('302e020100300506032b657004220420', 'hex');
const publicPrefix = Buffer.from('302a300506032b6570032100', 'hex');

const keyBytes = 32;
const signatureBytes = 64;

/** The key pair of a 32-byte seed, the form in which Matrix servers keep their keys. */
export function signingKeyFromSeed(keyId: string, seed: Uint8Array): SigningKey {
  if (seed.length !== keyBytes) throw new RangeError('An ed25519 seed has 32 bytes');
  const der = Buffer.concat([privatePrefix, seed]);
  const privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  const publicDer = createPublicKey(privateKey).export({ format: 'der', type: 'spki' });
  return { keyId, privateKey, publicKey: encodeBase64(publicDer.subarray(publicPrefix.length)) };
}

/** `undefined` when these are not 32 bytes. */
export function parseVerifyKey(publicKey: Uint8Array): VerifyKey | undefined {
  if (publicKey.length !== keyBytes) return undefined;
  return createPublicKey({ key: publicKey, format: 'raw-public', asymmetricKeyType: 'ed25519' });
}

/** The signature over a text's UTF-8 bytes, in unpadded Base64. */
export function signText(key: SigningKey, text: string): string {
  // Sixty-four bytes are 86 characters and two of padding.
  return sign(null, Buffer.from(text, 'utf8'), key.privateKey).toString('base64').slice(0, 86);
}

/** Whether the 64 bytes are the key's signature over a text's UTF-8 bytes. Bytes of another number are no signature. */
export function verifyText(key: VerifyKey, text: string, signature: Uint8Array): boolean {
  return signature.length === signatureBytes && verify(null, Buffer.from(text, 'utf8'), key, signature);
}
