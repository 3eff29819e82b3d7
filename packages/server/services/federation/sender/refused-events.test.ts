import assert from 'node:assert/strict';
import { test } from 'node:test';
import { refusedEvents } from './refused-events.ts';

for (const [what, pdus, expected] of [
  ['nothing', undefined, []],
  ['no object', 'pdus', []],
  ['events that were taken', { $a: {}, $b: { error: null } }, []],
  ['an event that was refused', { $a: { error: 'No' }, $b: {} }, [['$a', 'No']]],
  ['results that are none', { $a: null, $b: 5, $c: { error: 5 } }, []],
  ['a long reason', { $a: { error: 'x'.repeat(1000) } }, [['$a', 'x'.repeat(500)]]],
  ['a long name', { ['x'.repeat(1000)]: { error: 'No' } }, [['x'.repeat(255), 'No']]],
  [
    'more events than were sent',
    { $a: { error: '1' }, $b: { error: '2' }, $c: { error: '3' } },
    [
      ['$a', '1'],
      ['$b', '2'],
    ],
  ],
] as const) {
  test(`an answer with ${what}`, () => {
    assert.deepEqual(refusedEvents(pdus, 2), expected);
  });
}
