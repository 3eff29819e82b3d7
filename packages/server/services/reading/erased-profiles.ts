import type { ClientEventRow } from '@portico/storage/stores/events/timeline.ts';
import type { ReadingContext } from './context.ts';
import { redactedRow } from './redacted-row.ts';
import { asSeen, type RoomViewer } from './visibility.ts';

/**
 * A room's state as it once was, for one reader. What erased people said there of themselves, their names and pictures, is for
 * those who were there when they said it, as in the timeline. What else they set, the room's name for instance, is the room's.
 */
export async function withoutErasedProfiles(
  { db, erasedSenders, visibility }: Pick<ReadingContext, 'db' | 'erasedSenders' | 'visibility'>,
  viewer: RoomViewer,
  rows: readonly ClientEventRow[],
): Promise<readonly ClientEventRow[]> {
  const profiles = rows.filter(isOwnMembership);
  const erased = await erasedSenders.among(profiles.map(({ sender }) => sender));
  if (erased.size === 0) return rows;
  const ofErased = profiles.filter(({ sender }) => erased.has(sender));
  const sights = await visibility.judge(viewer, ofErased);
  const shown = new Map<number, ClientEventRow>();
  for (const row of ofErased) {
    shown.set(row.event_nid, asSeen(row, sights.get(row.event_nid)) ?? (await redactedRow(db, row)));
  }
  return rows.map((row) => shown.get(row.event_nid) ?? row);
}

function isOwnMembership({ type, sender, state_key: stateKey }: ClientEventRow): boolean {
  return type === 'm.room.member' && sender === stateKey;
}
