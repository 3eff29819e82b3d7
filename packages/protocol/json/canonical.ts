import { compareCodePoints } from './code-points.ts';
import { canonicalFloat, exactNumbersOf } from './exact-numbers.ts';
import { JsonError } from './json-error.ts';
import { maxJsonDepth, oddNumberReason } from './parse-json.ts';
import type { JsonArray, JsonObject, JsonValue } from './value.ts';

export type CanonicalMode = 'lenient' | 'strict';

/**
 * > the shortest UTF-8 JSON encoding with dictionary keys lexicographically sorted by Unicode codepoint
 *
 * {@link https://spec.matrix.org/v1.19/appendices/#canonical-json}
 *
 * Strict refuses what room versions from 6 on refuse: floats, integers out of range, numbers that were spelled
 * otherwise. Lenient writes them as older versions have them. A lone surrogate has no UTF-8 form in either.
 *
 * @throws JsonError and nothing else
 */
export function encodeCanonical(value: JsonValue, mode: CanonicalMode = 'strict', maxDepth = maxJsonDepth): string {
  // Most values were sorted when they were made or parsed; the engine's own writer is then the fastest.
  const text = isCanonicalOrder(value, maxDepth) ? JSON.stringify(value) : encode(value, mode, maxDepth);
  // The engine's writer escapes a lone surrogate (and nothing else) as \uDXXX.
  if (escapedSurrogate.test(text) && hasEscapedSurrogate(text)) throw new JsonError('lone-surrogate');
  return text;
}

/**
 * The same text in parts, for whoever has others to attend to between them: of an object, each of its fields; of a field that
 * is a list, each element.
 *
 * @throws JsonError and nothing else
 */
export function* canonicalParts(
  value: JsonValue,
  mode: CanonicalMode = 'strict',
  maxDepth = maxJsonDepth,
): Generator<string, void, undefined> {
  if (!isPlain(value) || Array.isArray(value)) {
    yield encodeCanonical(value, mode, maxDepth);
    return;
  }
  const object = value as JsonObject;
  let open = '{';
  for (const key of Object.keys(object).sort(compareCodePoints)) {
    yield `${open}${encodeCanonical(key)}:`;
    open = ',';
    const child = object[key] as JsonValue;
    if (Array.isArray(child) && isPlain(child)) yield* elementParts(child as JsonArray, mode, maxDepth - 2);
    else yield encodeCanonical(child, mode, maxDepth - 1);
  }
  yield open === '{' ? '{}' : '}';
}

function* elementParts(array: JsonArray, mode: CanonicalMode, depthLeft: number): Generator<string, void, undefined> {
  let open = '[';
  for (const element of array) {
    yield open;
    open = ',';
    yield encodeCanonical(element, mode, depthLeft);
  }
  yield open === '[' ? '[]' : ']';
}

/** An object or array without numbers that are spelled in a way of their own. */
function isPlain(value: JsonValue): boolean {
  return typeof value === 'object' && value !== null && exactNumbersOf(value) === undefined;
}

const escapedSurrogate = /\\ud[89a-f]/;

/** Whether such an escape stands after an even number of backslashes, and is therefore one. */
function hasEscapedSurrogate(text: string): boolean {
  for (const match of text.matchAll(/(\\+)ud[89a-f]/g)) if ((match[1] ?? '').length % 2 === 1) return true;
  return false;
}

/** Whether the engine's own writer gives the canonical form: every key in order and every number a plain integer. */
function isCanonicalOrder(value: JsonValue, depthLeft: number): boolean {
  if (typeof value === 'string' || typeof value === 'boolean') return true;
  if (typeof value === 'number') return Number.isSafeInteger(value);
  if (typeof value !== 'object') return false;
  if (value === null) return true;
  if (depthLeft === 0) throw new JsonError('too-deep');
  if (exactNumbersOf(value) !== undefined) return false;
  if (Array.isArray(value)) {
    for (const element of value as JsonArray) if (!isCanonicalOrder(element, depthLeft - 1)) return false;
    return true;
  }
  let previous: string | undefined;
  for (const key in value as JsonObject) {
    if (previous !== undefined && compareCodePoints(previous, key) >= 0) return false;
    if (!isCanonicalOrder((value as JsonObject)[key] as JsonValue, depthLeft - 1)) return false;
    previous = key;
  }
  return true;
}

function encode(value: JsonValue, mode: CanonicalMode, depthLeft: number): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'boolean') return value ? 'true' : 'false';
  if (typeof value === 'number') return encodeNumber(value, mode);
  if (typeof value !== 'object') throw new JsonError('not-json');
  if (value === null) return 'null';
  if (depthLeft === 0) throw new JsonError('too-deep');
  const exact = exactNumbersOf(value);
  if (Array.isArray(value)) return encodeArray(value as JsonArray, exact, mode, depthLeft);
  return encodeObject(value as JsonObject, exact, mode, depthLeft);
}

type ExactNumbers = ReadonlyMap<string, string> | undefined;

function encodeArray(array: JsonArray, exact: ExactNumbers, mode: CanonicalMode, depthLeft: number): string {
  let text = '[';
  for (let index = 0; index < array.length; index++) {
    if (index > 0) text += ',';
    text += encodeChild(array[index] as JsonValue, exact?.get(String(index)), mode, depthLeft);
  }
  return `${text}]`;
}

function encodeObject(object: JsonObject, exact: ExactNumbers, mode: CanonicalMode, depthLeft: number): string {
  let text = '{';
  for (const key of Object.keys(object).sort(compareCodePoints)) {
    if (text.length > 1) text += ',';
    const child = encodeChild(object[key] as JsonValue, exact?.get(key), mode, depthLeft);
    text += `${JSON.stringify(key)}:${child}`;
  }
  return `${text}}`;
}

function encodeChild(value: JsonValue, exact: string | undefined, mode: CanonicalMode, depthLeft: number): string {
  if (exact === undefined || typeof value !== 'number') return encode(value, mode, depthLeft - 1);
  if (mode === 'lenient') return exact;
  throw new JsonError(oddNumberReason(value, true) ?? 'not-integer');
}

/**
 * A number whose spelling is not known, since it was computed or came from a plain body. `-0` is written `0`, as in the
 * spec's example.
 */
function encodeNumber(value: number, mode: CanonicalMode): string {
  if (Number.isSafeInteger(value)) return String(value);
  if (mode === 'strict') throw new JsonError(oddNumberReason(value, false) ?? 'not-integer');
  return Number.isInteger(value) ? BigInt(value).toString() : canonicalFloat(value);
}
