import type { ClientEventRow } from '@portico/storage/stores/events/timeline.ts';
import type { ReadingContext } from './context.ts';
import { redactedRow } from './redacted-row.ts';
import { asSeen, type RoomViewer } from './visibility.ts';

/**
 * A room's state as it once was, for one reader. What it says of erased people, their names and pictures, is for those who were
 * there when it was said, as in the timeline. What else they set, the room's name for instance, is the room's.
 */
export async function withoutErasedProfiles(
  { db, erasedSenders, visibility }: Pick<ReadingContext, 'db' | 'erasedSenders' | 'visibility'>,
  viewer: RoomViewer,
  rows: readonly ClientEventRow[],
): Promise<readonly ClientEventRow[]> {
  const profiles = rows.filter(isMembership);
  const erased = await erasedSenders.among(profiles.map(({ state_key: userId }) => userId));
  if (erased.size === 0) return rows;
  const ofErased = profiles.filter(({ state_key: userId }) => erased.has(userId));
  const sights = await visibility.judge(viewer, ofErased);
  const shown = new Map<number, ClientEventRow>();
  for (const row of ofErased) {
    shown.set(row.event_nid, asSeen(row, sights.get(row.event_nid)) ?? (await redactedRow(db, row)));
  }
  return rows.map((row) => shown.get(row.event_nid) ?? row);
}

function isMembership(row: ClientEventRow): row is ClientEventRow & { readonly state_key: string } {
  return row.type === 'm.room.member' && row.state_key !== null;
}
