import assert from 'node:assert/strict';
import { test } from 'node:test';
import { groupFiles } from './test-groups.ts';

const statements = 'packages/storage/statements.test.ts';
const numbered = (count: number) => Array.from({ length: count }, (_, index) => `packages/${index}.test.ts`);

test('every test file runs once, in the order of its neighbours', () => {
  for (const count of [0, 1, 12, 13, 100]) assert.deepEqual(groupFiles(numbered(count)).flat(), numbered(count));
});

test('a file that looks at all of its process has one to itself', () => {
  const [before, after] = [numbered(5), ['scripts/a.test.ts']];
  assert.deepEqual(groupFiles([...before, statements, ...after]), [[...before, ...after], [statements]]);
});
