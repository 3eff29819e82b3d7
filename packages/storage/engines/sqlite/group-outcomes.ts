import type { Committed, CommittedChanges, WriteSet } from '../../database.ts';
import { StorageError } from '../../errors.ts';
import { advanceOf, positionsFrom, returningCount } from '../settle.ts';
import type { SetFailure } from './protocol.ts';

export type Outcome =
  | { readonly kind: 'committed'; readonly committed: Committed }
  | { readonly kind: 'failed'; readonly error: unknown };

export type GroupOutcomes = {
  /** Where the group ended. */
  readonly position: number;
  readonly batch: readonly CommittedChanges[];
  /** One for each set. */
  readonly outcomes: readonly Outcome[];
};

type Committing = {
  /** The position before the first one of the group. */
  readonly base: number;
  readonly failures: readonly SetFailure[];
  /** Of all sets, one for each write whose rows are handed back. */
  readonly returned: readonly (readonly unknown[])[];
};

/** What has become of each set of a group that was committed: positions follow one another, and those that failed took none. */
export function groupOutcomes(sets: readonly WriteSet[], { base, failures, returned }: Committing): GroupOutcomes {
  const failed = new Map(failures.map((failure) => [failure.set, failure]));
  const batch: CommittedChanges[] = [];
  let position = base;
  let row = 0;
  const outcomes = sets.map((set, index): Outcome => {
    const failure = failed.get(index);
    if (failure !== undefined) return { kind: 'failed', error: failureOf(set, failure) };
    const rows = row + returningCount(set);
    const committed = { positions: positionsFrom(position, set), returned: returned.slice(row, rows) };
    row = rows;
    position += advanceOf(set);
    if (set.changes.length > 0) batch.push({ position, changes: set.changes });
    return { kind: 'committed', committed };
  });
  return { position, batch, outcomes };
}

function failureOf(set: WriteSet, { write, error }: SetFailure): unknown {
  if (write < 0) return error;
  const guard = set.writes[write]?.guard;
  return new StorageError('guard-failed', `The guard ${guard} did not hold`, guard === undefined ? {} : { guard });
}
