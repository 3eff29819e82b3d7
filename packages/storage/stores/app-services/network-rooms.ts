import type { Reader, WriteSet } from '../../database.ts';
import { sql } from '../../sql.ts';

/** A network of an application service, which has a directory of its own. */
export type NetworkKey = { readonly serviceId: string; readonly networkId: string };

const insertRoom = sql<void, [serviceId: string, networkId: string, roomNid: number]>(
  'network-rooms.insert',
  'insert into network_rooms (service_id, network_id, room_nid) values ($1, $2, $3) on conflict do nothing',
);
const deleteRoom = sql<void, [serviceId: string, networkId: string, roomNid: number]>(
  'network-rooms.delete',
  'delete from network_rooms where service_id = $1 and network_id = $2 and room_nid = $3',
);
const selectLargest = sql<{ room_nid: number }, [serviceId: string, networkId: string, limit: number]>(
  'network-rooms.largest',
  `select n.room_nid from network_rooms n join rooms r on r.room_nid = n.room_nid
   where n.service_id = $1 and n.network_id = $2 order by r.joined_count desc, n.room_nid limit $3`,
);
const selectAmong = sql<{ room_nid: number }, [serviceId: string, networkId: string, roomNids: string]>(
  'network-rooms.among',
  `select room_nid from network_rooms
   where service_id = $1 and network_id = $2
     and room_nid in (select cast(value as bigint) from json_each(cast($3 as text)))`,
);

/** The kind of change that says that a room came into the directory of a network, or left it; its key is the room's number. */
export const networkRoomChange = 'network_room';

export function setNetworkRoom(set: WriteSet, key: NetworkKey, roomNid: number, isListed: boolean): void {
  set.add(isListed ? insertRoom : deleteRoom, [key.serviceId, key.networkId, roomNid]);
  set.change(networkRoomChange, roomNid);
}

export async function readNetworkRooms(reader: Reader, key: NetworkKey, limit: number): Promise<number[]> {
  return (await reader.all(selectLargest, [key.serviceId, key.networkId, limit])).map((row) => row.room_nid);
}

export async function findNetworkRooms(
  reader: Reader,
  key: NetworkKey,
  roomNids: readonly number[],
): Promise<ReadonlySet<number>> {
  if (roomNids.length === 0) return new Set();
  const rows = await reader.all(selectAmong, [key.serviceId, key.networkId, JSON.stringify(roomNids)]);
  return new Set(rows.map((row) => row.room_nid));
}

const selectAnywhere = sql<{ room_nid: number }, [limit: number]>(
  'network-rooms.largest-anywhere',
  `select r.room_nid from (select room_nid from published_rooms union select room_nid from network_rooms) l
   join rooms r on r.room_nid = l.room_nid order by r.joined_count desc, r.room_nid limit $1`,
);
const selectAmongAll = sql<{ room_nid: number }, [roomNids: string]>(
  'network-rooms.among-all',
  `select cast(w.value as bigint) as room_nid from json_each(cast($1 as text)) w
   where exists (select 1 from published_rooms p where p.room_nid = cast(w.value as bigint))
     or exists (select 1 from network_rooms n where n.room_nid = cast(w.value as bigint))`,
);

/** Rooms that are listed in any directory of this server, those with the most members first. */
export async function readListedAnywhere(reader: Reader, limit: number): Promise<number[]> {
  return (await reader.all(selectAnywhere, [limit])).map((row) => row.room_nid);
}

export async function findListedAnywhere(reader: Reader, roomNids: readonly number[]): Promise<ReadonlySet<number>> {
  if (roomNids.length === 0) return new Set();
  return new Set((await reader.all(selectAmongAll, [JSON.stringify(roomNids)])).map((row) => row.room_nid));
}
