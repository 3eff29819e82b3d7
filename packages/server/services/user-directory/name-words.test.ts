import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nameWords, searchedBeginnings } from './name-words.ts';

test('a name is found from every place where one may begin to type it', () => {
  assert.deepEqual(nameWords('Ännë-Marie  O’Hara'), ['anne-marie', 'marie', 'o’hara', 'hara']);
  assert.deepEqual(nameWords('@ann_5:example.org'), ['ann_5:example.org', '5:example.org', 'example.org', 'org']);
  assert.deepEqual(nameWords('山田x'), ['山田x', '田x']);
  assert.deepEqual(nameWords('👍 …'), []);
});

test('a search asks for beginnings, the longest first', () => {
  assert.deepEqual(searchedBeginnings(' Al COOPER '), ['cooper', 'al']);
  assert.deepEqual(searchedBeginnings('@ann_5:exam'), ['ann_5:exam']);
  assert.deepEqual(searchedBeginnings('@ !'), []);
});

test('of a search of any length the beginning counts', () => {
  assert.deepEqual(searchedBeginnings(`al ${' '.repeat(2000)}cooper`), ['al']);
  assert.deepEqual(searchedBeginnings('👍'.repeat(1000)), []);
});

test('names of any length stay small', () => {
  assert.equal(nameWords('a-'.repeat(500)).length, 24);
  assert.ok(nameWords('x'.repeat(500)).every((word) => word.length <= 64));
});
