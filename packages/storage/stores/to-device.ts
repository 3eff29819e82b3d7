import type { PositionParam, Reader, WriteSet } from '../database.ts';
import { sql } from '../sql.ts';

/** A message as `/sync` brings it. `position` and `seq` say in which order. */
export type ToDeviceRow = {
  readonly position: number;
  readonly seq: number;
  readonly sender: string;
  readonly type: string;
  readonly content: string;
};

/** A message for one device, or for all devices of somebody. */
export type NewToDevice = {
  readonly userId: string;
  readonly deviceId: string;
  /** JSON text. */
  readonly content: string;
};

/** A message's place in a device's queue. */
export type QueuePlace = { readonly position: number; readonly seq: number };

export type ToDeviceTransaction = {
  readonly userId: string;
  readonly deviceId: string;
  readonly type: string;
  readonly txnId: string;
};

/** A device that fetches none of its messages gets no more than that many. */
const maxQueued = 5000;

const insertTransaction = sql<void, [userId: string, deviceId: string, type: string, txnId: string, createdAt: number]>(
  'to-device.transaction',
  `insert into to_device_transactions (user_id, device_id, type, txn_id, created_at) values ($1, $2, $3, $4, $5)
   on conflict do nothing`,
);

const deleteOldTransactions = sql<void, [before: number]>(
  'to-device.delete-transactions',
  `delete from to_device_transactions where created_at < $1`,
);

// Messages go from the front of a queue only, so that its first and its last ordinal say how long it is.
const insertMessages = sql<
  void,
  [messages: string, position: PositionParam, sender: string, type: string, maxQueued: number]
>(
  'to-device.insert',
  `insert into to_device_messages (user_id, device_id, position, seq, sender, type, content, ordinal)
   select w.user_id, w.device_id, position($2), w.seq, cast($3 as text), cast($4 as text), w.content, w.last + 1
   from (
     select d.user_id, d.device_id, cast(m.key as bigint) as seq, m.value ->> 2 as content,
       coalesce((
         select q.ordinal from to_device_messages q where q.user_id = d.user_id and q.device_id = d.device_id
         order by q.position, q.seq limit 1), 0) as first,
       coalesce((
         select q.ordinal from to_device_messages q where q.user_id = d.user_id and q.device_id = d.device_id
         order by q.position desc, q.seq desc limit 1), 0) as last
     from json_each(cast($1 as text)) m
     cross join devices d
     where d.user_id = m.value ->> 0 and (m.value ->> 1 = '*' or d.device_id = m.value ->> 1)
   ) w
   where w.last - w.first + 1 < $5`,
);

const selectQueue = sql<
  ToDeviceRow,
  [userId: string, deviceId: string, afterPosition: number, afterSeq: number, upTo: number, limit: number]
>(
  'to-device.queue',
  `select position, seq, sender, type, content from to_device_messages
   where user_id = $1 and device_id = $2 and (position > $3 or (position = $3 and seq > $4)) and position <= $5
   order by position, seq limit $6`,
);

const deleteDelivered = sql<void, [userId: string, deviceId: string, position: number, seq: number]>(
  'to-device.delete-delivered',
  `delete from to_device_messages
   where user_id = $1 and device_id = $2 and (position < $3 or (position = $3 and seq <= $4))`,
);

const deleteOfDevices = sql<void, [userId: string, deviceIds: string]>(
  'to-device.delete-of-devices',
  `delete from to_device_messages
   where user_id = $1 and device_id in (select value from json_each(cast($2 as text)))`,
);
const deleteTransactionsOfDevices = sql<void, [userId: string, deviceIds: string]>(
  'to-device.delete-transactions-of-devices',
  `delete from to_device_transactions
   where user_id = $1 and device_id in (select value from json_each(cast($2 as text)))`,
);

/** Fails on the guard `to-device.repeated` if the device has used the transaction ID before. */
export function addToDeviceTransaction(set: WriteSet, transaction: ToDeviceTransaction, now: number): void {
  const { userId, deviceId, type, txnId } = transaction;
  set.guard('to-device.repeated', 1, insertTransaction, [userId, deviceId, type, txnId, now]);
}

export function forgetToDeviceTransactions(set: WriteSet, before: number): void {
  set.add(deleteOldTransactions, [before]);
}

/** Queues messages for those devices that exist and fetch what they are sent. */
export function queueToDevice(
  set: WriteSet,
  sender: string,
  type: string,
  messages: readonly NewToDevice[],
  position: PositionParam,
  mostWaiting = maxQueued,
): void {
  const packed = messages.map(({ userId, deviceId, content }) => [userId, deviceId, content]);
  set.add(insertMessages, [JSON.stringify(packed), position, sender, type, mostWaiting]);
  for (const userId of new Set(messages.map((message) => message.userId))) set.change('to_device', userId);
}

/** What waits for a device behind one place in its queue, up to a position. */
export function readToDevice(
  reader: Reader,
  device: { readonly userId: string; readonly deviceId: string },
  after: QueuePlace,
  upTo: number,
  limit: number,
): Promise<ToDeviceRow[]> {
  return reader.all(selectQueue, [device.userId, device.deviceId, after.position, after.seq, upTo, limit]);
}

/** Drops what a device has got. */
export function dropDelivered(
  set: WriteSet,
  device: { readonly userId: string; readonly deviceId: string },
  upTo: QueuePlace,
): void {
  set.add(deleteDelivered, [device.userId, device.deviceId, upTo.position, upTo.seq]);
}

/**
 * Drops what waits for devices that are deleted in the same set, and which transactions they have made: a later device may
 * have the same ID, and count its transactions from the beginning.
 */
export function dropToDeviceOf(set: WriteSet, userId: string, deviceIds: readonly string[]): void {
  const ids = JSON.stringify(deviceIds);
  set.add(deleteOfDevices, [userId, ids]);
  set.add(deleteTransactionsOfDevices, [userId, ids]);
}
