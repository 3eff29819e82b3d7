import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RoomEvent } from '@portico/protocol';
import { runSteps } from '@portico/protocol/steps.ts';
import { conflictsBetween, keysOfDifferences } from './find-conflicts.ts';

const event = (nid: number, type: string, stateKey: string) => {
  const about = { originServerTs: 0, depth: 1, prevEvents: [], authEvents: [], redacts: undefined, rejected: false };
  const made: RoomEvent = { eventId: `$${nid}`, roomId: '!r', type, stateKey, sender: '@a:a', content: {}, ...about };
  return [nid, { nid, event: made }] as const;
};
const events = new Map([
  event(1, 'name', ''),
  event(2, 'name', ''),
  event(3, 'member', '@a:a'),
  event(4, 'member', '@b:a'),
  event(5, 'name', 'x'),
]);

type Changes = readonly (readonly [before: number | undefined, after: number | undefined])[];

/** What each of the others has instead of what the first one has. */
const cases: readonly {
  readonly what: string;
  readonly others: readonly Changes[];
  readonly firsts: Readonly<Record<string, number>>;
  readonly conflicts: readonly string[];
  readonly sets: readonly (readonly number[])[];
  readonly differing: number;
}[] = [
  { what: 'nothing', others: [[], []], firsts: {}, conflicts: [], sets: [[], [], []], differing: 0 },
  {
    what: 'another entry',
    others: [[[1, 2]]],
    firsts: { 'name ': 1 },
    conflicts: ['name : $1 $2'],
    sets: [[1], [2]],
    differing: 0,
  },
  {
    what: 'an entry that is missing in one, and one that is missing in all but one',
    others: [[[3, undefined]], [[undefined, 4]], []],
    firsts: { 'member @a:a': 3 },
    conflicts: ['member @a:a: $3 or none', 'member @b:a: $4 or none'],
    sets: [[3], [], [3, 4], [3]],
    differing: 0,
  },
  {
    what: 'the same key of several types and several keys of the same type',
    others: [
      [[1, 2]],
      [[1, 2]],
      [[undefined, 5]],
      [
        [undefined, 5],
        [1, undefined],
      ],
    ],
    firsts: { 'name ': 1 },
    conflicts: ['name : $1 $2 or none', 'name x: $5 or none'],
    sets: [[1], [2], [2], [1, 5], [5]],
    differing: 2,
  },
];

for (const { what, others, firsts, conflicts, sets, differing } of cases) {
  test(`conflicts are found where states differ in ${what}`, () => {
    const differences = others.map((changes) => changes.map(([before, after]) => ({ before, after })));
    const keys = runSteps(keysOfDifferences(events, differences));
    const first = keys.pairs.map(([type, stateKey]) => firsts[`${type} ${stateKey}`]);
    const found = runSteps(conflictsBetween(events, keys, first, differences));
    assert.deepEqual(
      found.conflicts.map(
        ({ type, stateKey, eventIds, missingInSome }) =>
          `${type} ${stateKey}: ${eventIds.join(' ')}${missingInSome ? ' or none' : ''}`,
      ),
      conflicts,
    );
    assert.deepEqual(
      found.sets.map((set) => set.toSorted((a, b) => a - b)),
      sets,
    );
    assert.equal(found.differing, differing);
  });
}

test('many differences are looked at a few at a time', () => {
  const many = new Map(Array.from({ length: 5000 }, (_, nid) => event(nid, 'member', `@${nid}`)));
  const differences = [Array.from(many.keys(), (after) => ({ before: undefined, after }))];
  assert.ok([...keysOfDifferences(many, differences)].length >= 9);
  const keys = runSteps(keysOfDifferences(many, differences));
  const firsts = keys.pairs.map(() => undefined);
  assert.ok([...conflictsBetween(many, keys, firsts, differences)].length >= 18);
});
