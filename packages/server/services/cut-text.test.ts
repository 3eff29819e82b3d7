import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cutText } from './cut-text.ts';

test('a text is cut between its characters', () => {
  assert.equal(cutText('abc', 3), 'abc');
  assert.equal(cutText('abcd', 3), 'abc');
  assert.equal(cutText('ab😀', 4), 'ab😀');
  assert.equal(cutText('ab😀', 3), 'ab');
  assert.equal(cutText('ab😀c', 3), 'ab');
  assert.equal(cutText('a😀c', 3), 'a😀');
  assert.equal(cutText('', 3), '');
});
