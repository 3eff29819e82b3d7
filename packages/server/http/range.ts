import type { ByteRange } from './bytes.ts';

const oneRange = /^bytes=(?:(\d{1,15})-(\d{1,15})?|-(\d{1,15}))$/i;

/**
 * What a `Range` header asks for: one range, or `undefined` for all bytes where it cannot be understood or asks for
 * several, which a server may ignore.
 *
 * {@link https://www.rfc-editor.org/rfc/rfc9110.html#name-range}
 */
export function parseRange(header: string, size: number): ByteRange | 'unsatisfiable' | undefined {
  const match = oneRange.exec(header.trim());
  if (match === null) return undefined;
  const [, first, last, suffix] = match;
  if (suffix !== undefined) {
    const length = Math.min(Number(suffix), size);
    return length === 0 ? 'unsatisfiable' : { start: size - length, end: size - 1 };
  }
  const start = Number(first);
  const end = last === undefined ? size - 1 : Math.min(Number(last), size - 1);
  if (last !== undefined && Number(last) < start) return undefined;
  return start >= size ? 'unsatisfiable' : { start, end };
}

/** Whether one of the entity tags of an `If-None-Match` header is this one. */
export function matchesTag(header: string, quotedTag: string): boolean {
  if (header.trim() === '*') return true;
  return header.split(',').some((tag) => tag.trim().replace(/^W\//, '') === quotedTag);
}
