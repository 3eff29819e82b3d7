import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { errorTable } from './table.ts';

test('the table has every reason of the files in reasons/, each from one of them', async () => {
  const folder = join(import.meta.dirname, 'reasons');
  const files = await readdir(folder);
  const modules = await Promise.all(files.map((file) => import(join(folder, file)) as Promise<object>));
  const reasons = modules.flatMap((exported) => Object.values(exported).flatMap(Object.keys));
  assert.deepEqual(reasons.toSorted(), Object.keys(errorTable).toSorted());
});
