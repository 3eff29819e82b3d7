import { JsonError } from './json-error.ts';

/** A long list or object in a text of JSON: where it is, and where it can be taken apart. */
export type Large = {
  readonly isList: boolean;
  /** Of its brackets. */
  readonly start: number;
  readonly end: number;
  /** Commas between its members: what is between two of them is short, or one long member. */
  readonly cuts: readonly number[];
  /** Its members, or the values of them, that are long themselves. */
  readonly inside: readonly Large[];
};

type Options = { readonly maxDepth: number; readonly atOnce: number };

const quote = 0x22;
const comma = 0x2c;
const openBracket = 0x5b;
const backslash = 0x5c;
const closeBracket = 0x5d;
const openBrace = 0x7b;
const closeBrace = 0x7d;

/**
 * Members of one object. A list of so many is taken apart where it is used; of an object, the engine gives all the names before the
 * first one can be looked at, which takes a second for a million.
 */
export const mostMembers = 100_000;

/** Bytes that are looked through between two yields. */
const bytesAtOnce = 65_536;

/**
 * Finds where a long text of JSON can be taken apart; of what is no JSON only brackets are noticed that do not match.
 * `undefined` for what is short, or neither list nor object.
 *
 * @throws JsonError
 */
export function* splitSteps(
  bytes: Uint8Array,
  { maxDepth, atOnce }: Options,
): Generator<void, Large | undefined, void> {
  // Of what is open, by depth.
  const starts = new Uint32Array(maxDepth);
  const lastCommas = new Uint32Array(maxDepth);
  const lastCuts = new Uint32Array(maxDepth);
  const commas = new Uint32Array(maxDepth);
  const cuts: number[][] = Array.from({ length: maxDepth }, () => []);
  const inside: Large[][] = Array.from({ length: maxDepth }, () => []);
  let depth = 0;
  let isText = false;
  let root: Large | undefined;
  let next = bytesAtOnce;

  function cut(at: number): void {
    const level = depth - 1;
    if ((lastCuts[level] as number) === at) return;
    (cuts[level] as number[]).push(at);
    lastCuts[level] = at;
  }

  function close(at: number, isList: boolean): void {
    if (depth === 0) throw new JsonError('syntax');
    depth--;
    const start = starts[depth] as number;
    if ((bytes[start] === openBracket) !== isList) throw new JsonError('syntax');
    if (at - start < atOnce) return;
    const large = { isList, start, end: at, cuts: cuts[depth] as number[], inside: inside[depth] as Large[] };
    cuts[depth] = [];
    inside[depth] = [];
    if (depth === 0) {
      if (root !== undefined) throw new JsonError('syntax');
      root = large;
      return;
    }
    // It is a piece of its own: from the comma before it, to the next one.
    const parent = inside[depth - 1] as Large[];
    const before = lastCommas[depth - 1] as number;
    if ((parent.at(-1)?.start ?? -1) > before) throw new JsonError('syntax');
    cut(before);
    parent.push(large);
  }

  for (let at = 0; at < bytes.length; at++) {
    if (at >= next) {
      next = at + bytesAtOnce;
      yield;
    }
    const byte = bytes[at];
    if (byte === quote) isText = !isText;
    else if (isText) {
      if (byte === backslash) at++;
    } else if (byte === openBrace || byte === openBracket) {
      if (depth === maxDepth) throw new JsonError('too-deep');
      starts[depth] = lastCommas[depth] = lastCuts[depth] = at;
      commas[depth] = 0;
      (cuts[depth] as number[]).length = 0;
      (inside[depth] as Large[]).length = 0;
      depth++;
    } else if (byte === closeBrace || byte === closeBracket) close(at, byte === closeBracket);
    else if (byte === comma && depth > 0) {
      const level = depth - 1;
      const previous = lastCommas[level] as number;
      const isBehindLarge = ((inside[level] as Large[]).at(-1)?.start ?? -1) > previous;
      if (isBehindLarge || at - (lastCuts[level] as number) >= atOnce) cut(at);
      lastCommas[level] = at;
      const count = (commas[level] as number) + 1;
      commas[level] = count;
      if (count >= mostMembers && bytes[starts[level] as number] === openBrace) {
        throw new JsonError('too-many-members');
      }
    }
  }
  if (isText || depth > 0) throw new JsonError('syntax');
  return root;
}
