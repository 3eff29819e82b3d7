import assert from 'node:assert/strict';
import { test } from 'node:test';
import { closeness } from './closeness.ts';

test('the more often a text has the words, and the less besides, the closer it is', () => {
  const texts = ['otter otter otter', 'an otter', `an otter ${'and so on '.repeat(20)}`, 'nothing'];
  const found = texts.map((text) => closeness(text, ['otter']));
  assert.deepEqual(
    found,
    found.toSorted((a, b) => b - a),
  );
  assert.equal(new Set(found).size, texts.length);
  assert.equal(closeness('nothing', ['otter']), 0);
  assert.ok(closeness('an otter, a heron', ['otter', 'heron']) > closeness('an otter, an otter', ['otter', 'heron']));
  assert.equal(closeness('an otter', ['otter', 'otter']), closeness('an otter', ['otter']));
});
