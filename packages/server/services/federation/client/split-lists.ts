const openBrace = 0x7b;
const closeBrace = 0x7d;
const openBracket = 0x5b;
const closeBracket = 0x5d;
const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;
const colon = 0x3a;

export type SplitLimits = {
  /** Bytes of one element, and of all that is not in a list. */
  readonly element: number;
  readonly rest: number;
  /** How deep elements may nest. */
  readonly depth: number;
};

export type SplitElement = { readonly list: string; readonly bytes: Buffer };

/** The answer is no object of lists, or has more of something than is read. */
export class SplitError extends Error {
  override readonly name = 'SplitError';
}

/** Takes an answer apart as it comes. */
export interface ListSplitter {
  /** The elements that have become complete with these bytes. */
  push(chunk: Uint8Array): readonly SplitElement[];
  /** The rest of the answer, with the lists empty. Throws if it is not complete. */
  end(): Buffer;
}

/**
 * Splits the lists of a JSON object, such as the state of a room, into the texts of their elements, so that an answer of
 * many megabytes is in memory as small pieces and never whole. What the elements are is for others to parse.
 */
export function createListSplitter(names: ReadonlySet<string>, limits: SplitLimits): ListSplitter {
  const rest: Buffer[] = [];
  const element: Buffer[] = [];
  let restLength = 0;
  let elementLength = 0;
  let depth = 0;
  let inString = false;
  let escaped = false;
  let key = '';
  let keyBytes: number[] | undefined;
  let isKeyNext = false;
  let list: string | undefined;

  function keep(into: Buffer[], bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    if (into === rest) restLength += bytes.length;
    else elementLength += bytes.length;
    if (restLength > limits.rest) throw new SplitError('what is not in a list is too long');
    if (elementLength > limits.element) throw new SplitError('an element of a list is too long');
    // A copy: the chunk that it is part of is larger, and would stay in memory with it.
    into.push(Buffer.from(bytes));
  }

  function takeElement(found: SplitElement[]): void {
    const bytes = Buffer.concat(element);
    element.length = 0;
    elementLength = 0;
    if (bytes.some((byte) => byte > 0x20)) found.push({ list: list ?? '', bytes });
  }

  function push(chunk: Uint8Array): readonly SplitElement[] {
    const found: SplitElement[] = [];
    let start = 0;
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at] ?? 0;
      if (inString) {
        if (escaped) escaped = false;
        else if (byte === backslash) escaped = true;
        else if (byte === quote) {
          inString = false;
          if (keyBytes !== undefined) key = Buffer.from(keyBytes).toString('utf8');
          keyBytes = undefined;
        }
        if (keyBytes !== undefined && inString) keyBytes.push(byte);
        if (keyBytes !== undefined && keyBytes.length > 255) throw new SplitError('a key is too long');
      } else if (byte === quote) {
        inString = true;
        if (depth === 1 && isKeyNext) keyBytes = [];
      } else if (byte === openBrace || byte === openBracket) {
        depth += 1;
        if (depth > limits.depth + 2) throw new SplitError('it nests too deep');
        isKeyNext = depth === 1 && byte === openBrace;
        if (depth === 2 && byte === openBracket && names.has(key)) {
          list = key;
          keep(rest, chunk.subarray(start, at + 1));
          start = at + 1;
        }
      } else if (byte === closeBrace || byte === closeBracket) {
        if (depth === 2 && list !== undefined) {
          keep(element, chunk.subarray(start, at));
          start = at;
          takeElement(found);
          list = undefined;
        }
        depth -= 1;
      } else if (byte === comma && depth === 2 && list !== undefined) {
        keep(element, chunk.subarray(start, at));
        start = at + 1;
        takeElement(found);
      } else if (depth === 1 && (byte === comma || byte === colon)) {
        isKeyNext = byte === comma;
        if (byte === comma) key = '';
      }
    }
    keep(list === undefined ? rest : element, chunk.subarray(start));
    return found;
  }

  return {
    push,
    end() {
      if (depth !== 0 || inString) throw new SplitError('it is not complete');
      return Buffer.concat(rest);
    },
  };
}
