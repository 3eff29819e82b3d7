import type { ClientEventRow } from '@portico/storage/stores/events/timeline.ts';
import { readRedactions } from '../reading/event-reader.ts';
import { endOfPosition } from '../reading/tokens.ts';
import type { SyncContext } from '../sync/pass.ts';
import type { SharedBatch } from '../sync/batches.ts';
import type { JoinedWish } from './plan.ts';

/** Whether an event that the client has as part of the state may have been redacted since. */
export function mayHaveRedactions({ before }: JoinedWish, batch: SharedBatch | undefined): boolean {
  if (before === undefined || batch === undefined) return false;
  return batch.timeline.limited || batch.timeline.rows.some((row) => row.type === 'm.room.redaction');
}

/**
 * Of the state of rooms that a client has, what was redacted since: it is still the same event, but no longer what the
 * client was told.
 */
export async function readRedactedState(
  { db }: SyncContext,
  wishes: readonly JoinedWish[],
  states: ReadonlyMap<number, readonly ClientEventRow[]>,
): Promise<ReadonlyMap<number, readonly ClientEventRow[]>> {
  const rooms = wishes.map(({ wanted: { room }, from }) => ({
    nid: room.nid,
    end: endOfPosition(from),
    rows: (states.get(room.nid) ?? []).filter((row) => row.redacted_by !== null),
  }));
  const redactions = await readRedactions(
    db,
    rooms.flatMap(({ rows }) => rows),
  );
  const isNew = (row: ClientEventRow, end: number) => (redactions.get(row.redacted_by ?? 0)?.room_order ?? -1) > end;
  return new Map(rooms.map(({ nid, end, rows }) => [nid, rows.filter((row) => isNew(row, end))]));
}
