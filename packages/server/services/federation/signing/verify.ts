import { verify } from 'node:crypto';
import type { SignatureCheck } from '@portico/protocol';

const signatureBytes = 64;

/** Verifies one signature off the event loop. */
export function verifySignature({ key, text, signature }: SignatureCheck): Promise<boolean> {
  if (signature.length !== signatureBytes) return Promise.resolve(false);
  return new Promise((resolve, reject) => {
    verify(null, Buffer.from(text, 'utf8'), key, signature, (error, isValid) => {
      if (error) reject(error);
      else resolve(isValid);
    });
  });
}
