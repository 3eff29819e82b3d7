import assert from 'node:assert/strict';
import { test } from 'node:test';
import { queryWords, searchWords, writtenWords } from './words.ts';

for (const [text, words] of [
  ['Hello, World!', ['hello', 'world']],
  ['Crème brûlée', ['creme', 'brulee']],
  ['ﬁne Ｆｕｌｌ', ['fine', 'full']],
  ["it's 3.14 a_b", ['it', 's', '3', '14', 'a', 'b']],
  ['हिन्दी', ['हिनदी']],
  ['日本', ['日', '本', '日本']],
  ['abc日本', ['abc', '日', '本', '日本']],
  ['👍 !?', []],
  ['', []],
] as const) {
  test(`the words of '${text}'`, () => assert.deepEqual(searchWords(text), words));
}

test('of a query of any length the beginning counts', () => {
  assert.deepEqual(queryWords(`otter ${' '.repeat(5000)}heron`), ['otter']);
  assert.ok(queryWords('𠀀'.repeat(3000)).every((word) => word.isWellFormed()));
});

test('a query asks for words that its text has', () => {
  for (const text of ['Crème 日本語 abc', 'กรุงเทพ', 'x', '語', 'a a a', 'Straße İstanbul']) {
    const there = new Set(searchWords(text));
    assert.deepEqual(
      queryWords(text).filter((word) => !there.has(word)),
      [],
      text,
    );
  }
  assert.deepEqual(queryWords('日本語'), ['日本', '本語']);
  assert.deepEqual(queryWords('b a b'), ['b', 'a']);
});

test('words are neither too long nor too many', () => {
  assert.deepEqual(searchWords('x'.repeat(1000)), ['x'.repeat(64)]);
  assert.equal(searchWords('a '.repeat(50), 10).length, 10);
  assert.deepEqual(queryWords('x'.repeat(1000)), searchWords('x'.repeat(1000)));
});

test('words that a query asks for are found as a text writes them', () => {
  const written = (query: string, text: string) => writtenWords(text, new Set(queryWords(query)));
  assert.deepEqual(written('uber cafe', 'Über den Cafés: ein Café, ÜBER uns'), ['Über', 'Café', 'ÜBER']);
  assert.deepEqual(written('мой', 'Это мой дом'), ['мой']);
  assert.deepEqual(written('한국', '한국 사람'), ['한국']);
  assert.deepEqual(written('ガラス', '窓のガラス'), ['ガラ']);
  assert.deepEqual(written('zebra', 'Zebra, çédille'), []);
});
