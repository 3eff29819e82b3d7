import type { Reader, WriteSet } from '../../database.ts';
import { sql } from '../../sql.ts';
import { isWaiting } from '../devices/one-time-keys.ts';
import type { Range } from './app-service-log.ts';
import type { ReceiptRow } from '../sync/sync-read.ts';

export type AddressedToDevice = {
  readonly user_id: string;
  readonly device_id: string;
  readonly sender: string;
  readonly type: string;
  readonly content: string;
};

const selectReceivers = sql<{ user_id: string }, [after: number, upTo: number]>(
  'app-service-extras.to-device-users',
  'select distinct user_id from to_device_messages where position > $1 and position <= $2',
);

const selectToDevice = sql<AddressedToDevice, [after: number, upTo: number, userIds: string]>(
  'app-service-extras.to-device',
  `select user_id, device_id, sender, type, content from to_device_messages
   where position > $1 and position <= $2 and user_id in (select value from json_each(cast($3 as text)))
   order by position, seq`,
);

const deleteToDevice = sql<void, [after: number, upTo: number, userIds: string, all: number]>(
  'app-service-extras.delete-to-device',
  `delete from to_device_messages
   where position > $1 and position <= $2 and user_id in (select value from json_each(cast($3 as text)))
     and ($4 = 1 or not exists (
       select 1 from access_tokens t
       where t.user_id = to_device_messages.user_id and t.device_id = to_device_messages.device_id))`,
);

const selectReceipts = sql<ReceiptRow, [roomNids: string, after: number, upTo: number]>(
  'app-service-extras.receipts',
  `select r.room_nid, r.user_id, r.receipt_type, r.thread_id, r.event_id, r.ts from json_each(cast($1 as text)) w
   cross join receipts r
   where r.room_nid = cast(w.value as bigint) and r.position > $2 and r.position <= $3`,
);

const selectReadRooms = sql<{ room_nid: number }, [id: string, after: number, upTo: number]>(
  'app-service-extras.read-rooms',
  `select m.room_nid from (select distinct room_nid from app_service_members where service_id = $1) m
   where exists (
     select 1 from receipts r where r.room_nid = m.room_nid and r.position > $2 and r.position <= $3)`,
);

const selectRooms = sql<{ room_nid: number; room_id: string }, [roomNids: string]>(
  'app-service-extras.room-ids',
  `select room_nid, room_id from rooms
   where room_nid in (select cast(value as bigint) from json_each(cast($1 as text)))`,
);

const selectChangedLists = sql<{ user_id: string }, [id: string, after: number, upTo: number]>(
  'app-service-extras.device-lists',
  `select l.user_id from device_lists l
   where l.position > $2 and l.position <= $3 and exists (
     select 1 from memberships b cross join app_service_members a
     where b.user_id = l.user_id and b.membership = 'join' and a.service_id = $1 and a.room_nid = b.room_nid)`,
);

const selectMoved = sql<
  { user_id: string; membership: string; previous: string; shares: number },
  [id: string, after: number, upTo: number]
>(
  'app-service-extras.moved',
  `select c.user_id, c.membership, c.previous, case when exists (
     select 1 from memberships b cross join app_service_members a
     where b.user_id = c.user_id and b.membership = 'join' and a.service_id = $1 and a.room_nid = b.room_nid
   ) then 1 else 0 end as shares
   from membership_changes c
   where c.position > $2 and c.position <= $3 and (c.membership = 'join' or c.previous = 'join')
     and exists (select 1 from app_service_members s where s.service_id = $1 and s.room_nid = c.room_nid)`,
);

const selectKeyCounts = sql<
  { user_id: string; device_id: string; algorithm: string; waiting: number; unused: number },
  [userIds: string]
>(
  'app-service-extras.key-counts',
  `select o.user_id, o.device_id, o.algorithm, count(*) as waiting, cast(0 as bigint) as unused
   from json_each(cast($1 as text)) u
   cross join last_claimed_keys l cross join one_time_keys o
   where l.user_id = u.value and ${isWaiting()}
   group by o.user_id, o.device_id, o.algorithm
   union all
   select f.user_id, f.device_id, f.algorithm, cast(0 as bigint), 1 - f.used
   from json_each(cast($1 as text)) u
   cross join fallback_keys f where f.user_id = u.value`,
);

const selectKeyDevices = sql<{ user_id: string; device_id: string }, [userIds: string]>(
  'app-service-extras.key-devices',
  `select k.user_id, k.device_id from json_each(cast($1 as text)) u
   cross join device_keys k where k.user_id = u.value`,
);

/** Who was sent messages to their devices that nobody has fetched. */
export async function readToDeviceUsers(reader: Reader, { after, upTo }: Range): Promise<readonly string[]> {
  return (await reader.all(selectReceivers, [after, upTo])).map((row) => row.user_id);
}

export async function readAddressedToDevice(
  reader: Reader,
  { after, upTo }: Range,
  userIds: readonly string[],
): Promise<AddressedToDevice[]> {
  return userIds.length === 0 ? [] : reader.all(selectToDevice, [after, upTo, JSON.stringify(userIds)]);
}

/** Drops messages that have been delivered otherwise than by `/sync`; where not `all`, of devices that nobody is logged in on. */
export function dropToDeviceBetween(
  set: WriteSet,
  { after, upTo }: Range,
  userIds: readonly string[],
  all: boolean,
): void {
  if (userIds.length > 0) set.add(deleteToDevice, [after, upTo, JSON.stringify(userIds), all ? 1 : 0]);
}

export async function readReceiptsOf(
  reader: Reader,
  roomNids: readonly number[],
  { after, upTo }: Range,
): Promise<ReceiptRow[]> {
  return roomNids.length === 0 ? [] : reader.all(selectReceipts, [JSON.stringify(roomNids), after, upTo]);
}

/** The rooms of a service's users in which somebody has read something. */
export async function readRoomsWithReceipts(
  reader: Reader,
  id: string,
  { after, upTo }: Range,
): Promise<readonly number[]> {
  return (await reader.all(selectReadRooms, [id, after, upTo])).map((row) => row.room_nid);
}

export async function readRoomIds(reader: Reader, roomNids: readonly number[]): Promise<ReadonlyMap<number, string>> {
  if (roomNids.length === 0) return new Map();
  const rows = await reader.all(selectRooms, [JSON.stringify(roomNids)]);
  return new Map(rows.map((row) => [row.room_nid, row.room_id]));
}

/** Whose devices or keys have changed, of those who share a room with any user of a service. */
export async function readListsForAppService(
  reader: Reader,
  id: string,
  { after, upTo }: Range,
): Promise<readonly string[]> {
  return (await reader.all(selectChangedLists, [id, after, upTo])).map((row) => row.user_id);
}

/** Who has come to a room of a service's users or gone from it, and whether they share any of them now. */
export function readMovesForAppService(reader: Reader, id: string, { after, upTo }: Range) {
  return reader.all(selectMoved, [id, after, upTo]);
}

/** How many keys the devices of some users have left. */
export function readKeyCountsOf(reader: Reader, userIds: readonly string[]) {
  return reader.all(selectKeyCounts, [JSON.stringify(userIds)]);
}

/** The devices of some users that have keys. */
export function readKeyDevicesOf(reader: Reader, userIds: readonly string[]) {
  return reader.all(selectKeyDevices, [JSON.stringify(userIds)]);
}
