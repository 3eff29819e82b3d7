import { serverNameOf } from '@portico/protocol';
import type { PositionParam, Reader, WriteSet } from '../../database.ts';
import { sql } from '../../sql.ts';
import { piece, queueBounds } from '../federation/queue-bounds.ts';

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

const insertTransaction = sql<void, [userId: string, deviceId: string, type: string, txnId: string, createdAt: number]>(
  'to-device.transaction',
  `insert into to_device_transactions (user_id, device_id, type, txn_id, created_at) values ($1, $2, $3, $4, $5)
   on conflict do nothing`,
);

const deleteOldTransactions = sql<void, [before: number]>(
  'to-device.delete-transactions',
  `delete from to_device_transactions where created_at < $1`,
);

type InsertParams = [
  messages: string,
  firstSeq: number,
  position: PositionParam,
  sender: string,
  server: string,
  type: string,
  unshared: number,
  most: number,
];

const ordinalAt = (end: 'asc' | 'desc', otherwise: 0 | 1): string =>
  `coalesce((
     select m.ordinal from to_device_messages m where m.user_id = d.user_id and m.device_id = d.device_id
     order by m.position ${end}, m.seq ${end} limit 1), ${otherwise})`;
/** Of a long queue: the numbers of the last and of the first message in it that is of a server or of a sender. */
const shareOf = (who: 'server' | 'sender', name: string): string => {
  const end = (of: 'min' | 'max', otherwise: 0 | 1) =>
    `case when e.last - e.first + 1 >= $7 then coalesce((
       select ${of}(m.${who}_ordinal) from to_device_messages m
       where m.user_id = e.user_id and m.device_id = e.device_id and m.server is not null and m.${who} = ${name}
     ), ${otherwise}) end`;
  return `${end('max', 0)} as ${who}_last, ${end('min', 1)} as ${who}_first`;
};

/*
 * Messages go from the front of a queue only, so that its first and its last ordinal say how much is in it, though not
 * how large the first one is; so they do for the part of it that is from one server or sender.
 */
const insertInto = (name: string, match: string) =>
  sql<void, InsertParams>(
    name,
    `insert into to_device_messages
       (user_id, device_id, position, seq, sender, type, content, ordinal, server, server_ordinal, sender_ordinal)
     with ends as materialized (
       select d.user_id, d.device_id, cast(w.key as bigint) + $2 as seq, w.value ->> 2 as content,
         1 + length(w.value ->> 2) / ${piece} as weight,
         ${ordinalAt('asc', 1)} as first, ${ordinalAt('desc', 0)} as last
       from json_each(cast($1 as text)) w
       cross join devices d
       where d.user_id = w.value ->> 0 ${match}
     ), shares as materialized (
       select e.*, ${shareOf('server', '$5')}, ${shareOf('sender', '$4')} from ends e
     )
     select user_id, device_id, position($3), seq, cast($4 as text), cast($6 as text), content, last + weight,
       case when last - first + 1 >= $7 then cast($5 as text) end, server_last + weight, sender_last + weight
     from shares
     where last - first + 1 < $7
       or (last - first + 1) + (server_last - server_first + 1) + (sender_last - sender_first + 1) < $8`,
  );
const insertForNamed = insertInto('to-device.insert', 'and d.device_id = w.value ->> 1');
const insertForAll = insertInto('to-device.insert-for-all', '');

const selectQueue = sql<
  ToDeviceRow,
  [userId: string, deviceId: string, afterPosition: number, afterSeq: number, upTo: number, limit: number]
>(
  'to-device.queue',
  `select position, seq, sender, type, content from to_device_messages
   where user_id = $1 and device_id = $2 and (position > $3 or (position = $3 and seq > $4)) and position <= $5
   order by position, seq limit $6`,
);

const deleteDelivered = sql<void, [delivered: string]>(
  'to-device.delete-delivered',
  `delete from to_device_messages
   where (user_id, device_id, position, seq) in (
     select m.user_id, m.device_id, m.position, m.seq from json_each(cast($1 as text)) w
     cross join to_device_messages m
     where m.user_id = w.value ->> 0 and m.device_id = w.value ->> 1 and m.position <= cast(w.value ->> 2 as bigint)
       and (m.position < cast(w.value ->> 2 as bigint) or m.seq <= cast(w.value ->> 3 as bigint))
   )`,
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

/** Queues messages for those devices that exist, as far as there is room for them. */
export function queueToDevice(
  set: WriteSet,
  sender: string,
  type: string,
  messages: readonly NewToDevice[],
  position: PositionParam,
  { unshared, most } = queueBounds,
): void {
  const server = serverNameOf(sender) ?? '';
  const add = (statement: typeof insertForAll, some: readonly NewToDevice[], firstSeq: number): void => {
    if (some.length === 0) return;
    const packed = JSON.stringify(some.map(({ userId, deviceId, content }) => [userId, deviceId, content]));
    set.add(statement, [packed, firstSeq, position, sender, server, type, unshared, most]);
  };
  const forAll = messages.filter(({ deviceId }) => deviceId === '*');
  add(insertForAll, forAll, 0);
  const named = forAll.length === 0 ? messages : messages.filter(({ deviceId }) => deviceId !== '*');
  add(insertForNamed, named, forAll.length);
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

/** Drops what devices have got, each up to a place in its queue. */
export function dropDelivered(
  set: WriteSet,
  delivered: readonly (QueuePlace & { readonly userId: string; readonly deviceId: string })[],
): void {
  const packed = delivered.map(({ userId, deviceId, position, seq }) => [userId, deviceId, position, seq]);
  set.add(deleteDelivered, [JSON.stringify(packed)]);
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
