import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Recipients } from '@portico/protocol/privacy/presence/recipients.ts';
import {
  beginEnd,
  finishEnd,
  isKnownRow,
  isNothingTold,
  newToldRecord,
  noteForgotten,
  recipientsOf,
  rowsOf,
  takeBack,
} from './told-record.ts';

const listed = (...recipients: string[]): Recipients => ({ kind: 'listed', recipients });

/** A record of these, stored. */
function told(...rows: string[]) {
  const record = newToldRecord();
  record.rows = new Set(rows);
  return record;
}

function end(record: ReturnType<typeof told>, recipients: Recipients | 'all'): number {
  for (const steps = beginEnd(record, recipients); ;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}

suite('recipients are rows and back:', () => {
  const cases: readonly (readonly [recipients: Recipients, rows: readonly string[]])[] = [
    [{ kind: 'nobody' }, []],
    [{ kind: 'everyone' }, ['']],
    [listed('@a:x', '@b*:x'), ['@a:x', '@b*:x']],
  ];
  for (const [recipients, rows] of cases) {
    test(recipients.kind, () => {
      assert.deepEqual([...rowsOf(recipients)], rows);
      assert.deepEqual(recipientsOf([new Set(rows)]), rows.length === 0 ? [] : [recipients]);
    });
  }
});

test('what is over for some is over for them alone, once that has arrived', () => {
  const record = told('a', 'b', 'c');
  const first = end(record, listed('a', 'nobody'));
  assert.deepEqual([...record.rows], ['b', 'c']);
  assert.equal(isKnownRow(record, 'a'), true, 'as long as it is under way');
  assert.deepEqual([...finishEnd(record, first)], ['a']);
  assert.equal(isKnownRow(record, 'a'), false);
  assert.equal(isNothingTold(record), false);
});

test('who is told again meanwhile is not over when the word of before arrives', () => {
  const record = told('a', 'b');
  const first = end(record, listed('a', 'b'));
  assert.equal(takeBack(record, 'a'), true);
  assert.equal(takeBack(record, 'a'), false);
  assert.deepEqual([...finishEnd(record, first)], ['b']);
});

test('that all is over takes the place of what said so before, and of what nobody takes back', () => {
  const record = told('a');
  const first = end(record, 'all');
  record.rows.add('b');
  noteForgotten(record, 'c');
  const second = end(record, 'all');
  assert.deepEqual([...finishEnd(record, first)], []);
  assert.deepEqual([...finishEnd(record, second)].toSorted(), ['a', 'b', 'c']);
  assert.equal(isNothingTold(record), true);
});

test('a forgotten row is no known one: it is still to be taken back', () => {
  const record = told();
  noteForgotten(record, 'a');
  assert.deepEqual([isKnownRow(record, 'a'), isNothingTold(record)], [false, false]);
});
