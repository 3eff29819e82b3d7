import type { Reader } from '../../database.ts';
import { sql } from '../../sql.ts';

const selectBans = sql<
  { user_id: string; room_order: number; content: string },
  [roomNid: number, afterOrder: number, limit: number]
>(
  'memberships.bans',
  `select m.user_id, m.room_order, e.content from memberships m join events e on e.event_nid = m.event_nid
   where m.room_nid = $1 and m.membership = 'ban' and m.room_order > $2 order by m.room_order limit $3`,
);

const selectLocalMember = sql<{ user_id: string }, [roomNid: number]>(
  'memberships.some-local-member',
  `select user_id from memberships
   where room_nid = $1 and membership = 'join' and is_local = 1 order by room_order limit 1`,
);

const selectLocalJoined = sql<{ user_id: string }, [roomNid: number, userIds: string]>(
  'memberships.joined-of-list',
  `select user_id from memberships
   where room_nid = $1 and user_id in (select value from json_each(cast($2 as text)))
     and membership = 'join' and is_local = 1`,
);

/** People banned from a room, with the content of the events that did it, page by page. */
export function readBans(
  reader: Reader,
  roomNid: number,
  after: number,
  limit: number,
): Promise<{ user_id: string; room_order: number; content: string }[]> {
  return reader.all(selectBans, [roomNid, after, limit]);
}

/** The longest-standing member of a room who is of this server. */
export async function findLocalMember(reader: Reader, roomNid: number): Promise<string | undefined> {
  return (await reader.get(selectLocalMember, [roomNid]))?.user_id;
}

/** Those of some people who are of this server and joined to a room. */
export async function findLocalJoined(
  reader: Reader,
  roomNid: number,
  userIds: readonly string[],
): Promise<ReadonlySet<string>> {
  if (userIds.length === 0) return new Set();
  const rows = await reader.all(selectLocalJoined, [roomNid, JSON.stringify(userIds)]);
  return new Set(rows.map((row) => row.user_id));
}
