import { readStrippedStates } from '@portico/storage/stores/sync-read.ts';
import type { UserRoom } from './online-index.ts';
import type { SyncContext, SyncPass } from './pass.ts';

/** Rooms that the user is invited to, as far as they are to know, or knocks at; as JSON members. */
export async function readPendingRooms(
  { db, inviteRules }: SyncContext,
  rooms: readonly UserRoom[],
  field: 'invite_state' | 'knock_state',
  { userId }: Pick<SyncPass, 'userId'>,
): Promise<readonly string[]> {
  if (rooms.length === 0) return [];
  const rows = await readStrippedStates(
    db,
    userId,
    rooms.map((room) => room.nid),
  );
  const states = new Map(rows.map((row) => [row.room_nid, row]));
  const inviters = field === 'invite_state' ? rows.map((row) => row.sender) : [];
  const hidden = await inviteRules.hiddenOf(userId, inviters);
  const texts: string[] = [];
  for (const { nid, id } of rooms) {
    const state = states.get(nid);
    if (state === undefined || hidden.has(state.sender)) continue;
    texts.push(`${JSON.stringify(id)}:{"${field}":{"events":${state.events}}}`);
  }
  return texts;
}
