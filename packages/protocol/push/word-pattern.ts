const wordBits = 32;
const longestPrefilter = 32;

/** Matches a text that was put in lower case beforehand, since many patterns are tried on the same one. */
export type WordMatcher = (lowerCaseText: string) => boolean;

/**
 * Matches a glob pattern against "any substring […] which starts and ends at a word boundary. A word boundary is defined
 * as the start or end of the value, or any character not in the sets `[A-Z]`, `[a-z]`, `[0-9]` or `_`", without regard
 * to case.
 *
 * {@link https://spec.matrix.org/v1.19/client-server-api/#conditions-1}
 *
 * Patterns come from anybody and texts too, so nothing backtracks: the set of the pattern's prefixes that end at the
 * current character is a set of bits, advanced once for each character of the text.
 */
export function compileWordPattern(pattern: string): WordMatcher {
  const { characters, starAfter, starFirst } = parse(pattern.toLowerCase());
  if (characters.length === 0) return () => true;
  const words = Math.ceil(characters.length / wordBits);
  const { masks, others } = positionMasks(characters, words);
  const stays = new Int32Array(words);
  for (const position of starAfter) setBit(stays, position);
  const lastWord = words - 1;
  const lastBit = 1 << ((characters.length - 1) % wordBits);
  const literal = literalOf(characters, starAfter);

  return (text) => {
    if (literal !== undefined && !text.includes(literal)) return false;
    const reached = new Int32Array(words);
    let afterWordCharacter = false;
    for (let index = 0; index < text.length;) {
      const character = text.codePointAt(index) as number;
      index += character > 0xffff ? 2 : 1;
      const isWord = isWordCharacter(character);
      const mask = masks.get(character) ?? others;
      let carry = starFirst || !afterWordCharacter || !isWord ? 1 : 0;
      for (let word = 0; word < words; word++) {
        const before = reached[word] as number;
        reached[word] = (((before << 1) | carry) & (mask[word] as number)) | (before & (stays[word] as number));
        carry = before >>> (wordBits - 1);
      }
      const complete = ((reached[lastWord] as number) & lastBit) !== 0;
      if (complete && (!isWord || index === text.length || !isWordCharacter(text.charCodeAt(index)))) return true;
      afterWordCharacter = isWord;
    }
    return false;
  };
}

/** `undefined` stands for any character. */
type Character = number | undefined;

function parse(pattern: string): {
  readonly characters: readonly Character[];
  readonly starAfter: ReadonlySet<number>;
  readonly starFirst: boolean;
} {
  const characters: Character[] = [];
  const starAfter = new Set<number>();
  let starFirst = false;
  for (const character of pattern) {
    if (character === '*') {
      if (characters.length === 0) starFirst = true;
      else starAfter.add(characters.length - 1);
    } else {
      characters.push(character === '?' ? undefined : character.codePointAt(0));
    }
  }
  return { characters, starAfter, starFirst };
}

/** What the text must contain, if that is quickly looked for. */
function literalOf(characters: readonly Character[], starAfter: ReadonlySet<number>): string | undefined {
  if (starAfter.size > 0 || characters.length > longestPrefilter) return undefined;
  const literal: number[] = [];
  for (const character of characters) {
    if (character === undefined) return undefined;
    literal.push(character);
  }
  return String.fromCodePoint(...literal);
}

function positionMasks(
  characters: readonly Character[],
  words: number,
): { readonly masks: ReadonlyMap<number, Int32Array>; readonly others: Int32Array } {
  const others = new Int32Array(words);
  for (const [position, character] of characters.entries()) if (character === undefined) setBit(others, position);
  const masks = new Map<number, Int32Array>();
  for (const [position, character] of characters.entries()) {
    if (character === undefined) continue;
    let mask = masks.get(character);
    if (mask === undefined) {
      mask = others.slice();
      masks.set(character, mask);
    }
    setBit(mask, position);
  }
  return { masks, others };
}

function setBit(words: Int32Array, position: number): void {
  const word = Math.floor(position / wordBits);
  words[word] = (words[word] ?? 0) | (1 << (position % wordBits));
}

/** Of a text in lower case. */
function isWordCharacter(character: number): boolean {
  return (character >= 0x61 && character <= 0x7a) || (character >= 0x30 && character <= 0x39) || character === 0x5f;
}
