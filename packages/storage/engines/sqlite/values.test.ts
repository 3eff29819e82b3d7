import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMakeRow } from './values.ts';

test('a row has the columns under their names, however many rows came before it', () => {
  const columns = ['a', 'b c', 'd"e', 'constructor'];
  const makeRow = createMakeRow(columns);
  for (let count = 0; count < 200; count++) {
    const row = makeRow([count, 'text', null, 'last']);
    assert.deepEqual(row, { a: count, 'b c': 'text', 'd"e': null, constructor: 'last' });
    assert.deepEqual(Object.keys(row), columns);
  }
});
