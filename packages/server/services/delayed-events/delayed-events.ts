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
import { MatrixError } from '../../errors/matrix-error.ts';
import type { Access } from '../reading/access.ts';
import type { DueEvents } from './due-events.ts';
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
  readonly due: DueEvents;
  readonly now: () => number;
  readonly randomId: () => string;
};

/** As much as an event may hold. */
const maxContent = 65_536;

export function createDelayedEvents({ db, access, due, now, randomId }: Dependencies): DelayedEvents {
  async function get(delayId: string): Promise<DelayedEventRow> {
    const row = await findDelayedEvent(db, delayId);
    if (row === undefined) throw new MatrixError('delayed-event.not-found');
    return row;
  }

  async function checkLimits({ userId, delay }: DelayedEventRequest, text: string): Promise<void> {
    if (delay > maxDelay) {
      const fields = { 'org.matrix.msc4140.errcode': 'M_MAX_DELAY_EXCEEDED', 'org.matrix.msc4140.max_delay': maxDelay };
      throw new MatrixError('delayed-event.too-late', { fields });
    }
    if (Buffer.byteLength(text) > maxContent) throw new MatrixError('request.too-large');
    if ((await listDelayedEvents(db, userId, maxScheduled)).length >= maxScheduled) {
      const fields = { 'org.matrix.msc4140.errcode': 'M_MAX_DELAYED_EVENTS_EXCEEDED' };
      throw new MatrixError('delayed-event.too-many', { fields });
    }
  }

  return {
    async schedule(request) {
      const { userId, deviceId, roomId, type, stateKey, txnId, content, delay } = request;
      const transaction: DelayedTransaction | undefined =
        txnId === undefined ? undefined : { userId, deviceId, roomId, type, txnId };
      const known = transaction && (await findDelayIdOf(db, transaction));
      if (known !== undefined) return known;
      if (content === undefined) throw new MatrixError('request.not-json');
      const text = JSON.stringify(content);
      await checkLimits(request, text);
      if ((await access.enter(userId, roomId)).as !== 'joined') {
        throw new MatrixError('forbidden', { message: 'You are not in this room.' });
      }
      const at = now();
      const event = {
        delay_id: randomId(),
        user_id: userId,
        device_id: deviceId,
        txn_id: txnId ?? null,
        room_id: roomId,
        type,
        state_key: stateKey ?? null,
        content: text,
        delay,
        running_since: at,
        due_at: at + delay,
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
