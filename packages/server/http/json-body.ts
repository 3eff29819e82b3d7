import { isUtf8 } from 'node:buffer';
import type { JsonValue } from '@portico/protocol';
import { JsonError } from '@portico/protocol/json/json-error.ts';
import { nestsTooDeep } from '@portico/protocol/json/nesting.ts';
import { parseJson } from '@portico/protocol/json/parse-json.ts';
import { MatrixError } from '../errors/matrix-error.ts';

/** A shorter text is parsed sooner than it is looked through. */
const worthLooking = 4096;

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
