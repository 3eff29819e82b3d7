import { Buffer } from 'node:buffer';

/** {@link https://spec.matrix.org/v1.19/appendices/#unpadded-base64} */
export function encodeBase64(bytes: Uint8Array): string {
  const text = viewOf(bytes).toString('base64');
  const padding = text.indexOf('=');
  return padding === -1 ? text : text.slice(0, padding);
}

/** {@link https://spec.matrix.org/v1.19/appendices/#url-safe-unpadded-base64} */
export function encodeBase64Url(bytes: Uint8Array): string {
  return viewOf(bytes).toString('base64url');
}

const standardOrUrlSafe = /^[A-Za-z0-9+/_-]*={0,2}$/;

/**
 * > When decoding Base64, implementations SHOULD accept input with or without padding characters wherever possible
 *
 * Both alphabets are taken, since public keys come in either. Anything else, and a length that no bytes encode to, is
 * `undefined`.
 */
export function decodeBase64(text: string): Uint8Array | undefined {
  if (!standardOrUrlSafe.test(text)) return undefined;
  const padded = text.endsWith('=');
  if (padded ? text.length % 4 !== 0 : text.length % 4 === 1) return undefined;
  return Buffer.from(text, 'base64');
}

function viewOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
