import { isUtf8 } from 'node:buffer';
import type { JsonValue } from '@portico/protocol';
import { JsonError } from '@portico/protocol/json/json-error.ts';
import { parseJson } from '@portico/protocol/json/parse-json.ts';
import { MatrixError } from '../errors/matrix-error.ts';

/**
 * What a request body says, or `undefined` for an empty one. Numbers keep their spelling beside them, for bodies that
 * carry events. A legal event may have a `__proto__` key, which is an ordinary property here.
 */
export function parseJsonBody(bytes: Buffer): JsonValue | undefined {
  if (bytes.length === 0) return undefined;
  if (!isUtf8(bytes)) throw new MatrixError('request.not-json', { message: 'The request body is not valid UTF-8.' });
  try {
    return parseJson(bytes.toString('utf8'), 'lenient');
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    if (error.reason === 'syntax') throw new MatrixError('request.not-json');
    throw new MatrixError('request.bad-json', { message: `${error.message}.` });
  }
}
