import { stepSize } from '../steps.ts';
import type { JsonValue } from './value.ts';

/** What stands in a member of an object. Of lists and objects only what has to be known of them. */
export type Member =
  /** The texts in a list; `null` for whatever else is in it. */
  | { readonly kind: 'list'; readonly texts: readonly (string | null)[] }
  | { readonly kind: 'object'; readonly keys: readonly string[] }
  /** `undefined` for a long one. */
  | { readonly kind: 'scalar'; readonly value: JsonValue | undefined };

const maxScalar = 100;

/**
 * Reads members of a JSON object that have long lists or many keys in them, piece by piece: a megabyte of JSON takes longer than
 * anybody should have to wait. Yields between pieces. The object is as the server has stored it, which is JSON; of what is not,
 * nothing is understood. Of duplicate keys the last one counts.
 */
export function* memberSteps(
  text: string,
  names: readonly string[],
): Generator<void, ReadonlyMap<string, Member> | undefined, void> {
  const found = new Map<string, Member>();
  const scan = createScan(text);
  if (scan.next() !== '{') return undefined;
  for (let symbol = scan.next(); symbol !== '}'; symbol = scan.next()) {
    if (symbol === ',') continue;
    const name = symbol === '"' ? valueOf(text.slice(scan.start(), scan.at())) : undefined;
    const colon = text.indexOf(':', scan.at());
    if (typeof name !== 'string' || colon === -1) return undefined;
    scan.moveTo(colon + 1);
    const isWanted = names.includes(name);
    const member = yield* readMember(text, scan, isWanted);
    if (member === undefined) return undefined;
    if (isWanted) found.set(name, member);
  }
  return found;
}

function* readMember(text: string, scan: Scan, isWanted: boolean): Generator<void, Member | undefined, void> {
  const from = scan.at();
  const [, opening] = /^[ \t\r\n]*([[{])/.exec(text.slice(from, from + 8)) ?? [];
  if (isWanted && opening === '[') {
    const texts = yield* readList(text, scan);
    return texts && { kind: 'list', texts };
  }
  if (isWanted && opening === '{') {
    const keys = yield* readKeys(text, scan);
    return keys && { kind: 'object', keys };
  }
  if (!(yield* skipValue(scan))) return undefined;
  const isShort = scan.at() - from <= maxScalar;
  return { kind: 'scalar', value: isWanted && isShort ? valueOf(text.slice(from, scan.at())) : undefined };
}

/** Steps through the symbols that structure JSON; a text is one of them. */
function createScan(text: string) {
  const symbols = /["[\]{},]/g;
  let start = 0;
  return {
    next(): string | undefined {
      const match = symbols.exec(text);
      if (match === null) return undefined;
      start = match.index;
      if (match[0] === '"') symbols.lastIndex = endOfText(text, start);
      return match[0];
    },
    /** Where the last symbol begins, and where what follows it does. */
    start: () => start,
    at: () => symbols.lastIndex,
    moveTo(position: number): void {
      symbols.lastIndex = position;
    },
  };
}

type Scan = ReturnType<typeof createScan>;

function endOfText(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end !== -1; end = text.indexOf('"', end + 1)) {
    let slashes = 0;
    while (text[end - 1 - slashes] === '\\') slashes += 1;
    if (slashes % 2 === 0) return end + 1;
  }
  return text.length;
}

const isOpening = (symbol: string): boolean => symbol === '[' || symbol === '{';
const isClosing = (symbol: string): boolean => symbol === ']' || symbol === '}';

/** Up to the comma or the end of the object behind a value, which is seen next again. */
function* skipValue(scan: Scan): Generator<void, boolean, void> {
  let since = scan.at();
  for (let depth = 0; ;) {
    const symbol = scan.next();
    if (symbol === undefined) return false;
    if (depth === 0 && (symbol === ',' || symbol === '}')) {
      scan.moveTo(scan.start());
      return true;
    }
    if (isOpening(symbol)) depth += 1;
    else if (isClosing(symbol)) depth -= 1;
    if (scan.at() - since < stepSize) continue;
    since = scan.at();
    yield;
  }
}

function* readList(text: string, scan: Scan): Generator<void, (string | null)[] | undefined, void> {
  const list: (string | null)[] = [];
  scan.next();
  let since = scan.at();
  /** Of the entry: where it begins, and the text that it is, if it is one. */
  let from = scan.at();
  let entry: string | null = null;
  for (let depth = 1; ;) {
    const symbol = scan.next();
    if (symbol === undefined) return undefined;
    if (isOpening(symbol)) depth += 1;
    else if (symbol === '"' && depth === 1) entry = textOf(text.slice(scan.start(), scan.at()));
    else if (depth === 1 && (symbol === ',' || symbol === ']')) {
      const isEmpty = symbol === ']' && list.length === 0 && text.slice(from, scan.start()).trim() === '';
      if (!isEmpty) list.push(entry);
      entry = null;
      from = scan.at();
    }
    if (isClosing(symbol)) depth -= 1;
    if (depth === 0) return list;
    if (scan.at() - since < stepSize) continue;
    since = scan.at();
    yield;
  }
}

function* readKeys(text: string, scan: Scan): Generator<void, string[] | undefined, void> {
  const keys: string[] = [];
  scan.next();
  let since = scan.at();
  let isKeyNext = true;
  for (let depth = 1; ;) {
    const symbol = scan.next();
    if (symbol === undefined) return undefined;
    if (isOpening(symbol)) depth += 1;
    else if (isClosing(symbol)) depth -= 1;
    else if (depth === 1 && symbol === ',') isKeyNext = true;
    else if (depth === 1 && isKeyNext) {
      const key = textOf(text.slice(scan.start(), scan.at()));
      if (key === null) return undefined;
      keys.push(key);
      isKeyNext = false;
    }
    if (depth === 0) return keys;
    if (scan.at() - since < stepSize) continue;
    since = scan.at();
    yield;
  }
}

function textOf(literal: string): string | null {
  const value = literal.includes('\\') ? valueOf(literal) : literal.slice(1, -1);
  return typeof value === 'string' ? value : null;
}

function valueOf(literal: string): JsonValue | undefined {
  try {
    return JSON.parse(literal) as JsonValue;
  } catch {
    return undefined;
  }
}
