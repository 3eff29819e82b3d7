import { hash } from 'node:crypto';

/** SHA-256 of a text's UTF-8 bytes, in unpadded Base64. */
export function sha256Base64(text: string): string {
  // Thirty-two bytes are 43 characters and one of padding.
  return hash('sha256', text, 'base64').slice(0, 43);
}

/** SHA-256 of a text's UTF-8 bytes, in unpadded URL-safe Base64. */
export function sha256Base64Url(text: string): string {
  return hash('sha256', text, 'base64url');
}
