import { readStrippedStates } from '@portico/storage/stores/sync/sync-read.ts';
import { withoutInviterProfile } from './erased-inviters.ts';
import type { UserRoom } from './online-index.ts';
import type { SyncContext, SyncPass } from './pass.ts';

/** Of rooms that the user is invited to, as far as they are to know, or knocks at: JSON arrays of stripped state. */
export async function readShownPending(
  { db, inviteRules, erasedSenders }: Pick<SyncContext, 'db' | 'inviteRules' | 'erasedSenders'>,
  rooms: readonly Pick<UserRoom, 'nid' | 'membership'>[],
  { userId }: Pick<SyncPass, 'userId'>,
): Promise<ReadonlyMap<number, string>> {
  if (rooms.length === 0) return new Map();
  const rows = await readStrippedStates(
    db,
    userId,
    rooms.map((room) => room.nid),
  );
  const invites = new Set(rooms.filter((room) => room.membership === 'invite').map((room) => room.nid));
  const inviters = rows.filter((row) => invites.has(row.room_nid)).map((row) => row.sender);
  const hidden = await inviteRules.hiddenOf(userId, inviters);
  const shown = rows.filter((row) => !invites.has(row.room_nid) || !hidden.has(row.sender));
  const erased = await erasedSenders.among(shown.map((row) => row.sender));
  return new Map(
    shown.map(({ room_nid: nid, sender, events }) => [
      nid,
      erased.has(sender) ? withoutInviterProfile(events, sender) : events,
    ]),
  );
}

/** The same rooms as JSON members. */
export async function readPendingRooms(
  context: SyncContext,
  rooms: readonly UserRoom[],
  field: 'invite_state' | 'knock_state',
  pass: Pick<SyncPass, 'userId'>,
): Promise<readonly string[]> {
  const shown = await readShownPending(context, rooms, pass);
  const texts: string[] = [];
  for (const { nid, id } of rooms) {
    const events = shown.get(nid);
    if (events !== undefined) texts.push(`${JSON.stringify(id)}:{"${field}":{"events":${events}}}`);
  }
  return texts;
}
