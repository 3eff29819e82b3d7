import type { Reader } from '../../database.ts';
import { sql } from '../../sql.ts';

export type StrippedStateRow = {
  readonly room_nid: number;
  /** A JSON array of stripped state events. */
  readonly events: string;
  /** Who sent the invite or knock. */
  readonly sender: string;
};

export type ReceiptRow = {
  readonly room_nid: number;
  readonly user_id: string;
  readonly receipt_type: string;
  readonly thread_id: string;
  readonly event_id: string;
  readonly ts: number;
};

const selectStripped = sql<StrippedStateRow, [userId: string, roomNids: string]>(
  'stripped-states.of-user',
  `select m.room_nid, coalesce(s.events, '[]') as events, e.sender from memberships m
   join events e on e.event_nid = m.event_nid
   left join stripped_states s on s.room_nid = m.room_nid and s.user_id = m.user_id
   where m.user_id = $1 and m.room_nid in (select cast(value as bigint) from json_each(cast($2 as text)))`,
);

const selectReceipts = sql<ReceiptRow, [roomNids: string, afterPosition: number, upToPosition: number]>(
  'receipts.of-rooms',
  `select room_nid, user_id, receipt_type, thread_id, event_id, ts from receipts
   where room_nid in (select cast(value as bigint) from json_each(cast($1 as text)))
     and position > $2 and position <= $3`,
);

const selectRoomsReadBy = sql<{ room_nid: number }, [userId: string, roomNids: string, after: number, upTo: number]>(
  'receipts.rooms-read-by',
  `select distinct room_nid from receipts
   where user_id = $1 and room_nid in (select cast(value as bigint) from json_each(cast($2 as text)))
     and position > $3 and position <= $4`,
);

/** The rooms in which somebody moved a receipt of their own between two positions. */
export async function readRoomsReadBy(
  reader: Reader,
  userId: string,
  roomNids: readonly number[],
  range: { readonly after: number; readonly upTo: number },
): Promise<number[]> {
  if (roomNids.length === 0) return [];
  const rows = await reader.all(selectRoomsReadBy, [userId, JSON.stringify(roomNids), range.after, range.upTo]);
  return rows.map((row) => row.room_nid);
}

/** What somebody was told about the rooms that they were invited to or knocked at. */
export async function readStrippedStates(
  reader: Reader,
  userId: string,
  roomNids: readonly number[],
): Promise<StrippedStateRow[]> {
  return roomNids.length === 0 ? [] : reader.all(selectStripped, [userId, JSON.stringify(roomNids)]);
}

/** Receipts that were set or moved between two positions. */
export async function readReceipts(
  reader: Reader,
  roomNids: readonly number[],
  range: { readonly after: number; readonly upTo: number },
): Promise<ReceiptRow[]> {
  if (roomNids.length === 0) return [];
  return reader.all(selectReceipts, [JSON.stringify(roomNids), range.after, range.upTo]);
}
