import type { Reader } from '../../database.ts';
import { sql } from '../../sql.ts';

/** The last invitation of somebody to a room that they are not in. */
export type EndedInviteRow = {
  readonly room_nid: number;
  /** When it came. */
  readonly position: number;
  readonly inviter: string;
  /** Who made the membership what it is now. */
  readonly ended_by: string;
};

const selectEnded = sql<EndedInviteRow, [userId: string, roomNids: string]>(
  'membership-changes.ended-invites',
  `select m.room_nid, i.position, e.sender as inviter, l.sender as ended_by
   from memberships m
   join membership_changes i on i.user_id = m.user_id and i.room_nid = m.room_nid and i.position = (
     select max(position) from membership_changes
     where user_id = m.user_id and room_nid = m.room_nid and membership = 'invite'
   )
   join events e on e.event_nid = i.event_nid
   join events l on l.event_nid = m.event_nid
   where m.user_id = $1 and m.room_nid in (select cast(value as bigint) from json_each(cast($2 as text)))
     and i.membership = 'invite'`,
);

export async function readEndedInvites(
  reader: Reader,
  userId: string,
  roomNids: readonly number[],
): Promise<EndedInviteRow[]> {
  return roomNids.length === 0 ? [] : reader.all(selectEnded, [userId, JSON.stringify(roomNids)]);
}
