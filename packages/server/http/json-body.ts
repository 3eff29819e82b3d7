import { isUtf8 } from 'node:buffer';
import { MatrixError } from '../errors/matrix-error.ts';

/** Deeper than any event or filter in use, and shallow enough for code that recurses. */
const maxDepth = 100;

const openBrace = 0x7b;
const openBracket = 0x5b;
const closeBrace = 0x7d;
const closeBracket = 0x5d;
const quote = 0x22;
const backslash = 0x5c;

function nestsTooDeep(bytes: Buffer): boolean {
  let depth = 0;
  let inString = false;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at];
    if (byte === quote) inString = !inString;
    else if (inString) {
      if (byte === backslash) at++;
    } else if (byte === openBrace || byte === openBracket) {
      if (++depth > maxDepth) return true;
    } else if (byte === closeBrace || byte === closeBracket) depth--;
  }
  return false;
}

/**
 * What a request body says, or `undefined` for an empty one. A legal event may have a `__proto__` key, which here is an
 * ordinary property.
 */
export function parseJsonBody(bytes: Buffer): unknown {
  if (bytes.length === 0) return undefined;
  if (!isUtf8(bytes)) throw new MatrixError('request.not-json', { message: 'The request body is not valid UTF-8.' });
  // Below this many bytes no text can nest too deep.
  if (bytes.length > maxDepth && nestsTooDeep(bytes)) {
    throw new MatrixError('request.bad-json', { message: `JSON nested deeper than ${maxDepth} levels is refused.` });
  }
  try {
    return JSON.parse(bytes.toString('utf8')) as unknown;
  } catch {
    throw new MatrixError('request.not-json');
  }
}
