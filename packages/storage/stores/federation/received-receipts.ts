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

/*
 * What a thread is is for other servers to say, so that one could make up as many as it likes, of which each client in the room is
 * told.
 */
const dropOldest = sql<void, [members: string, mostThreads: number]>(
  'received-receipts.drop-oldest',
  `delete from receipts where (room_nid, user_id, receipt_type, thread_id) in (
     select room_nid, user_id, receipt_type, thread_id from (
       select r.room_nid, r.user_id, r.receipt_type, r.thread_id,
         row_number() over (partition by r.room_nid, r.user_id order by r.position desc, r.event_order desc, r.thread_id)
           as place
       from (select distinct cast(value ->> 0 as bigint) as room_nid, value ->> 1 as user_id
         from json_each(cast($1 as text))) m
       join receipts r on r.room_nid = m.room_nid and r.user_id = m.user_id
       where r.receipt_type = 'm.read' and r.thread_id not in ('', 'main')
     ) t
     where t.place > $2
   )`,
);

/** Of each person in a room: in the threads that they have read last. */
export const mostThreadsRead = 200;

/** Moves receipts forward: at most one for the same person, room and thread. None moves backwards. */
export function setReceivedReceipts(set: WriteSet, receipts: readonly ReceivedReceipt[]): void {
  if (receipts.length === 0) return;
  const rows = receipts.map(({ roomNid, userId, threadId, eventId, ts }) => [roomNid, userId, threadId, eventId, ts]);
  set.add(upsertReceipts, [JSON.stringify(rows), set.takePosition()]);
  const members = receipts.filter(isInThread).map(({ roomNid, userId }) => [roomNid, userId]);
  if (members.length > 0) set.add(dropOldest, [JSON.stringify(members), mostThreadsRead]);
  for (const roomNid of new Set(receipts.map((receipt) => receipt.roomNid))) set.change('receipt', roomNid);
}

function isInThread({ threadId }: ReceivedReceipt): boolean {
  return threadId !== '' && threadId !== 'main';
}
