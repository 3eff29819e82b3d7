import type { Reader, WriteSet } from '../../database.ts';
import { sql } from '../../sql.ts';
import type { PublicKeyRow } from './device-keys.ts';

/** Whether this server hears of changes of somebody's keys, and whether what it keeps of them is all there is. */
export type RemoteListRow = {
  readonly user_id: string;
  /** Whether they share a room with somebody here. */
  readonly shared: number;
  readonly cached: number;
  /** Whether anything is kept of them, be it old. */
  readonly known: number;
  /** Whether there was news that is not in it, and that those who share a room were told of. */
  readonly stale: number;
  readonly stream_id: number | null;
  /** When there was news last. */
  readonly news_position: number;
};

/*
 * What was asked for before somebody came into the rooms that are shared now may lack what happened in between. A change of
 * their profile counts as coming, too, which costs another request and nothing else.
 */
const selectLists = sql<RemoteListRow, [users: string, own: string]>(
  'remote-device-lists.get',
  `select u.value as user_id, l.stream_id, case when l.user_id is null then 0 else 1 end as known,
     coalesce(l.stale, 0) as stale,
     coalesce((select d.position from device_lists d where d.user_id = u.value), 0) as news_position,
     case when exists (
       select 1 from memberships m
       join joined_hosts h on h.room_nid = m.room_nid and h.host = $2 and h.joined > 0
       where m.user_id = u.value and m.membership = 'join') then 1 else 0 end as shared,
     case when l.stale = 0 and exists (
       select 1 from memberships m
       join joined_hosts h on h.room_nid = m.room_nid and h.host = $2 and h.joined > 0
         and h.since_position <= l.position
       where m.user_id = u.value and m.membership = 'join' and m.position <= l.position) then 1 else 0 end as cached
   from json_each(cast($1 as text)) u
   left join remote_device_lists l on l.user_id = u.value`,
);

export function readRemoteLists(reader: Reader, users: readonly string[], own: string): Promise<RemoteListRow[]> {
  return users.length === 0 ? Promise.resolve([]) : reader.all(selectLists, [JSON.stringify(users), own]);
}

/* Nothing is kept if there was news since the other server was asked, or if no room is shared any more. */
const upsertList = sql<void, [userId: string, streamId: number | null, position: number, own: string]>(
  'remote-device-lists.set',
  `insert into remote_device_lists (user_id, stream_id, position, stale)
   select cast($1 as text), cast($2 as bigint), cast($3 as bigint), 0
   where not exists (select 1 from device_lists d where d.user_id = $1 and d.position > $3)
     and exists (
       select 1 from memberships m
       join joined_hosts h on h.room_nid = m.room_nid and h.host = $4 and h.joined > 0
       where m.user_id = $1 and m.membership = 'join')
   on conflict (user_id) do update set stream_id = excluded.stream_id, position = excluded.position, stale = 0`,
);
const deleteDevices = sql<void, [userId: string]>(
  'remote-device-lists.delete-devices',
  'delete from device_keys where user_id = $1',
);
const deleteCrossSigning = sql<void, [userId: string]>(
  'remote-device-lists.delete-cross-signing',
  'delete from cross_signing_keys where user_id = $1',
);
const insertDevices = sql<void, [userId: string, devices: string]>(
  'remote-device-lists.add-devices',
  `insert into device_keys (user_id, device_id, keys, display_name)
   select cast($1 as text), d.value ->> 0, d.value ->> 1, d.value ->> 2 from json_each(cast($2 as text)) d where true
   on conflict (user_id, device_id) do update set keys = excluded.keys, display_name = excluded.display_name`,
);
const insertCrossSigning = sql<void, [userId: string, keys: string]>(
  'remote-device-lists.add-cross-signing',
  `insert into cross_signing_keys (user_id, usage, key)
   select cast($1 as text), k.value ->> 0, k.value ->> 1 from json_each(cast($2 as text)) k where true
   on conflict (user_id, usage) do update set key = excluded.key`,
);

/** What another server has said of one of its people. */
export type RemoteList = {
  readonly userId: string;
  readonly streamId: number | undefined;
  readonly keys: readonly PublicKeyRow[];
};

/** Keeps a list. Fails on the guard `remote-list.outdated` if it may be old already, or is of no use. */
export function setRemoteList(
  set: WriteSet,
  { userId, streamId, keys }: RemoteList,
  position: number,
  own: string,
): void {
  set.guard('remote-list.outdated', 1, upsertList, [userId, streamId ?? null, position, own]);
  set.add(deleteDevices, [userId]);
  set.add(deleteCrossSigning, [userId]);
  addRemoteKeys(set, userId, keys);
}

/** Adds or replaces some of the keys of a list. */
export function addRemoteKeys(set: WriteSet, userId: string, keys: readonly PublicKeyRow[]): void {
  const devices = keys.filter(({ kind }) => kind === 'device');
  const others = keys.filter(({ kind }) => kind !== 'device');
  if (devices.length > 0) {
    const packed = devices.map((row) => [row.id, row.keys, row.display_name]);
    set.add(insertDevices, [userId, JSON.stringify(packed)]);
  }
  if (others.length > 0) {
    set.add(insertCrossSigning, [userId, JSON.stringify(others.map((row) => [row.kind, row.keys]))]);
  }
}

const moveStream = sql<void, [userId: string, from: number | null, to: number]>(
  'remote-device-lists.move',
  `update remote_device_lists set stream_id = $3
   where user_id = $1 and stale = 0 and coalesce(stream_id, -1) = coalesce(cast($2 as bigint), -1)`,
);
const markStale = sql<void, [userId: string]>(
  'remote-device-lists.mark-stale',
  'update remote_device_lists set stale = 1 where user_id = $1',
);

/** Fails on the guard `remote-list.moved` if another update was faster. */
export function moveRemoteStream(set: WriteSet, userId: string, from: number | null, to: number): void {
  set.guard('remote-list.moved', 1, moveStream, [userId, from, to]);
}

/** Has the other server asked again when somebody wants to know. */
export function markRemoteListStale(set: WriteSet, userId: string): void {
  set.add(markStale, [userId]);
}

const deleteDevice = sql<void, [userId: string, deviceId: string]>(
  'remote-device-lists.delete-device',
  'delete from device_keys where user_id = $1 and device_id = $2',
);
const renameDevice = sql<void, [userId: string, deviceId: string, name: string | null]>(
  'remote-device-lists.rename-device',
  'update device_keys set display_name = $3 where user_id = $1 and device_id = $2',
);

export function dropRemoteDevice(set: WriteSet, userId: string, deviceId: string): void {
  set.add(deleteDevice, [userId, deviceId]);
}

export function renameRemoteDevice(set: WriteSet, userId: string, deviceId: string, name: string | null): void {
  set.add(renameDevice, [userId, deviceId, name]);
}

const countDevices = sql<{ count: number }, [userId: string]>(
  'remote-device-lists.count-devices',
  'select count(*) as count from device_keys where user_id = $1',
);

export async function countRemoteDevices(reader: Reader, userId: string): Promise<number> {
  return (await reader.get(countDevices, [userId]))?.count ?? 0;
}

const selectKept = sql<{ user_id: string }, [users: string, roomNids: string]>(
  'remote-device-lists.of-rooms',
  `select l.user_id from json_each(cast($1 as text)) u
   join remote_device_lists l on l.user_id = u.value
   union
   select l.user_id from json_each(cast($2 as text)) r
   join memberships m on m.room_nid = cast(r.value as bigint) and m.membership = 'join'
   join remote_device_lists l on l.user_id = m.user_id`,
);

/** Those whose keys are kept: of these people, and of those in these rooms. */
export async function readKeptLists(
  reader: Reader,
  users: readonly string[],
  roomNids: readonly number[],
): Promise<readonly string[]> {
  const rows = await reader.all(selectKept, [JSON.stringify(users), JSON.stringify(roomNids)]);
  return rows.map((row) => row.user_id);
}

const deleteLists = sql<void, [users: string, own: string]>(
  'remote-device-lists.forget',
  `delete from remote_device_lists
   where user_id in (select value from json_each(cast($1 as text))) and not exists (
     select 1 from memberships m
     join joined_hosts h on h.room_nid = m.room_nid and h.host = $2 and h.joined > 0
     where m.user_id = remote_device_lists.user_id and m.membership = 'join')`,
);
const deleteForgottenDevices = sql<void, [users: string]>(
  'remote-device-lists.forget-devices',
  `delete from device_keys where user_id in (select value from json_each(cast($1 as text)))
   and not exists (select 1 from remote_device_lists l where l.user_id = device_keys.user_id)`,
);
const deleteForgottenKeys = sql<void, [users: string]>(
  'remote-device-lists.forget-cross-signing',
  `delete from cross_signing_keys where user_id in (select value from json_each(cast($1 as text)))
   and not exists (select 1 from remote_device_lists l where l.user_id = cross_signing_keys.user_id)`,
);

/** Forgets the keys of those people of other servers who share no room with anybody here. */
export function forgetRemoteLists(set: WriteSet, users: readonly string[], own: string): void {
  if (users.length === 0) return;
  const list = JSON.stringify(users);
  set.add(deleteLists, [list, own]);
  set.add(deleteForgottenDevices, [list]);
  set.add(deleteForgottenKeys, [list]);
}
