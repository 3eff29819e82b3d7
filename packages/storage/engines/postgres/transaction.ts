import type pg from 'pg';
import type { CommittedChanges, Write, WriteParam, WriteSet } from '../../database.ts';
import { StorageError } from '../../errors.ts';
import type { Sql, SqlValue } from '../../sql.ts';
import { advanceOf } from '../settle.ts';
import { BatchError, runBatch } from './batch.ts';
import type { Step, StepResult } from './batch.ts';
import { encodeEntries } from './change-tail.ts';
import { wholeFailure } from './failure.ts';

/** What became of one set; `end` is the position after it. */
export type Outcome =
  | { readonly kind: 'written'; readonly end: number; readonly returned: readonly (readonly unknown[])[] }
  | { readonly kind: 'failed'; readonly error: unknown };

/** A transaction that is ready to be committed, but is not. */
export type Prepared = { readonly base: number; readonly end: number; readonly outcomes: readonly Outcome[] };

const plain = (name: string, text: string): Step => ({
  statement: { name: `group.${name}`, text },
  params: [],
  rows: false,
});

const begin = plain('begin', 'begin');
const commit = plain('commit', 'commit');
const rollback = plain('rollback', 'rollback');
const savepoint = plain('savepoint', 'savepoint one_set');
const release = plain('release', 'release one_set');
const rollbackTo = plain('rollback_to', 'rollback to one_set');

const advance: Sql<unknown, never> = {
  name: 'group.advance',
  text: 'update position_counter set position = position + $1 where id = 1 returning position',
};
const insertChanges: Sql<unknown, never> = {
  name: 'group.changes',
  text: 'insert into changes (position, entries) values (position($1), $2)',
};

const advanceBy = (count: number): Step => ({ statement: advance, params: [count], rows: true });
const changesStep = (entries: string): Step => ({ statement: insertChanges, params: [0, entries], rows: false });
const positionOf = (result: StepResult | undefined): number => Number(result?.rows[0]?.['position'] ?? 0);

/** `left` is how many positions of the transaction come after this set's first one. */
function stepOf({ statement, params, returning }: Write, left: number): Step {
  const resolve = (value: WriteParam): SqlValue =>
    typeof value === 'object' && value !== null && 'position' in value ? left - value.position : value;
  return { statement, params: params.map(resolve), rows: returning };
}

/** The first write of a set whose guard does not hold by the results that begin at `from`. */
function missedGuard(set: WriteSet, results: readonly StepResult[], from: number): Write | undefined {
  return set.writes.find(({ expect }, index) => expect !== undefined && results[from + index]?.count !== expect);
}

function guardFailed({ guard }: Write): StorageError {
  return new StorageError('guard-failed', `The guard ${guard} did not hold`, guard === undefined ? {} : { guard });
}

function returnedBy(set: WriteSet, results: readonly StepResult[], from: number): (readonly unknown[])[] {
  const returned: (readonly unknown[])[] = [];
  set.writes.forEach(({ returning }, index) => {
    if (returning) returned.push(results[from + index]?.rows ?? []);
  });
  return returned;
}

const isSetFailure = (error: unknown): error is BatchError =>
  error instanceof BatchError && wholeFailure(error.cause) === undefined;

/**
 * The whole group in one round trip; `undefined`, and rolled back, where a set in it fails. It has the counter before anything
 * else, also where it takes no position: groups of several processes that wrote the same rows in different orders would otherwise
 * wait for each other for good.
 */
async function prepareTogether(client: pg.Client, sets: readonly WriteSet[]): Promise<Prepared | undefined> {
  const total = sets.reduce((sum, set) => sum + advanceOf(set), 0);
  const steps: Step[] = [begin, advanceBy(total)];
  const starts: number[] = [];
  const batch: CommittedChanges[] = [];
  let before = 0;
  for (const set of sets) {
    starts.push(steps.length);
    for (const write of set.writes) steps.push(stepOf(write, total - before - 1));
    before += advanceOf(set);
    if (set.changes.length > 0) batch.push({ position: before, changes: set.changes });
  }
  if (batch.length > 0) steps.push(changesStep(encodeEntries(batch, total)));

  let results: readonly StepResult[];
  try {
    results = await runBatch(client, steps);
  } catch (error) {
    if (!isSetFailure(error)) throw error;
    await runBatch(client, [rollback]);
    return undefined;
  }
  if (sets.some((set, index) => missedGuard(set, results, starts[index] as number) !== undefined)) {
    await runBatch(client, [rollback]);
    return undefined;
  }
  const end = positionOf(results[1]);
  let position = end - total;
  const outcomes = sets.map((set, index): Outcome => {
    position += advanceOf(set);
    return { kind: 'written', end: position, returned: returnedBy(set, results, starts[index] as number) };
  });
  return { base: end - total, end, outcomes };
}

/** Begins a transaction from which on nobody else can commit, and answers the position it starts from. */
export async function beginAlone(client: pg.Client): Promise<number> {
  const [, counter] = await runBatch(client, [begin, advanceBy(0)]);
  return positionOf(counter);
}

/** One by one, each in a savepoint of the transaction begun: whoever fails takes nobody else along. */
export async function prepareEach(client: pg.Client, base: number, sets: readonly WriteSet[]): Promise<Prepared> {
  const outcomes: Outcome[] = [];
  const batch: CommittedChanges[] = [];
  let end = base;
  let closing: Step | undefined;
  for (const set of sets) {
    const steps = closing === undefined ? [savepoint] : [closing, savepoint];
    const start = steps.length + 1;
    const positions = advanceOf(set);
    steps.push(advanceBy(positions), ...set.writes.map((write) => stepOf(write, positions - 1)));
    try {
      const results = await runBatch(client, steps);
      const missed = missedGuard(set, results, start);
      closing = missed === undefined ? release : rollbackTo;
      if (missed === undefined) {
        end += positions;
        outcomes.push({ kind: 'written', end, returned: returnedBy(set, results, start) });
        if (set.changes.length > 0) batch.push({ position: end, changes: set.changes });
      } else {
        outcomes.push({ kind: 'failed', error: guardFailed(missed) });
      }
    } catch (error) {
      if (!isSetFailure(error)) throw error;
      closing = rollbackTo;
      outcomes.push({ kind: 'failed', error: error.cause });
    }
  }
  const last = closing === undefined ? [] : [closing];
  if (batch.length > 0) last.push(changesStep(encodeEntries(batch, end)));
  await runBatch(client, last);
  return { base, end, outcomes };
}

/** Runs the sets up to, and not including, the commit. */
export async function prepareGroup(client: pg.Client, sets: readonly WriteSet[]): Promise<Prepared> {
  return (await prepareTogether(client, sets)) ?? prepareEach(client, await beginAlone(client), sets);
}

export async function commitGroup(client: pg.Client): Promise<void> {
  const [result] = await runBatch(client, [commit]);
  // The answer to committing a transaction that has failed is a rollback without an error.
  if (result?.tag !== 'COMMIT') throw new Error('PostgreSQL rolled the transaction back');
}

export async function rollbackGroup(client: pg.Client): Promise<void> {
  await runBatch(client, [rollback]);
}
