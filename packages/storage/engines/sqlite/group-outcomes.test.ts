import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { WriteSet } from '../../database.ts';
import { StorageError } from '../../errors.ts';
import { sql } from '../../sql.ts';
import { createWriteSet } from '../../write-set.ts';
import { groupOutcomes } from './group-outcomes.ts';
import type { SetFailure } from './protocol.ts';

const statement = sql<{ n: number }>('group-outcomes.test', 'select 1 as n');

type Wanted = { readonly positions?: number; readonly changes?: number; readonly returning?: number };

function setOf({ positions = 0, changes = 0, returning = 0 }: Wanted): WriteSet {
  const set = createWriteSet();
  for (let each = 0; each < positions; each++) set.takePosition();
  for (let each = 0; each < changes; each++) set.change('room', each);
  for (let each = 0; each < returning; each++) set.returning(statement, []);
  return set;
}

type Case = {
  readonly what: string;
  readonly sets: readonly Wanted[];
  readonly failures?: readonly SetFailure[];
  readonly returned?: readonly (readonly unknown[])[];
  readonly position: number;
  /** Of each set that was committed; the text of the error of one that was not. */
  readonly positions: readonly (readonly number[] | string)[];
  readonly batch?: readonly number[];
  readonly rows?: readonly (readonly (readonly unknown[])[])[];
};

const defect = new Error('a defect');

const cases: readonly Case[] = [
  { what: 'nothing moves the counter', sets: [{}, {}], position: 10, positions: [[], []] },
  {
    what: 'positions follow one another',
    sets: [{ positions: 2 }, { positions: 1 }],
    position: 13,
    positions: [[11, 12], [13]],
  },
  {
    what: 'changes alone take a position of their own',
    sets: [{ changes: 2 }, { positions: 1, changes: 1 }],
    position: 12,
    positions: [[], [12]],
    batch: [11, 12],
  },
  {
    what: 'a set that failed takes no position, and its changes are not told',
    sets: [{ positions: 1 }, { positions: 3, changes: 1 }, { positions: 1, changes: 1 }],
    failures: [{ set: 1, write: -1, error: defect }],
    position: 12,
    positions: [[11], 'a defect', [12]],
    batch: [12],
  },
  {
    what: 'rows go to the sets that asked for them, and none are kept for one that failed',
    sets: [{ returning: 1 }, { returning: 2 }, {}, { returning: 1 }],
    failures: [{ set: 0, write: -1, error: defect }],
    returned: [['a'], ['b'], ['c']],
    position: 10,
    positions: ['a defect', [], [], []],
    rows: [[['a'], ['b']], [], [['c']]],
  },
];

suite('what becomes of the sets of a group:', () => {
  for (const { what, sets, failures = [], returned = [], position, positions, batch = [], rows } of cases) {
    test(what, () => {
      const result = groupOutcomes(sets.map(setOf), { base: 10, failures, returned });
      assert.equal(result.position, position);
      assert.deepEqual(
        result.batch.map((each) => each.position),
        batch,
      );
      const told = result.outcomes.map((outcome) =>
        outcome.kind === 'committed' ? outcome.committed.positions : (outcome.error as Error).message,
      );
      assert.deepEqual(told, positions);
      const given = result.outcomes.flatMap((outcome) =>
        outcome.kind === 'committed' ? [outcome.committed.returned] : [],
      );
      if (rows !== undefined) assert.deepEqual(given, rows);
    });
  }

  test('a guard that does not hold is named', () => {
    const set = createWriteSet();
    set.guard('room.head', 1, statement, []);
    const { outcomes } = groupOutcomes([set], {
      base: 0,
      failures: [{ set: 0, write: 0, error: undefined }],
      returned: [],
    });
    const [outcome] = outcomes;
    assert.ok(outcome?.kind === 'failed' && outcome.error instanceof StorageError);
    const { reason, guard } = outcome.error;
    assert.deepEqual({ reason, guard }, { reason: 'guard-failed', guard: 'room.head' });
  });
});
