import { isUtf8 } from 'node:buffer';
import {
  isJsonObject,
  JsonError,
  type JsonValue,
  maxCarriedDepth,
  nestsTooDeep,
  parseJson,
  parseJsonSteps,
} from '@portico/protocol';
import { inSteps } from '../../in-steps.ts';
import { type AnswerHeaders, headerText } from '../../outbound/read-body.ts';
import type { Refusal } from './federation-error.ts';

/** JSON with the spelling of its numbers kept, since it may hold events; `undefined` where it is none. */
export function parseAnswer(body: Buffer): JsonValue | undefined {
  if (!isUtf8(body) || nestsTooDeep(body, maxCarriedDepth)) return undefined;
  try {
    return parseJson(body.toString('utf8'), 'lenient', maxCarriedDepth);
  } catch (error) {
    if (error instanceof JsonError) return undefined;
    throw error;
  }
}

/** Bytes of an answer that are parsed at once. */
const shortEnough = 65_536;

/** The same, and others have their turn while an answer of megabytes is parsed. */
export async function parseLongAnswer(body: Buffer): Promise<JsonValue | undefined> {
  if (body.length <= shortEnough) return parseAnswer(body);
  if (!isUtf8(body)) return undefined;
  try {
    return await inSteps(parseJsonSteps(body, 'lenient', { maxDepth: maxCarriedDepth }));
  } catch (error) {
    if (error instanceof JsonError) return undefined;
    throw error;
  }
}

function retryAfter(headers: AnswerHeaders, milliseconds: JsonValue | undefined): number | undefined {
  if (typeof milliseconds === 'number' && milliseconds >= 0) return milliseconds;
  const seconds = Number(headerText(headers, 'retry-after') ?? Number.NaN);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : undefined;
}

export function parseRefusal(status: number, headers: AnswerHeaders, body: Buffer): Refusal {
  const value = parseAnswer(body);
  const object = isJsonObject(value) ? value : {};
  const { errcode, error } = object;
  return {
    status,
    errcode: typeof errcode === 'string' ? errcode.slice(0, 255) : undefined,
    error: typeof error === 'string' ? error.slice(0, 1000) : undefined,
    body: object,
    retryAfter: retryAfter(headers, object['retry_after_ms']),
  };
}
