import assert from 'node:assert/strict';
import { onBothEngines } from '@portico/testkit';
import { createWriteSet } from '../../write-set.ts';
import { readNewestReceipts, setReceipt } from './receipts.ts';

onBothEngines('who opens a room gets its newest receipts, and their own', async (db) => {
  const send = async (userId: string, type: string, order: number, roomNid = 1): Promise<void> => {
    const set = createWriteSet();
    const receipt = { roomNid, userId, type, threadId: '' };
    setReceipt(set, receipt, { eventId: `$${order}`, order }, order, set.takePosition());
    await db.commit(set);
  };
  await send('@me:here', 'm.read', 1);
  await send('@me:here', 'm.read.private', 2);
  await send('@a:here', 'm.read', 3);
  await send('@b:here', 'm.read', 4);
  await send('@b:here', 'm.read.private', 5);
  await send('@c:here', 'm.read', 6);
  await send('@c:here', 'm.read', 5);
  await send('@a:here', 'm.read', 7, 2);
  await send('@a:here', 'm.read', 8, 3);

  const rows = await readNewestReceipts(db, '@me:here', [1, 2], db.currentPosition(), 2);
  assert.deepEqual(rows.map((row) => `${row.room_nid} ${row.user_id} ${row.receipt_type} ${row.event_id}`).toSorted(), [
    '1 @b:here m.read $4',
    '1 @c:here m.read $6',
    '1 @me:here m.read $1',
    '1 @me:here m.read.private $2',
    '2 @a:here m.read $7',
  ]);
});
