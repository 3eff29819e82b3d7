import type { Reader, WriteSet } from '../../database.ts';
import { sql } from '../../sql.ts';
import type { Lease } from './app-services.ts';

export type RoomMember = { readonly room_nid: number; readonly user_id: string };

const selectCounts = sql<{ room_nid: number; members: number }, [id: string, roomNids: string]>(
  'app-service-members.counts',
  `select room_nid, count(*) as members from app_service_members
   where service_id = $1 and room_nid in (select cast(value as bigint) from json_each(cast($2 as text)))
   group by room_nid`,
);

const selectSome = sql<RoomMember, [id: string, pairs: string]>(
  'app-service-members.some',
  `select m.room_nid, m.user_id from json_each(cast($2 as text)) p
   cross join app_service_members m
   where m.service_id = $1 and m.room_nid = cast(p.value ->> 0 as bigint) and m.user_id = p.value ->> 1`,
);

const insertMembers = sql<void, [id: string, pairs: string]>(
  'app-service-members.add',
  `insert into app_service_members (service_id, room_nid, user_id)
   select cast($1 as text), cast(p.value ->> 0 as bigint), p.value ->> 1 from json_each(cast($2 as text)) p
   where true
   on conflict do nothing`,
);

const deleteMembers = sql<void, [id: string, pairs: string]>(
  'app-service-members.remove',
  `delete from app_service_members where service_id = $1 and (room_nid, user_id) in (
     select cast(p.value ->> 0 as bigint), p.value ->> 1 from json_each(cast($2 as text)) p)`,
);

const deleteAll = sql<void, [id: string]>(
  'app-service-members.clear',
  'delete from app_service_members where service_id = $1',
);

const setNamespaces = sql<void, [id: string, namespaces: string, owner: string, leaseUntil: number, now: number]>(
  'app-services.namespaces',
  `update app_services set user_namespaces = $2, owner = $3, lease_until = $4
   where service_id = $1 and (owner = $3 or lease_until <= $5)`,
);

const selectAccounts = sql<{ user_id: string }, [after: string, limit: number]>(
  'app-service-members.accounts',
  'select user_id from accounts where user_id > $1 order by user_id limit $2',
);

const selectJoined = sql<RoomMember, [userIds: string]>(
  'app-service-members.joined',
  `select m.room_nid, m.user_id from json_each(cast($1 as text)) u
   cross join memberships m
   where m.user_id = u.value and m.membership = 'join'`,
);

const pack = (members: readonly RoomMember[]): string =>
  JSON.stringify(members.map(({ room_nid: roomNid, user_id: userId }) => [roomNid, userId]));

/** How many of the users in whom a service is interested are in each of some rooms; rooms without any are left out. */
export async function countAppServiceMembers(
  reader: Reader,
  id: string,
  roomNids: readonly number[],
): Promise<ReadonlyMap<number, number>> {
  if (roomNids.length === 0) return new Map();
  const rows = await reader.all(selectCounts, [id, JSON.stringify(roomNids)]);
  return new Map(rows.map((row) => [row.room_nid, row.members]));
}

/** Those of some members that are known. */
export async function findAppServiceMembers(
  reader: Reader,
  id: string,
  members: readonly RoomMember[],
): Promise<readonly RoomMember[]> {
  return members.length === 0 ? [] : reader.all(selectSome, [id, pack(members)]);
}

export function changeAppServiceMembers(
  set: WriteSet,
  id: string,
  { joined, left }: { readonly joined: readonly RoomMember[]; readonly left: readonly RoomMember[] },
): void {
  if (joined.length > 0) set.add(insertMembers, [id, pack(joined)]);
  if (left.length > 0) set.add(deleteMembers, [id, pack(left)]);
}

export function clearAppServiceMembers(set: WriteSet, id: string): void {
  set.add(deleteAll, [id]);
}

/** Notes with which namespaces the members were found. Fails on the guard `app-service.claimed`. */
export function setAppServiceNamespaces(set: WriteSet, id: string, namespaces: string, lease: Lease): void {
  set.guard('app-service.claimed', 1, setNamespaces, [id, namespaces, lease.owner, lease.until, lease.now]);
}

/** The users of this server, page by page. */
export async function readAccounts(reader: Reader, after: string, limit: number): Promise<readonly string[]> {
  return (await reader.all(selectAccounts, [after, limit])).map((row) => row.user_id);
}

export function readJoinedRooms(reader: Reader, userIds: readonly string[]): Promise<RoomMember[]> {
  return reader.all(selectJoined, [JSON.stringify(userIds)]);
}
