import { searchWords } from '@portico/protocol/words.ts';

/** So much of a text says how it is meant. */
const mostLetters = 4000;
const mostWords = 400;
/** What a word counts for grows with each time that it is there, up to this. */
const saturation = 2.2;
const usualLength = 20;

/**
 * How closely a text matches words that it has: the more often it has them, and the less besides. It is all in the text: how rare
 * words are on the whole server would tell what is said in rooms of others.
 */
export function closeness(text: string, words: readonly string[]): number {
  const found = searchWords(text.slice(0, mostLetters), mostWords);
  const length = 0.25 + (0.75 * found.length) / usualLength;
  let sum = 0;
  for (const word of new Set(words)) {
    const times = found.filter((other) => other === word).length;
    sum += (times * saturation) / (times + (saturation - 1) * length);
  }
  return sum;
}
