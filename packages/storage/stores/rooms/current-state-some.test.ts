import assert from 'node:assert/strict';
import { onBothEngines } from '@portico/testkit';
import { threadTime } from '@portico/testkit/thread-time.ts';
import * as fc from 'fast-check';
import { createWriteSet } from '../../index.ts';
import { setCurrentState } from './current-state-write.ts';
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

onBothEngines('a few entries of a large room cost as little as those of a small one', async (database) => {
  const members = 8000;
  const set = createWriteSet();
  for (const type of ['m.room.create', 'm.room.join_rules', 'm.room.power_levels'])
    setCurrentState(set, 1, type, '', 1);
  for (let member = 0; member < members; member++) setCurrentState(set, 1, 'm.room.member', `@${member}:a`, member);
  await database.commit(set);
  const asked = [
    ['m.room.create', ''],
    ['m.room.join_rules', ''],
    ['m.room.power_levels', ''],
    ['m.room.member', '@1:a'],
    ['m.room.member', '@nobody:a'],
  ] as const;
  const started = threadTime();
  for (let time = 0; time < 50; time++) assert.equal((await readStateNids(database, 1, asked)).length, 4);
  const took = threadTime() - started;
  // Going through all of the room each time would take ten times as long.
  assert.ok(took < 100, `${took} ms`);
});

function isNew(stored: readonly (readonly [string, string])[]) {
  return ([type, key]: readonly [string, string]) => !stored.some(([t, k]) => t === type && k === key);
}
