import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { createHeap } from './heap.ts';

test('a heap gives in order what it was given in any', () => {
  fc.assert(
    fc.property(fc.array(fc.integer()), fc.array(fc.integer()), (first, second) => {
      const heap = createHeap<number>((a, b) => a < b);
      for (const item of first) heap.push(item);
      const smallest = heap.pop();
      for (const item of second) heap.push(item);
      const rest: number[] = [];
      for (let item = heap.pop(); item !== undefined; item = heap.pop()) rest.push(item);
      const sorted = first.toSorted((a, b) => a - b);
      assert.equal(smallest, sorted[0]);
      assert.deepEqual(
        rest,
        [...sorted.slice(1), ...second].toSorted((a, b) => a - b),
      );
    }),
  );
});
