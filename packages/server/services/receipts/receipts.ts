import { isJsonObject, parseJson } from '@portico/protocol';
import { createWriteSet, type Database, type WriteSet } from '@portico/storage';
import { findAccountData, setAccountData } from '@portico/storage/stores/accounts/accounts-data.ts';
import { findMembership } from '@portico/storage/stores/rooms/memberships-read.ts';
import { queueRead } from '@portico/storage/stores/push/push-queue.ts';
import { findReceiptOrder, findReceiptTarget, setReceipt } from '@portico/storage/stores/unread/receipts.ts';
import { markRead } from '@portico/storage/stores/unread/unread-markers.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import type { RoomNames } from '../reading/room-names.ts';
import { receiptReach } from './receipt-thread.ts';
import type { ReceiptType } from './receipt-types.ts';

export type NewReceipt = {
  readonly type: ReceiptType;
  readonly eventId: string;
  /** `undefined` for a receipt that is not threaded. */
  readonly threadId?: string | undefined;
};

/** How far people have read. */
export interface Receipts {
  /**
   * Moves somebody's receipts and marker in a room forward, all at once. None ever moves backwards: what names an earlier
   * event than the one reached is ignored.
   */
  send(userId: string, roomId: string, receipts: readonly NewReceipt[]): Promise<void>;
}

type Dependencies = {
  readonly db: Database;
  readonly roomNames: RoomNames;
  /** Whether somebody is told on their devices how much is unread. */
  readonly isPushed: (userId: string) => boolean;
  readonly now: () => number;
};

export function createReceipts({ db, roomNames, isPushed, now }: Dependencies): Receipts {
  async function getRoom(userId: string, roomId: string): Promise<number> {
    const roomNid = await roomNames.find(roomId);
    const row = roomNid === undefined ? undefined : await findMembership(db, roomNid, userId);
    if (roomNid === undefined || row?.membership !== 'join') {
      throw new MatrixError('forbidden', { message: 'You are not in this room.' });
    }
    return roomNid;
  }

  async function getEvent(roomNid: number, eventId: string) {
    const event = await findReceiptTarget(db, roomNid, eventId);
    if (event === undefined || event.room_order === null) throw new MatrixError('event.not-found');
    return { ...event, room_order: event.room_order };
  }

  async function addReceipt(
    set: WriteSet,
    userId: string,
    roomNid: number,
    { type, eventId, threadId }: NewReceipt,
  ): Promise<void> {
    const event = await getEvent(roomNid, eventId);
    const reach = await receiptReach(db, roomNid, event, threadId);
    const receipt = { roomNid, userId, type, threadId: threadId ?? '' };
    const reached = await findReceiptOrder(db, receipt);
    if (reached !== undefined && reached >= event.room_order) return;
    const position = set.takePosition();
    setReceipt(set, receipt, { eventId, order: event.room_order }, now(), position);
    if (isPushed(userId)) queueRead(set, userId, position);
    markRead(set, userId, { eventNid: event.event_nid, roomNid, roomOrder: event.room_order }, reach);
    // "Servers MUST NOT send the `m.read.private` receipt to any other user than the one which originally sent it."
    if (type === 'm.read') {
      set.change('receipt', roomNid);
      // For other servers, which are told of receipts of this one's people only.
      set.change('own_receipt', roomNid);
    }
    set.change('unread', userId);
  }

  /** {@link https://spec.matrix.org/v1.19/client-server-api/#fully-read-markers} */
  async function addFullyRead(
    set: WriteSet,
    userId: string,
    room: { readonly roomNid: number; readonly roomId: string },
    eventId: string,
  ): Promise<void> {
    const { roomNid, roomId } = room;
    const event = await getEvent(roomNid, eventId);
    const stored = await findAccountData(db, userId, roomId, 'm.fully_read');
    const content = stored && parseJson(stored.content);
    const reachedId = isJsonObject(content) ? content['event_id'] : undefined;
    const reached = typeof reachedId === 'string' ? await findReceiptTarget(db, roomNid, reachedId) : undefined;
    if (reached !== undefined && (reached.room_order ?? 0) >= event.room_order) return;
    setAccountData(set, { userId, roomId, type: 'm.fully_read', content: JSON.stringify({ event_id: eventId }) });
  }

  return {
    async send(userId, roomId, receipts) {
      for (const receipt of receipts) refuseBadThread(receipt);
      const roomNid = await getRoom(userId, roomId);
      const set = createWriteSet();
      for (const receipt of receipts) {
        if (receipt.type === 'm.fully_read') await addFullyRead(set, userId, { roomNid, roomId }, receipt.eventId);
        else await addReceipt(set, userId, roomNid, receipt);
      }
      if (set.writes.length > 0) await db.commit(set);
    },
  };
}

function refuseBadThread({ type, threadId }: NewReceipt): void {
  if (threadId === undefined) return;
  if (threadId === '') {
    throw new MatrixError('request.invalid-param', { message: 'thread_id must be a non-empty string.' });
  }
  if (type === 'm.fully_read') {
    throw new MatrixError('request.invalid-param', { message: 'The fully read marker knows no threads.' });
  }
}
