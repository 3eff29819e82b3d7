import type { Reader, WriteSet } from '../../database.ts';
import { sql } from '../../sql.ts';

/** An invitation of somebody, or a knock of theirs, of those that followed each other before it was over. */
export type EndedRequestRow = {
  readonly room_nid: number;
  readonly position: number;
  readonly membership: 'invite' | 'knock';
  readonly sender: string;
  /** 1 if they could see it by rules that they have changed since. */
  readonly was_shown: number;
  /** Who made the membership what it is now. */
  readonly ended_by: string;
};

const ofMember = (row: string) => `user_id = ${row}.user_id and room_nid = ${row}.room_nid`;

const selectEnded = sql<EndedRequestRow, [userId: string, roomNids: string]>(
  'membership-changes.ended-requests',
  `with ended as materialized (
     select m.user_id, m.room_nid, e.sender as ended_by, (
       select max(position) from membership_changes where ${ofMember('m')} and membership in ('invite', 'knock')
     ) as last
     from memberships m join events e on e.event_nid = m.event_nid
     where m.user_id = $1 and m.room_nid in (select cast(value as bigint) from json_each(cast($2 as text)))
       and m.membership in ('leave', 'ban')
   )
   select c.room_nid, c.position, c.membership, e.sender, c.was_shown, ended.ended_by
   from ended
   join membership_changes c on c.user_id = ended.user_id and c.room_nid = ended.room_nid and c.position <= ended.last
     and c.membership in ('invite', 'knock') and c.position > coalesce((
       select max(position) from membership_changes
       where ${ofMember('ended')} and position < ended.last and membership not in ('invite', 'knock')
     ), -1)
   join events e on e.event_nid = c.event_nid
   where not exists (select 1 from membership_changes where ${ofMember('ended')} and position > ended.last and membership = 'join')`,
);

/** What people were to rooms that they are not in, last before that was over, if they were invited to them or knocked. */
export async function readEndedRequests(
  reader: Reader,
  userId: string,
  roomNids: readonly number[],
): Promise<EndedRequestRow[]> {
  return roomNids.length === 0 ? [] : reader.all(selectEnded, [userId, JSON.stringify(roomNids)]);
}

export type UnnotedInviteRow = { readonly room_nid: number; readonly position: number; readonly inviter: string };

const selectUnnoted = sql<UnnotedInviteRow, [userId: string, since: number, limit: number]>(
  'membership-changes.unnoted-invites',
  `select c.room_nid, c.position, e.sender as inviter
   from membership_changes c
   join memberships m on m.room_nid = c.room_nid and m.user_id = c.user_id
   join events e on e.event_nid = c.event_nid
   where c.user_id = $1 and c.membership = 'invite' and c.was_shown = 0 and (m.membership = 'invite' or m.position > $2)
   order by c.position desc limit $3`,
);

/** Invitations of somebody that are pending, or were over after a position: the newest of those not noted as shown. */
export function readUnnotedInvites(
  reader: Reader,
  userId: string,
  since: number,
  limit: number,
): Promise<UnnotedInviteRow[]> {
  return reader.all(selectUnnoted, [userId, since, limit]);
}

const updateShown = sql<void, [userId: string, places: string]>(
  'membership-changes.note-shown',
  `update membership_changes set was_shown = 1
   where user_id = $1 and membership = 'invite' and was_shown = 0 and (room_nid, position) in (
     select cast(value ->> 0 as bigint), cast(value ->> 1 as bigint) from json_each(cast($2 as text)))`,
);

/** Notes which invitations somebody can see by the rules that they are about to change. */
export function noteShownInvites(
  set: WriteSet,
  userId: string,
  invites: readonly { readonly room_nid: number; readonly position: number }[],
): void {
  if (invites.length === 0) return;
  set.add(updateShown, [userId, JSON.stringify(invites.map(({ room_nid: nid, position }) => [nid, position]))]);
}
