import type { Reader } from '../../database.ts';
import { sql } from '../../sql.ts';

const selectHosts = sql<{ host: string }, [roomNids: string, own: string]>(
  'presence-audience.hosts',
  `select distinct host from joined_hosts
   where room_nid in (select cast(value as bigint) from json_each(cast($1 as text))) and joined > 0 and host <> $2`,
);

/** Other servers in any of these rooms. */
export async function readRemoteHosts(reader: Reader, roomNids: readonly number[], own: string): Promise<string[]> {
  if (roomNids.length === 0) return [];
  return (await reader.all(selectHosts, [JSON.stringify(roomNids), own])).map((row) => row.host);
}

export type RemoteMemberRow = { readonly user_id: string; readonly room_nid: number };

const selectMembers = sql<RemoteMemberRow, [roomNids: string, after: string, limit: number]>(
  'presence-audience.members',
  `with wanted as materialized (
     select cast(value as bigint) as room_nid from json_each(cast($1 as text))
   ), people as materialized (
     select distinct m.user_id from wanted w join memberships m on m.room_nid = w.room_nid
     where m.user_id > $2 and m.membership = 'join' and m.is_local = 0
     order by m.user_id limit $3
   )
   select m.user_id, m.room_nid from people p
   join wanted w on true
   join memberships m on m.room_nid = w.room_nid and m.user_id = p.user_id
   where m.membership = 'join' order by m.user_id`,
);

/** The next people of other servers in any of these rooms, with all of the rooms that they are in. */
export async function readRemoteMembers(
  reader: Reader,
  roomNids: readonly number[],
  after: string,
  limit: number,
): Promise<RemoteMemberRow[]> {
  return roomNids.length === 0 ? [] : reader.all(selectMembers, [JSON.stringify(roomNids), after, limit]);
}

const selectAmong = sql<{ user_id: string }, [userIds: string, roomNids: string]>(
  'presence-audience.among',
  `select distinct user_id from memberships
   where user_id in (select value from json_each(cast($1 as text))) and membership = 'join'
     and room_nid in (select cast(value as bigint) from json_each(cast($2 as text)))`,
);

/** Which of these people are in any of these rooms. */
export async function readIgnoredAmong(
  reader: Reader,
  roomNids: readonly number[],
  userIds: readonly string[],
): Promise<string[]> {
  const rows = await reader.all(selectAmong, [JSON.stringify(userIds), JSON.stringify(roomNids)]);
  return rows.map((row) => row.user_id);
}

const selectLocalMembers = sql<{ user_id: string }, [roomNids: string, after: string, limit: number]>(
  'presence-audience.local-members',
  `select distinct user_id from memberships
   where room_nid in (select cast(value as bigint) from json_each(cast($1 as text))) and user_id > $2
     and membership = 'join' and is_local = 1
   order by user_id limit $3`,
);

/** The next people of this server in any of these rooms. */
export async function readLocalMembers(
  reader: Reader,
  roomNids: readonly number[],
  after: string,
  limit: number,
): Promise<string[]> {
  const rows = await reader.all(selectLocalMembers, [JSON.stringify(roomNids), after, limit]);
  return rows.map((row) => row.user_id);
}

const selectMembersOfAll = sql<{ user_id: string }, [roomNids: string, after: string, limit: number]>(
  'presence-audience.everyone',
  `select distinct user_id from memberships
   where room_nid in (select cast(value as bigint) from json_each(cast($1 as text))) and user_id > $2
     and membership = 'join'
   order by user_id limit $3`,
);

/** The next people, of whichever server, in any of these rooms. */
export async function readEveryoneIn(
  reader: Reader,
  roomNids: readonly number[],
  after: string,
  limit: number,
): Promise<string[]> {
  const rows = await reader.all(selectMembersOfAll, [JSON.stringify(roomNids), after, limit]);
  return rows.map((row) => row.user_id);
}
