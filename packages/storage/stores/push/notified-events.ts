import type { Reader } from '../../database.ts';
import { sql } from '../../sql.ts';

export type CandidateRow = {
  readonly event_nid: number;
  readonly room_nid: number;
  readonly room_id: string;
  readonly room_order: number;
  readonly joined_count: number;
  readonly thread_nid: number | null;
  readonly is_read: number;
};

const selectCandidates = sql<CandidateRow, [userId: string, fromOrder: number, beforeOrder: number, limit: number]>(
  'notified-events.candidates',
  `select e.event_nid, e.room_nid, r.room_id, e.room_order, r.joined_count, e.thread_nid,
     case when e.thread_nid is null and e.ordinal <= main.ordinal then 1
       when e.thread_nid is not null and (e.room_order <= main.threads_order or e.ordinal <= thread.ordinal) then 1
       else 0 end as is_read
   from memberships k
   join rooms r on r.room_nid = k.room_nid and r.last_position >= $2 / 1048576
   join events e on e.room_nid = k.room_nid and e.room_order >= $2 and e.room_order < $3
   left join read_markers main on main.user_id = k.user_id and main.room_nid = k.room_nid and main.thread_nid = 0
   left join read_markers thread on thread.user_id = k.user_id and thread.room_nid = k.room_nid
     and thread.thread_nid = e.thread_nid
   where k.user_id = $1 and k.membership = 'join' and e.sender <> $1 and e.redacted_by is null and e.status = 0
   order by e.room_order desc, e.event_nid desc limit $4`,
);

/** What others did in a stretch of all the rooms that somebody is in, the newest first. */
export function readCandidates(
  reader: Reader,
  userId: string,
  stretch: { readonly from: number; readonly before: number; readonly limit: number },
): Promise<CandidateRow[]> {
  return reader.all(selectCandidates, [userId, stretch.from, stretch.before, stretch.limit]);
}

const selectInvites = sql<CandidateRow, [userId: string, fromOrder: number, beforeOrder: number]>(
  'notified-events.invites',
  `select c.event_nid, c.room_nid, r.room_id, c.position * 1048576 as room_order, 0 as joined_count,
     cast(null as bigint) as thread_nid, case k.membership when 'join' then 1 else 0 end as is_read
   from membership_changes c
   join memberships k on k.room_nid = c.room_nid and k.user_id = c.user_id
   join rooms r on r.room_nid = c.room_nid
   join events e on e.event_nid = c.event_nid
   where c.user_id = $1 and c.position * 1048576 >= $2 and c.position * 1048576 < $3
     and c.position >= $2 / 1048576 and c.position <= $3 / 1048576
     and c.membership = 'invite' and e.sender <> $1 and e.redacted_by is null
     and case k.membership when 'invite' then c.event_nid = k.event_nid when 'join' then c.previous <> 'invite' end
   order by c.position desc`,
);

/** The invitations in such a stretch that somebody has, or has taken: they have a place although the room was not theirs. */
export function readInvitesToTell(
  reader: Reader,
  userId: string,
  stretch: { readonly from: number; readonly before: number },
): Promise<CandidateRow[]> {
  return reader.all(selectInvites, [userId, stretch.from, stretch.before]);
}

const selectJoins = sql<{ room_nid: number; position: number }, [userId: string]>(
  'notified-events.joins',
  `select room_nid, max(position) as position from membership_changes
   where user_id = $1 and membership = 'join' and previous <> 'join' group by room_nid`,
);

/** At which position somebody last joined each room. */
export async function readJoinPositions(reader: Reader, userId: string): Promise<ReadonlyMap<number, number>> {
  const rows = await reader.all(selectJoins, [userId]);
  return new Map(rows.map(({ room_nid: roomNid, position }) => [roomNid, position]));
}

const selectMembers = sql<{ room_nid: number; content: string }, [userId: string, roomNids: string]>(
  'notified-events.own-members',
  `select m.room_nid, e.content from json_each(cast($2 as text)) r cross join memberships m
   join events e on e.event_nid = m.event_nid
   where m.room_nid = cast(r.value as bigint) and m.user_id = $1`,
);

/** The contents of somebody's member events in some rooms, as JSON texts. */
export async function readOwnMembers(
  reader: Reader,
  userId: string,
  roomNids: readonly number[],
): Promise<ReadonlyMap<number, string>> {
  const rows = await reader.all(selectMembers, [userId, JSON.stringify(roomNids)]);
  return new Map(rows.map(({ room_nid: roomNid, content }) => [roomNid, content]));
}
