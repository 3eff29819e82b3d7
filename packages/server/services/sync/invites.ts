import { readStrippedStates } from '@portico/storage/stores/sync-read.ts';
import type { UserRoom } from './online-index.ts';
import type { SyncContext, SyncPass } from './pass.ts';

/** Rooms that the user is invited to or knocks at, as JSON members. */
export async function readPendingRooms(
  { db }: SyncContext,
  rooms: readonly UserRoom[],
  field: 'invite_state' | 'knock_state',
  { userId, ignored }: SyncPass,
): Promise<readonly string[]> {
  if (rooms.length === 0) return [];
  const rows = await readStrippedStates(
    db,
    userId,
    rooms.map((room) => room.nid),
  );
  const states = new Map(rows.map((row) => [row.room_nid, row]));
  const texts: string[] = [];
  for (const { nid, id } of rooms) {
    const state = states.get(nid);
    // "Servers must not send room invites from ignored users to clients."
    if (typeof state?.sender === 'string' && ignored.has(state.sender)) continue;
    texts.push(`${JSON.stringify(id)}:{"${field}":{"events":${state?.events ?? '[]'}}}`);
  }
  return texts;
}
