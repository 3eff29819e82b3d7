/**
 * The leftmost place from `start` at which the pattern lies in the text and ends by `end`, or -1. Without a wildcard the
 * search is linear in the text (Knuth, Morris and Pratt). With wildcards it advances a bit set of the pattern's prefixes
 * by each character of the text, which is linear for patterns of up to 32 characters and a word more for every 32.
 */
export function indexOfPattern(
  text: readonly number[],
  pattern: readonly number[],
  wildcard: number,
  start: number,
  end: number,
): number {
  if (pattern.length === 0) return start;
  if (end - start < pattern.length) return -1;
  if (!pattern.includes(wildcard)) return indexOfLiteral(text, pattern, start, end);
  if (pattern.every((unit) => unit === wildcard)) return start;
  return indexOfWildcards(text, pattern, wildcard, start, end);
}

function indexOfLiteral(text: readonly number[], pattern: readonly number[], start: number, end: number): number {
  const fallback = failureFunction(pattern);
  let matched = 0;
  for (let index = start; index < end; index++) {
    while (matched > 0 && pattern[matched] !== text[index]) matched = fallback[matched - 1] ?? 0;
    if (pattern[matched] === text[index]) matched += 1;
    if (matched === pattern.length) return index - matched + 1;
  }
  return -1;
}

/** For each prefix, the length of its longest proper prefix that is also its suffix. */
function failureFunction(pattern: readonly number[]): readonly number[] {
  const lengths: number[] = [0];
  let length = 0;
  for (let index = 1; index < pattern.length; index++) {
    while (length > 0 && pattern[length] !== pattern[index]) length = lengths[length - 1] ?? 0;
    if (pattern[length] === pattern[index]) length += 1;
    lengths.push(length);
  }
  return lengths;
}

const wordBits = 32;

function indexOfWildcards(
  text: readonly number[],
  pattern: readonly number[],
  wildcard: number,
  start: number,
  end: number,
): number {
  const words = Math.ceil(pattern.length / wordBits);
  const { masks, others } = positionMasks(pattern, wildcard, words);
  const prefixes = new Int32Array(words);
  const lastWord = words - 1;
  const lastBit = 1 << ((pattern.length - 1) % wordBits);
  for (let index = start; index < end; index++) {
    const mask = masks.get(text[index] as number) ?? others;
    // A new prefix may begin at every character; the others grow by one if this character is theirs.
    let carry = 1;
    for (let word = 0; word < words; word++) {
      const before = prefixes[word] as number;
      prefixes[word] = ((before << 1) | carry) & (mask[word] as number);
      carry = before >>> (wordBits - 1);
    }
    if (((prefixes[lastWord] as number) & lastBit) !== 0) return index - pattern.length + 1;
  }
  return -1;
}

/** For each character of the pattern, the positions at which it may stand; `others` for all that do not occur in it. */
function positionMasks(
  pattern: readonly number[],
  wildcard: number,
  words: number,
): { readonly masks: ReadonlyMap<number, Int32Array>; readonly others: Int32Array } {
  const others = new Int32Array(words);
  for (const [position, unit] of pattern.entries()) if (unit === wildcard) setBit(others, position);
  const masks = new Map<number, Int32Array>();
  for (const [position, unit] of pattern.entries()) {
    if (unit === wildcard) continue;
    let mask = masks.get(unit);
    if (mask === undefined) {
      mask = others.slice();
      masks.set(unit, mask);
    }
    setBit(mask, position);
  }
  return { masks, others };
}

function setBit(words: Int32Array, position: number): void {
  const word = Math.floor(position / wordBits);
  words[word] = (words[word] ?? 0) | (1 << (position % wordBits));
}
