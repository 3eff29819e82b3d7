import { createHmac } from 'node:crypto';
import { type JsonObject, parseJson } from '@portico/protocol';
import { createWriteSet, type Database, StorageError } from '@portico/storage';
import {
  addDelayedEvent,
  cancelDelayedEvent,
  type DelayedEventRow,
  type DelayedTransaction,
  findDelayedEvent,
  findDelayIdOf,
  listDelayedEvents,
  restartDelayedEvent,
} from '@portico/storage/stores/delayed-events.ts';
import { findTransactionEvent } from '@portico/storage/stores/event-transactions.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import type { Access } from '../reading/access.ts';
import type { RoomNames } from '../reading/room-names.ts';
import type { RoomService } from '../rooms/room-service.ts';
import { type DueEvents, transactionOf } from './due-events.ts';
import { maxDelay, maxScheduled } from './limits.ts';

export type DelayedEventRequest = {
  readonly userId: string;
  readonly deviceId: string;
  readonly roomId: string;
  readonly type: string;
  readonly stateKey: string | undefined;
  readonly txnId: string | undefined;
  /** Absent where a client repeats a transaction, and does not say again what it is about. */
  readonly content: JsonObject | undefined;
  /** Milliseconds. */
  readonly delay: number;
  /** For how long it is to be sticky once it is sent. Milliseconds. */
  readonly stickyMs?: number | undefined;
};

export type ScheduledEvent = {
  readonly delay_id: string;
  readonly room_id: string;
  readonly type: string;
  readonly state_key?: string;
  readonly delay: number;
  readonly running_since: number;
  readonly content: JsonObject;
};

/**
 * Events that are sent later, unless somebody who knows their ID says otherwise by then.
 *
 * {@link https://github.com/matrix-org/matrix-spec-proposals/pull/4140}
 */
export interface DelayedEvents {
  /** Leaves an event with the server, once for each transaction, and returns its delay ID. */
  schedule(request: DelayedEventRequest): Promise<string>;
  list(userId: string): Promise<readonly ScheduledEvent[]>;
  cancel(delayId: string): Promise<void>;
  restart(delayId: string): Promise<void>;
  /** Sends it now. */
  send(delayId: string): Promise<void>;
}

type Dependencies = {
  readonly db: Database;
  readonly access: Access;
  readonly rooms: Pick<RoomService, 'checkSendable'>;
  readonly roomNames: RoomNames;
  readonly due: DueEvents;
  /** What the IDs of those with a transaction are made with: who knows an ID may act on the event. */
  readonly secret: Uint8Array;
  readonly now: () => number;
  readonly randomId: () => string;
};

export function createDelayedEvents(dependencies: Dependencies): DelayedEvents {
  const { db, access, rooms, roomNames, due, secret, now, randomId } = dependencies;

  async function get(delayId: string): Promise<DelayedEventRow> {
    const row = await findDelayedEvent(db, delayId);
    if (row === undefined) throw new MatrixError('delayed-event.not-found');
    return row;
  }

  /** The same for the same transaction, so that a client which repeats it after the event was sent is told the same. */
  function delayIdOf({ userId, deviceId, roomId, type, txnId }: DelayedTransaction): string {
    const name = JSON.stringify([userId, deviceId, roomId, type, txnId]);
    return createHmac('sha256', secret).update(name).digest('base64url');
  }

  async function wasSent({ userId, deviceId, roomId, type }: DelayedTransaction, delayId: string): Promise<boolean> {
    const roomNid = await roomNames.find(roomId);
    if (roomNid === undefined) return false;
    return (
      (await findTransactionEvent(db, { userId, deviceId, roomNid, type, txnId: transactionOf(delayId) })) !== undefined
    );
  }

  async function checkLimits({ userId, delay }: DelayedEventRequest): Promise<void> {
    if (delay > maxDelay) {
      const fields = { 'org.matrix.msc4140.errcode': 'M_MAX_DELAY_EXCEEDED', 'org.matrix.msc4140.max_delay': maxDelay };
      throw new MatrixError('delayed-event.too-late', { fields });
    }
    if ((await listDelayedEvents(db, userId, maxScheduled)).length >= maxScheduled) {
      const fields = { 'org.matrix.msc4140.errcode': 'M_MAX_DELAYED_EVENTS_EXCEEDED' };
      throw new MatrixError('delayed-event.too-many', { fields });
    }
  }

  return {
    async schedule(request) {
      const { userId, deviceId, roomId, type, stateKey, txnId, content, delay, stickyMs } = request;
      const transaction: DelayedTransaction | undefined =
        txnId === undefined ? undefined : { userId, deviceId, roomId, type, txnId };
      const known = transaction && (await findDelayIdOf(db, transaction));
      if (known !== undefined) return known;
      const delayId = transaction === undefined ? randomId() : delayIdOf(transaction);
      if (transaction !== undefined && (await wasSent(transaction, delayId))) return delayId;
      if (content === undefined) throw new MatrixError('request.not-json');
      await checkLimits(request);
      if ((await access.enter(userId, roomId)).as !== 'joined') {
        throw new MatrixError('forbidden', { message: 'You are not in this room.' });
      }
      await rooms.checkSendable({ userId }, roomId, { type, stateKey, content });
      const at = now();
      const event = {
        delay_id: delayId,
        user_id: userId,
        device_id: deviceId,
        txn_id: txnId ?? null,
        room_id: roomId,
        type,
        state_key: stateKey ?? null,
        content: JSON.stringify(content),
        delay,
        running_since: at,
        due_at: at + delay,
        sticky_ms: stickyMs ?? null,
      };
      const set = createWriteSet();
      addDelayedEvent(set, event, db.currentPosition());
      try {
        await db.commit(set);
        return event.delay_id;
      } catch (error) {
        if (!(error instanceof StorageError) || error.guard !== 'delayed-event.repeated') throw error;
        const other = transaction && (await findDelayIdOf(db, transaction));
        if (other === undefined) throw error;
        return other;
      }
    },
    async list(userId) {
      const rows = await listDelayedEvents(db, userId, maxScheduled);
      return rows.map((row) => ({
        delay_id: row.delay_id,
        room_id: row.room_id,
        type: row.type,
        ...(row.state_key !== null && { state_key: row.state_key }),
        delay: row.delay,
        running_since: row.running_since,
        content: parseJson(row.content) as JsonObject,
      }));
    },
    async cancel(delayId) {
      await get(delayId);
      const set = createWriteSet();
      cancelDelayedEvent(set, delayId, now());
      await db.commit(set);
    },
    async restart(delayId) {
      const row = await get(delayId);
      const set = createWriteSet();
      restartDelayedEvent(set, row, now());
      await db.commit(set);
    },
    async send(delayId) {
      await due.send(await get(delayId));
    },
  };
}
