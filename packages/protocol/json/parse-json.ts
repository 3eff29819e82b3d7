import { canonicalNumber, exactNumbersOf, rememberExactNumber } from './exact-numbers.ts';
import { JsonError } from './json-error.ts';
import { lengthenEscapedKeys, shortenEscapedKeys, shortenKey } from './escaped-keys.ts';
import type { JsonArray, JsonObject, JsonValue } from './value.ts';

/**
 * `plain`: any JSON; numbers are JavaScript numbers. `lenient`: any JSON, and the exact spelling of odd numbers is kept
 * beside the value, so that {@link encodeCanonical} can judge and write them; for whatever carries events. `strict`: what
 * room versions from 6 on accept in an event.
 */
export type JsonMode = 'plain' | 'lenient' | 'strict';

/** How deep arrays and objects may nest in an event and in ordinary bodies. */
export const maxJsonDepth = 100;

/**
 * And in what servers send to each other, which holds events and what was in ordinary bodies: one of these that nests as deep as
 * it may takes nothing along that comes with it.
 */
export const maxCarriedDepth = 128;

/**
 * Parses JSON into objects without a prototype. Of duplicate keys the last one counts, which is what other servers do;
 * since hashes and signatures are checked over the re-encoded value, they cover exactly what was understood.
 *
 * @throws JsonError and nothing else
 */
export function parseJson(text: string, mode: JsonMode = 'plain', maxDepth = maxJsonDepth): JsonValue {
  const lengthened = lengthenEscapedKeys(text);
  const safeText = lengthened ?? text;
  const value = parse(safeText);
  const odd = harden(value, maxDepth);
  if (lengthened !== undefined) shortenEscapedKeys(value);
  if (mode === 'plain') return value;
  if (odd || spelledAsFloat.test(text)) {
    const exact = parse(safeText, lengthened === undefined ? recordExactNumber : recordLengthened);
    harden(exact, maxDepth);
    if (lengthened !== undefined) shortenEscapedKeys(exact);
    if (mode === 'strict' && typeof exact === 'number') refuseOddNumber(exact, spelledAsFloat.test(text));
    if (mode === 'strict') refuseOddNumbers(exact);
    return mode === 'strict' ? refuseLoneSurrogates(exact, text) : exact;
  }
  return mode === 'strict' ? refuseLoneSurrogates(value, text) : value;
}

/** A number with a fraction or an exponent; may also hit inside a string, which only costs a second look. */
const spelledAsFloat = /(?:^|[:,[\s])-?(?:0|[1-9][0-9]*)[.eE]/;

type Reviver = (this: unknown, key: string, value: unknown, context: { source?: string }) => unknown;

function parse(text: string, reviver?: Reviver): JsonValue {
  try {
    return JSON.parse(text, reviver as Parameters<typeof JSON.parse>[1]) as JsonValue;
  } catch (error) {
    if (error instanceof JsonError) throw error;
    throw new JsonError('syntax');
  }
}

const recordExactNumber: Reviver = function (key, value, { source: literal }) {
  if (typeof value !== 'number' || literal === undefined || !Number.isFinite(value)) return value;
  if (literal !== String(value) || !Number.isSafeInteger(value)) {
    rememberExactNumber(this as object, key, canonicalNumber(literal));
  }
  return value;
};

const recordLengthened: Reviver = function (key, value, context) {
  return recordExactNumber.call(this, shortenKey(key), value, context);
};

/** Takes the prototypes away, and says whether a number is there that is not a safe integer. */
function harden(value: JsonValue, depthLeft: number): boolean {
  if (typeof value === 'number') return !Number.isSafeInteger(value) || Object.is(value, -0);
  if (typeof value !== 'object' || value === null) return false;
  if (depthLeft === 0) throw new JsonError('too-deep');
  let odd = false;
  if (Array.isArray(value)) {
    for (const element of value as JsonArray) if (harden(element, depthLeft - 1)) odd = true;
    return odd;
  }
  const object = Object.setPrototypeOf(value, null) as JsonObject;
  for (const key in object) if (harden(object[key] as JsonValue, depthLeft - 1)) odd = true;
  return odd;
}

function refuseOddNumbers(value: JsonValue): void {
  if (typeof value !== 'object' || value === null) return;
  const odd = exactNumbersOf(value);
  for (const [key, child] of Object.entries(value as JsonObject)) {
    if (typeof child === 'number') refuseOddNumber(child, odd?.has(key) === true);
    else refuseOddNumbers(child);
  }
}

function refuseOddNumber(value: number, spelledOddly: boolean): void {
  const reason = oddNumberReason(value, spelledOddly);
  if (reason !== undefined) throw new JsonError(reason);
}

/** Why a number is refused in strict canonical JSON. */
export function oddNumberReason(
  value: number,
  spelledOddly: boolean,
): 'not-integer' | 'integer-range' | 'negative-zero' | undefined {
  if (Object.is(value, -0)) return 'negative-zero';
  if (!Number.isInteger(value)) return Number.isFinite(value) ? 'not-integer' : 'integer-range';
  if (!Number.isSafeInteger(value)) return 'integer-range';
  return spelledOddly ? 'not-integer' : undefined;
}

const surrogateEscape = /\\u[dD][89a-fA-F]/;

function refuseLoneSurrogates(value: JsonValue, text: string): JsonValue {
  if (text.isWellFormed() && !surrogateEscape.test(text)) return value;
  if (!isWellFormedJson(value)) throw new JsonError('lone-surrogate');
  return value;
}

function isWellFormedJson(value: JsonValue): boolean {
  if (typeof value === 'string') return value.isWellFormed();
  if (typeof value !== 'object' || value === null) return true;
  if (Array.isArray(value)) return (value as JsonArray).every(isWellFormedJson);
  return Object.entries(value).every(([key, child]) => key.isWellFormed() && isWellFormedJson(child));
}
