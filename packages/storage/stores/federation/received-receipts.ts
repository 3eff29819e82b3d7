import type { PositionParam, WriteSet } from '../../database.ts';
import { sql } from '../../sql.ts';

/** A public receipt of somebody of another server. */
export type ReceivedReceipt = {
  readonly roomNid: number;
  readonly userId: string;
  /** '' is unthreaded, 'main' the room outside threads, else the thread's root. */
  readonly threadId: string;
  readonly eventId: string;
  readonly ts: number;
};

/*
 * An event that is not here yet is taken to be newer than all that are: it has a place behind the last one, until a receipt
 * for a later one comes.
 */
const upsertReceipts = sql<void, [receipts: string, position: PositionParam]>(
  'received-receipts.set',
  `insert into receipts (room_nid, user_id, receipt_type, thread_id, event_id, event_order, ts, position)
   select r.room_nid, p.value ->> 1, 'm.read', p.value ->> 2, p.value ->> 3,
     coalesce(e.room_order, r.last_position * 1048576 + 1), cast(p.value ->> 4 as bigint), position($2)
   from json_each(cast($1 as text)) p
   join rooms r on r.room_nid = cast(p.value ->> 0 as bigint)
   left join events e on e.event_id = p.value ->> 3 and e.room_nid = r.room_nid
   where true
   on conflict (room_nid, user_id, receipt_type, thread_id) do update set event_id = excluded.event_id,
     event_order = excluded.event_order, ts = excluded.ts, position = excluded.position
   where excluded.event_order > receipts.event_order
     or (excluded.event_order = receipts.event_order and excluded.event_id <> receipts.event_id)`,
);

/** Moves receipts forward: at most one for the same person, room and thread. None moves backwards. */
export function setReceivedReceipts(set: WriteSet, receipts: readonly ReceivedReceipt[]): void {
  if (receipts.length === 0) return;
  const rows = receipts.map(({ roomNid, userId, threadId, eventId, ts }) => [roomNid, userId, threadId, eventId, ts]);
  set.add(upsertReceipts, [JSON.stringify(rows), set.takePosition()]);
  for (const roomNid of new Set(receipts.map((receipt) => receipt.roomNid))) set.change('receipt', roomNid);
}
