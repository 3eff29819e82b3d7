import type { Reader } from '../../database.ts';
import { sql } from '../../sql.ts';

/** The scope in which a transaction ID means one request. */
export type TransactionKey = {
  readonly userId: string;
  readonly deviceId: string;
  readonly roomNid: number;
  readonly type: string;
  readonly txnId: string;
};

const selectTransactionEvent = sql<
  { event_id: string },
  [sender: string, device: string, txnId: string, roomNid: number, type: string]
>(
  'events.by-transaction',
  `select event_id from events
   where sender = $1 and sender_device = $2 and txn_id = $3 and room_nid = $4 and type = $5 and txn_id is not null`,
);

/** The event that a transaction made. */
export async function findTransactionEvent(reader: Reader, key: TransactionKey): Promise<string | undefined> {
  const row = await reader.get(selectTransactionEvent, [key.userId, key.deviceId, key.txnId, key.roomNid, key.type]);
  return row?.event_id;
}
