import { isUtf8 } from 'node:buffer';
import type { JsonValue } from '@portico/protocol';
import { JsonError } from '@portico/protocol/json/json-error.ts';
import { maxJsonDepth, parseJson } from '@portico/protocol/json/parse-json.ts';
import { MatrixError } from '../errors/matrix-error.ts';

/** A shorter text is parsed sooner than it is looked through. */
const worthLooking = 4096;

const openBrace = 0x7b;
const openBracket = 0x5b;
const closeBrace = 0x7d;
const closeBracket = 0x5d;
const quote = 0x22;
const backslash = 0x5c;

/** The engine would build all of it first: a megabyte of brackets takes it a third of a second. */
function nestsTooDeep(bytes: Buffer): boolean {
  let depth = 0;
  let inString = false;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at];
    if (byte === quote) inString = !inString;
    else if (inString) {
      if (byte === backslash) at++;
    } else if (byte === openBrace || byte === openBracket) {
      if (++depth > maxJsonDepth) return true;
    } else if (byte === closeBrace || byte === closeBracket) depth--;
  }
  return false;
}

function fromJsonError(error: JsonError): MatrixError {
  if (error.reason === 'syntax') return new MatrixError('request.not-json');
  return new MatrixError('request.bad-json', { message: `${error.message}.` });
}

/**
 * What a request body says, or `undefined` for an empty one. Numbers keep their spelling beside them, for bodies that
 * carry events. A legal event may have a `__proto__` key, which is an ordinary property here.
 */
export function parseJsonBody(bytes: Buffer): JsonValue | undefined {
  if (bytes.length === 0) return undefined;
  if (!isUtf8(bytes)) throw new MatrixError('request.not-json', { message: 'The request body is not valid UTF-8.' });
  if (bytes.length > worthLooking && nestsTooDeep(bytes)) throw fromJsonError(new JsonError('too-deep'));
  try {
    return parseJson(bytes.toString('utf8'), 'lenient');
  } catch (error) {
    throw error instanceof JsonError ? fromJsonError(error) : error;
  }
}
