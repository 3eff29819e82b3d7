import type { Reader } from '../../database.ts';
import { sql } from '../../sql.ts';

const selectLargest = sql<{ room_nid: number }, [limit: number]>(
  'published-rooms.largest',
  `select p.room_nid from published_rooms p join rooms r on r.room_nid = p.room_nid
   order by r.joined_count desc, p.room_nid limit $1`,
);

const selectPublished = sql<{ room_nid: number }, [roomNids: string]>(
  'published-rooms.of-list',
  `select room_nid from published_rooms
   where room_nid in (select cast(value as bigint) from json_each(cast($1 as text)))`,
);

const selectPublishedIds = sql<{ room_id: string }, [roomIds: string]>(
  'published-rooms.of-ids',
  `select r.room_id from rooms r join published_rooms p on p.room_nid = r.room_nid
   where r.room_id in (select value from json_each(cast($1 as text)))`,
);

/** Those of some rooms that are published, by ID. */
export async function readPublishedIds(reader: Reader, roomIds: readonly string[]): Promise<ReadonlySet<string>> {
  if (roomIds.length === 0) return new Set();
  return new Set((await reader.all(selectPublishedIds, [JSON.stringify(roomIds)])).map((row) => row.room_id));
}

/** The published rooms with the most members. */
export async function readPublishedRooms(reader: Reader, limit: number): Promise<number[]> {
  return (await reader.all(selectLargest, [limit])).map((row) => row.room_nid);
}

/** Those of some rooms that are published. */
export async function findPublished(reader: Reader, roomNids: readonly number[]): Promise<ReadonlySet<number>> {
  if (roomNids.length === 0) return new Set();
  const rows = await reader.all(selectPublished, [JSON.stringify(roomNids)]);
  return new Set(rows.map((row) => row.room_nid));
}
