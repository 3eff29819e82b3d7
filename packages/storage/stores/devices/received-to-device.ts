import type { WriteSet } from '../../database.ts';
import { sql } from '../../sql.ts';

const insertReceived = sql<void, [origin: string, messageId: string, receivedAt: number]>(
  'received-to-device.insert',
  `insert into received_to_device (origin, message_id, received_at) values ($1, $2, $3) on conflict do nothing`,
);

const deleteOld = sql<void, [before: number]>(
  'received-to-device.delete',
  'delete from received_to_device where received_at < $1',
);

/** Fails on the guard `to-device.received` if the message has come before. */
export function addReceivedToDevice(set: WriteSet, origin: string, messageId: string, now: number): void {
  set.guard('to-device.received', 1, insertReceived, [origin, messageId, now]);
}

export function forgetReceivedToDevice(set: WriteSet, before: number): void {
  set.add(deleteOld, [before]);
}
