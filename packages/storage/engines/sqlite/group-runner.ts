import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { SqlValue } from '../../sql.ts';
import type { Failpoints } from '../failpoints.ts';
import { wholeFailure } from './failure.ts';
import { anyRows, returningRows } from './protocol.ts';
import type { Definition, EncodedSet, FromWriter, SetFailure } from './protocol.ts';
import { toInput, toRow } from './values.ts';

type Known = {
  readonly statement: StatementSync;
  readonly columns: readonly string[];
  readonly positions: readonly number[];
};

export type GroupRunner = {
  readonly define: (definitions: readonly Definition[]) => void;
  readonly run: (sets: readonly EncodedSet[]) => FromWriter;
  readonly position: () => number;
};

const allHeld = -1;

/**
 * Running a statement also gives the connection's last row ID, and fails where that is no safe integer unless it may be a
 * bigint: after the statement has done its work. The full-text index gives its own rows IDs beyond 2^53.
 */
function prepareCommand(db: DatabaseSync, text: string): StatementSync {
  const statement = db.prepare(text);
  statement.setReadBigInts(true);
  return statement;
}

export function createGroupRunner(db: DatabaseSync, failpoints: Failpoints | undefined): GroupRunner {
  const defined: Definition[] = [];
  const known: (Known | undefined)[] = [];
  const begin = prepareCommand(db, 'begin immediate');
  const commit = prepareCommand(db, 'commit');
  const rollback = prepareCommand(db, 'rollback');
  const savepoint = prepareCommand(db, 'savepoint one_set');
  const release = prepareCommand(db, 'release one_set');
  const rollbackTo = prepareCommand(db, 'rollback to one_set');
  const advance = prepareCommand(db, 'update position_counter set position = ?1 where id = 1');
  const counter = db.prepare('select position from position_counter where id = 1').get();
  let position = Number(counter?.['position']);

  const prepare = (id: number): Known => {
    const [, text, positions] = defined[id] as Definition;
    const statement = db.prepare(text);
    statement.setReturnArrays(true);
    if (statement.columns().length === 0) statement.setReadBigInts(true);
    const prepared = { statement, columns: statement.columns().map(({ name }) => name), positions };
    known[id] = prepared;
    return prepared;
  };

  /** Runs the writes of a set, whose first position is `base` + 1. Answers which write's guard did not hold. */
  const runSet = (set: EncodedSet, base: number, returned: unknown[][]): number => {
    const writes = set[1] as number;
    let at = 2;
    for (let write = 0; write < writes; write++) {
      const { statement, columns, positions } = known[set[at] as number] ?? prepare(set[at] as number);
      const expect = set[at + 1] as number;
      const start = at + 3;
      at = start + (set[at + 2] as number);
      const params = [];
      for (let index = start; index < at; index++) params.push(toInput(set[index] as SqlValue));
      for (const index of positions) params[index] = BigInt(base + 1 + (set[start + index] as number));
      if (expect === returningRows) {
        const rows = statement.all(...params) as unknown as (readonly never[])[];
        returned.push(rows.map((row) => toRow(columns, row)));
      } else {
        const { changes } = statement.run(...params);
        if (expect !== anyRows && Number(changes) !== expect) return write;
      }
    }
    return allHeld;
  };

  /** Runs all sets and answers the position after them, or `undefined` as soon as one set's guard does not hold. */
  const runAll = (sets: readonly EncodedSet[], returned: unknown[][]): number | undefined => {
    let next = position;
    for (const set of sets) {
      if (runSet(set, next, returned) !== allHeld) return undefined;
      next += set[0] as number;
      failpoints?.pass('mid-group');
    }
    return next;
  };

  const failureOf = (set: EncodedSet, index: number, base: number, returned: unknown[][]): SetFailure | undefined => {
    try {
      const write = runSet(set, base, returned);
      return write === allHeld ? undefined : { set: index, write, error: undefined };
    } catch (error) {
      if (wholeFailure(error, false) !== undefined) throw error;
      return { set: index, write: -1, error };
    }
  };

  /** One by one, each in a savepoint: whoever fails takes nobody else along, and there is still one sync to disk. */
  const runEach = (sets: readonly EncodedSet[], returned: unknown[][], failures: SetFailure[]): number => {
    let next = position;
    sets.forEach((set, index) => {
      const before = returned.length;
      savepoint.run();
      const failure = failureOf(set, index, next, returned);
      if (failure === undefined) {
        next += set[0] as number;
      } else {
        rollbackTo.run();
        returned.length = before;
        failures.push(failure);
      }
      release.run();
    });
    return next;
  };

  const undo = () => {
    // A full disk or an I/O error may have rolled back already. https://www.sqlite.org/lang_transaction.html
    if (db.isTransaction) rollback.run();
  };

  /** The group as one, where everything in it holds. */
  const attempt = (sets: readonly EncodedSet[], returned: unknown[][]): number | undefined => {
    begin.run();
    try {
      const next = runAll(sets, returned);
      if (next === undefined) undo();
      return next;
    } catch (error) {
      undo();
      if (wholeFailure(error, false) !== undefined) throw error;
      return undefined;
    }
  };

  const run = (sets: readonly EncodedSet[]): FromWriter => {
    const started = performance.now();
    const failures: SetFailure[] = [];
    let returned: unknown[][] = [];
    let committing = false;
    try {
      let next = attempt(sets, returned);
      if (next === undefined) {
        returned = [];
        begin.run();
        next = runEach(sets, returned, failures);
      }
      if (next !== position) advance.run(BigInt(next));
      failpoints?.pass('before-commit');
      committing = true;
      commit.run();
      failpoints?.pass('after-commit-before-ack');
      const base = position;
      position = next;
      return [
        'committed',
        base,
        performance.now() - started,
        failures.length > 0 ? failures : undefined,
        returned.length > 0 ? returned : undefined,
      ];
    } catch (error) {
      undo();
      return ['failed', { reason: wholeFailure(error, committing) ?? 'unavailable', error }];
    }
  };

  return {
    define(definitions) {
      for (const definition of definitions) defined[definition[0]] = definition;
    },
    run,
    position: () => position,
  };
}
