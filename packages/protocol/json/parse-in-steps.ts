import { exactNumbersOf, forgetExactNumber, rememberExactNumber } from './exact-numbers.ts';
import { JsonError } from './json-error.ts';
import { splitSteps, type Large } from './large-parts.ts';
import { emptyJsonObject } from './object.ts';
import { type JsonMode, maxJsonDepth, parseJson } from './parse-json.ts';
import type { JsonObject, JsonValue } from './value.ts';

export type StepOptions = {
  readonly maxDepth?: number;
  /** About as many bytes are parsed at once. */
  readonly atOnce?: number;
};

/** Small enough that the slowest of texts, one of fractions, takes a few milliseconds at once. */
const usualAtOnce = 8192;

/** Not a number, so that no sign or digit before it belongs to it. */
const placeholder = 'null';

/**
 * Parses as {@link parseJson} does, and yields between pieces: a megabyte takes longer than anybody should have to wait.
 * What is long is taken apart along its commas, and the engine parses what is between them. The text is UTF-8.
 *
 * @throws JsonError and nothing else
 */
export function* parseJsonSteps(
  bytes: Uint8Array,
  mode: Exclude<JsonMode, 'strict'> = 'plain',
  { maxDepth = maxJsonDepth, atOnce = usualAtOnce }: StepOptions = {},
): Generator<void, JsonValue, void> {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  const text = (from: number, to: number): string => decoder.decode(bytes.subarray(from, to));
  const root = yield* splitSteps(bytes, { maxDepth, atOnce });
  if (root === undefined) return parseJson(text(0, bytes.length), mode, maxDepth);
  requireBlank(text(0, root.start));
  requireBlank(text(root.end + 1, bytes.length));
  return yield* build(root);

  function* build(large: Large): Generator<void, JsonValue, void> {
    // One long member, or nothing but blanks.
    if (large.cuts.length === 0 && large.inside.length === 0) {
      return parseJson(text(large.start, large.end + 1), mode, maxDepth);
    }
    const whole = large.isList ? [] : emptyJsonObject();
    let inner = 0;
    let from = large.start + 1;
    for (const to of [...large.cuts, large.end]) {
      const child = large.inside[inner];
      if (child !== undefined && child.start < to) {
        inner++;
        const value = yield* build(child);
        requireBlank(text(child.end + 1, to));
        add(whole, around(large.isList, text(from, child.start)), value);
      } else {
        const members = text(from, to);
        merge(whole, parseJson(large.isList ? `[${members}]` : `{${members}}`, mode, maxDepth));
      }
      from = to + 1;
      yield;
    }
    return whole;
  }

  /** The name before a value in an object; in a list there is none. */
  function around(isList: boolean, before: string): string | undefined {
    if (isList) {
      requireBlank(before);
      return undefined;
    }
    const [name, ...others] = Object.keys(parseJson(`{${before}${placeholder}}`, mode, maxDepth) as JsonObject);
    if (name === undefined || others.length > 0) throw new JsonError('syntax');
    return name;
  }
}

type Whole = JsonValue[] | { [key: string]: JsonValue };

function add(whole: Whole, name: string | undefined, value: JsonValue): void {
  if (Array.isArray(whole)) whole.push(value);
  else set(whole, name ?? '', value);
}

function set(whole: { [key: string]: JsonValue }, name: string, value: JsonValue): void {
  // Of duplicate keys the last one counts, with its spelling.
  forgetExactNumber(whole, name);
  whole[name] = value;
}

/** Puts what is between two commas to what came before. There is always something. */
function merge(whole: Whole, part: JsonValue): void {
  const exact = exactNumbersOf(part as JsonObject);
  if (Array.isArray(whole)) {
    const before = whole.length;
    const elements = part as readonly JsonValue[];
    if (elements.length === 0) throw new JsonError('syntax');
    for (const element of elements) whole.push(element);
    for (const [index, spelling] of exact ?? []) rememberExactNumber(whole, String(before + Number(index)), spelling);
    return;
  }
  const members = part as JsonObject;
  let isEmpty = true;
  for (const name in members) {
    isEmpty = false;
    set(whole, name, members[name] as JsonValue);
  }
  if (isEmpty) throw new JsonError('syntax');
  for (const [name, spelling] of exact ?? []) rememberExactNumber(whole, name, spelling);
}

function requireBlank(text: string): void {
  if (!/^[ \t\r\n]*$/.test(text)) throw new JsonError('syntax');
}
