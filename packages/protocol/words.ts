/**
 * The words of a text, as they are compared: in lower case, without diacritics, compatibility forms as the plain ones.
 * Where scripts do not separate words, single characters and pairs of neighbours stand for them.
 */
export function searchWords(text: string, maxWords = 10_000): string[] {
  const folded = foldText(text);
  const words: string[] = [];
  for (const [run] of folded.matchAll(runs)) {
    for (const [part] of run.matchAll(parts)) {
      if (unseparated.test(part)) words.push(...charactersAndPairs(part));
      else words.push(part.slice(0, maxLength));
      if (words.length >= maxWords) return words.slice(0, maxWords);
    }
  }
  return words;
}

/** Nobody types more of what they look for. */
const longestQuery = 4000;

/** The words that a query asks for. Pairs of characters say more than the characters do. */
export function queryWords(text: string, maxWords = 32): string[] {
  const words: string[] = [];
  for (const [run] of foldText(text.slice(0, longestQuery).toWellFormed()).matchAll(runs)) {
    for (const [part] of run.matchAll(parts)) {
      const characters = Array.from(part);
      if (!unseparated.test(part) || characters.length === 1) words.push(part.slice(0, maxLength));
      else words.push(...pairs(characters));
    }
  }
  return [...new Set(words)].slice(0, maxWords);
}

/**
 * The words of a text that a query asks for, where they are written in another way than `queryWords` has them: with
 * diacritics, say, or as syllables of Hangul. Not where only the case differs.
 */
export function writtenWords(text: string, asked: ReadonlySet<string>): string[] {
  if (foldText(text) === text.toLowerCase()) return [];
  const words = new Set<string>();
  for (const [run] of text.matchAll(runs)) {
    for (const [part] of run.matchAll(parts)) {
      for (const word of unseparated.test(part) ? charactersAndPairs(part) : [part]) words.add(word);
    }
  }
  return [...words].filter((word) => {
    const folded = foldText(word).slice(0, maxLength);
    return asked.has(folded) && folded !== word.toLowerCase();
  });
}

/** Without differences that people do not mind: case, diacritics, width. */
export function foldText(text: string): string {
  // Most texts are plain: normalising them is most of the work.
  const plain = /^[\0-\x7f]*$/.test(text) ? text : text.normalize('NFKD').replace(marks, '');
  return plain.toLowerCase();
}

const maxLength = 64;
const marks = /\p{Mn}/gu;
const runs = /[\p{L}\p{N}\p{M}]+/gu;
const unseparated = /^[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}]/u;
const parts =
  /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}]+|[^\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}]+/gu;

function charactersAndPairs(part: string): string[] {
  const characters = Array.from(part);
  return [...characters, ...pairs(characters)];
}

function pairs(characters: readonly string[]): string[] {
  return characters.slice(1).map((character, index) => `${characters[index] ?? ''}${character}`);
}
