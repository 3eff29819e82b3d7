import { isUtf8 } from 'node:buffer';
import type { JsonValue } from '@portico/protocol';
import { JsonError } from '@portico/protocol/json/json-error.ts';
import { nestsTooDeep } from '@portico/protocol/json/nesting.ts';
import { parseJsonSteps } from '@portico/protocol/json/parse-in-steps.ts';
import { maxJsonDepth, parseJson } from '@portico/protocol/json/parse-json.ts';
import { MatrixError } from '../errors/matrix-error.ts';
import { inSteps } from '../services/in-steps.ts';

/** A shorter text is parsed sooner than it is looked through: the engine builds 8,000 nested arrays in less than a millisecond. */
const worthLooking = 16_384;
/** Bytes of a text that is parsed at once. */
export const shortEnough = 65_536;

function asRefusal(error: unknown): unknown {
  if (!(error instanceof JsonError)) return error;
  if (error.reason === 'syntax') return new MatrixError('request.not-json');
  const reason = error.reason === 'too-many-members' ? 'request.too-large' : 'request.bad-json';
  return new MatrixError(reason, { message: `${error.message}.` });
}

/**
 * What a request body says, or `undefined` for an empty one; later, for one that is long, so that nobody has to wait for it who
 * did not send it. Numbers keep their spelling beside them, for bodies that carry events. A legal event may have a
 * `__proto__` key, which is an ordinary property here.
 */
export function parseJsonBody(
  bytes: Buffer,
  maxDepth = maxJsonDepth,
): JsonValue | undefined | Promise<JsonValue | undefined> {
  if (bytes.length === 0) return undefined;
  if (!isUtf8(bytes)) throw new MatrixError('request.not-json', { message: 'The request body is not valid UTF-8.' });
  if (bytes.length > shortEnough) return parseLong(bytes, maxDepth);
  try {
    if (bytes.length > worthLooking && nestsTooDeep(bytes, maxDepth)) throw new JsonError('too-deep');
    return parseJson(bytes.toString('utf8'), 'lenient', maxDepth);
  } catch (error) {
    throw asRefusal(error);
  }
}

async function parseLong(bytes: Buffer, maxDepth: number): Promise<JsonValue> {
  try {
    return await inSteps(parseJsonSteps(bytes, 'lenient', { maxDepth }));
  } catch (error) {
    throw asRefusal(error);
  }
}
