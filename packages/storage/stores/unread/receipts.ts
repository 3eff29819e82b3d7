import type { PositionParam, Reader, WriteSet } from '../../database.ts';
import { sql } from '../../sql.ts';
import type { ReceiptRow } from '../sync/sync-read.ts';

/** An event that a receipt names. */
export type ReceiptTargetRow = {
  readonly event_nid: number;
  /** Null on events that are not part of the timeline. */
  readonly room_order: number | null;
  readonly thread_nid: number | null;
  readonly content: string;
};

const selectTarget = sql<ReceiptTargetRow, [eventId: string, roomNid: number]>(
  'receipts.target',
  'select event_nid, room_order, thread_nid, content from events where event_id = $1 and room_nid = $2',
);

export function findReceiptTarget(
  reader: Reader,
  roomNid: number,
  eventId: string,
): Promise<ReceiptTargetRow | undefined> {
  return reader.get(selectTarget, [eventId, roomNid]);
}

/** A receipt: for the same person, type and thread there is one. */
export type Receipt = {
  readonly roomNid: number;
  readonly userId: string;
  readonly type: string;
  /** '' is unthreaded, 'main' the room outside threads, else the thread's root. */
  readonly threadId: string;
};

const selectOrder = sql<
  { event_order: number },
  [roomNid: number, userId: string, receiptType: string, threadId: string]
>(
  'receipts.order',
  `select event_order from receipts
   where room_nid = $1 and user_id = $2 and receipt_type = $3 and thread_id = $4`,
);

/** The place in the room's order that a receipt has reached. */
export async function findReceiptOrder(reader: Reader, receipt: Receipt): Promise<number | undefined> {
  const { roomNid, userId, type, threadId } = receipt;
  return (await reader.get(selectOrder, [roomNid, userId, type, threadId]))?.event_order;
}

const upsertReceipt = sql<
  void,
  [
    roomNid: number,
    userId: string,
    receiptType: string,
    threadId: string,
    eventId: string,
    eventOrder: number,
    ts: number,
    position: PositionParam,
  ]
>(
  'receipts.set',
  `insert into receipts (room_nid, user_id, receipt_type, thread_id, event_id, event_order, ts, position)
   values ($1, $2, $3, $4, $5, $6, $7, position($8))
   on conflict (room_nid, user_id, receipt_type, thread_id) do update set event_id = excluded.event_id,
     event_order = excluded.event_order, ts = excluded.ts, position = excluded.position
   where excluded.event_order > receipts.event_order`,
);

/** Moves a receipt forward to an event; does nothing if it is there or further already. */
export function setReceipt(
  set: WriteSet,
  receipt: Receipt,
  event: { readonly eventId: string; readonly order: number },
  ts: number,
  position: PositionParam,
): void {
  const { roomNid, userId, type, threadId } = receipt;
  set.add(upsertReceipt, [roomNid, userId, type, threadId, event.eventId, event.order, ts, position]);
}

const selectNewest = sql<ReceiptRow, [userId: string, roomNids: string, upToPosition: number, perRoom: number]>(
  'receipts.newest-of-rooms',
  `select room_nid, user_id, receipt_type, thread_id, event_id, ts
   from (
     select room_nid, user_id, receipt_type, thread_id, event_id, ts,
       row_number() over (partition by room_nid order by position desc) as place
     from receipts
     where room_nid in (select cast(value as bigint) from json_each(cast($2 as text))) and position <= $3
       and (receipt_type = 'm.read' or user_id = $1)
   ) newest
   where place <= $4 or user_id = $1`,
);

/** In a big room, whoever has read nothing for longer than so many others is not shown to those who open it. */
const newestPerRoom = 500;

/** The newest receipts of each room, and all of somebody's own, for who has none yet. */
export async function readNewestReceipts(
  reader: Reader,
  userId: string,
  roomNids: readonly number[],
  upTo: number,
  perRoom: number = newestPerRoom,
): Promise<ReceiptRow[]> {
  if (roomNids.length === 0) return [];
  return reader.all(selectNewest, [userId, JSON.stringify(roomNids), upTo, perRoom]);
}
