import { foldText } from '@portico/protocol/words.ts';
import { cutText } from '../cut-text.ts';

const maxWords = 24;
const maxLength = 64;
/** No name is longer. */
const longestTerm = 1000;
/** Where somebody who types a name may begin: at a letter or number after anything else, or at any Chinese character. */
const begins = /(?<![\p{L}\p{N}\p{M}])[\p{L}\p{N}]|[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}]/gu;

/** What a name is found by, from each place where one may begin to type it, up to the next space. */
export function nameWords(name: string): string[] {
  const words: string[] = [];
  for (const part of foldText(name).split(/\s+/)) {
    for (const { index } of part.matchAll(begins)) {
      words.push(begin(part.slice(index)));
      if (words.length >= maxWords) return words;
    }
  }
  return words;
}

/** The beginnings of words that a search asks for, the longest first. */
export function searchedBeginnings(term: string): string[] {
  const parts = foldText(cutText(term, longestTerm))
    .split(/\s+/)
    .map((part) => begin(part.replace(/^[^\p{L}\p{N}]+/u, '')))
    .filter((part) => part !== '');
  return [...new Set(parts)].slice(0, maxWords).toSorted((a, b) => b.length - a.length);
}

function begin(word: string): string {
  return Array.from(word).slice(0, maxLength).join('');
}
