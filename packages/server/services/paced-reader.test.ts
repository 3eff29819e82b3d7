import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Reader, sql } from '@portico/storage';
import { pacedReader } from './paced-reader.ts';

test('others have their turn before each question', async () => {
  const done: string[] = [];
  const reader: Reader = {
    all: async ({ name }) => (done.push(name), []),
    get: async ({ name }) => void done.push(name),
  };
  const paced = pacedReader(reader, async () => void done.push('others'));
  await Promise.all([
    paced.all(sql('test.paced.all', 'select 1'), []),
    paced.get(sql('test.paced.get', 'select 1'), []),
  ]);
  assert.deepEqual(done, ['others', 'others', 'test.paced.all', 'test.paced.get']);
});
