import { hkdfSync } from 'node:crypto';

/** The secret that the server has already, made one for a single purpose: the same in all its processes, and after a restart. */
export function secretFor({ seed }: { readonly seed: Uint8Array }, purpose: string): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', seed, '', purpose, 32));
}
