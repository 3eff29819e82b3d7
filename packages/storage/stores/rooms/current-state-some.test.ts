import assert from 'node:assert/strict';
import { onBothEngines } from '@portico/testkit';
import * as fc from 'fast-check';
import { createWriteSet } from '../../index.ts';
import { setCurrentState } from '../events/events-write.ts';
import { readStateNids } from './current-state-some.ts';

const character = fc.oneof(
  fc.constantFrom('\0', '\uFDD0', '0', '\\u0000', 'é', '😀', '"'),
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 3 }),
);
const text = fc.array(character, { maxLength: 6 }).map((parts) => parts.join(''));
const entries = fc.uniqueArray(fc.tuple(text, text), { minLength: 1, maxLength: 6, selector: String });

onBothEngines('entries of any type and key are found, and no others', async (database) => {
  let room = 0;
  await fc.assert(
    fc.asyncProperty(entries, entries, async (stored, asked) => {
      room++;
      const set = createWriteSet();
      for (const [index, [type, key]] of stored.entries()) setCurrentState(set, room, type, key, index);
      await database.commit(set);
      const found = await readStateNids(database, room, [...stored.slice(1), ...asked.filter(isNew(stored))]);
      assert.deepEqual(
        found.toSorted((a, b) => a.event_nid - b.event_nid),
        stored.map(([type, state_key], event_nid) => ({ type, state_key, event_nid })).slice(1),
      );
    }),
    { numRuns: 150 },
  );
});

function isNew(stored: readonly (readonly [string, string])[]) {
  return ([type, key]: readonly [string, string]) => !stored.some(([t, k]) => t === type && k === key);
}
