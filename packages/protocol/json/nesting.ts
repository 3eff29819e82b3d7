import { maxJsonDepth } from './parse-json.ts';

const openBrace = 0x7b;
const openBracket = 0x5b;
const closeBrace = 0x7d;
const closeBracket = 0x5d;
const quote = 0x22;
const backslash = 0x5c;

/**
 * Whether a JSON text nests deeper than we take, without parsing it. The engine would build all of it first: a megabyte of
 * brackets takes it a third of a second.
 */
export function nestsTooDeep(bytes: Uint8Array, maxDepth = maxJsonDepth): boolean {
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
