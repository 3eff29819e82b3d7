import { createHmac } from 'node:crypto';
import type { JsonObject } from '@portico/protocol';
import { createWriteSet, type Database, StorageError } from '@portico/storage';
import { refuseDeactivated } from '@portico/storage/stores/accounts/accounts-deactivate.ts';
import {
  addDelayedEvent,
  cancelDelayedEvent,
  type DelayedEventRow,
  type DelayedTransaction,
  findDelayedEvent,
  findDelayIdOf,
  findNextDueOf,
  listDelayedEvents,
  restartDelayedEvent,
} from '@portico/storage/stores/events/delayed-events.ts';
import { finaliseDelayedEvent, findFinalised } from '@portico/storage/stores/events/finalised-delayed-events.ts';
import { findTransactionEvent } from '@portico/storage/stores/events/event-transactions.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import type { ErrorReason } from '../../errors/table.ts';
import type { Access } from '../reading/access.ts';
import { delayedTransaction } from '../reading/delayed-transaction.ts';
import type { RoomNames } from '../reading/room-names.ts';
import type { RoomService } from '../rooms/room-service.ts';
import type { DueEvents } from './due-events.ts';
import { keptPerUser, maxDelay, maxScheduled } from './limits.ts';
import { showFinalised, type ShownDelayedEvent, showScheduled } from './shown.ts';

/** In which form of the proposal a client asks: as a parameter of sending, or by the endpoint of its own that came later. */
export type DelayForm = 'parameter' | 'unstable' | 'stable';

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
  /** What the event is to say of its time, where an application service says so. */
  readonly originServerTs: number | undefined;
  readonly form: DelayForm;
  /** For how long it is to be sticky once it is sent. Milliseconds. */
  readonly stickyMs?: number | undefined;
};

export type DelayedEventAction = 'cancel' | 'restart' | 'send';

/**
 * Events that are sent later, unless somebody who knows their ID says otherwise by then.
 *
 * {@link https://github.com/matrix-org/matrix-spec-proposals/pull/4140}
 */
export interface DelayedEvents {
  /** Leaves an event with the server, once for each transaction, and returns its delay ID. */
  schedule(request: DelayedEventRequest): Promise<string>;
  /** Those that wait. */
  list(userId: string): Promise<readonly ShownDelayedEvent[]>;
  /** One of somebody's own, for a while also when it is sent or cancelled. */
  get(userId: string, delayId: string): Promise<ShownDelayedEvent>;
  /**
   * Does something with one that waits. `owner` is who asks; without one, whoever knows the ID does, as a call's media server
   * that says when somebody has gone: for them what waits no more is not there.
   */
  act(delayId: string, action: DelayedEventAction, owner?: string): Promise<void>;
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

  /** The same for the same transaction, so that a client which repeats it after the event was sent is told the same. */
  function delayIdOf({ userId, deviceId, roomId, type, txnId }: DelayedTransaction): string {
    const name = JSON.stringify([userId, deviceId, roomId, type, txnId]);
    return createHmac('sha256', secret).update(name).digest('base64url');
  }

  async function hasEnded({ userId, deviceId, roomId, type }: DelayedTransaction, delayId: string): Promise<boolean> {
    if ((await findFinalised(db, delayId)) !== undefined) return true;
    const roomNid = await roomNames.find(roomId);
    if (roomNid === undefined) return false;
    return (
      (await findTransactionEvent(db, { userId, deviceId, roomNid, type, txnId: delayedTransaction(delayId) })) !==
      undefined
    );
  }

  async function checkLimits({ userId, delay, form }: DelayedEventRequest): Promise<void> {
    if (delay > maxDelay) {
      const fields = { 'org.matrix.msc4140.errcode': 'M_MAX_DELAY_EXCEEDED', 'org.matrix.msc4140.max_delay': maxDelay };
      throw new MatrixError(tooLarge[form], { fields });
    }
    if ((await listDelayedEvents(db, userId, maxScheduled)).length >= maxScheduled) {
      // "a `Retry-After` header whose value is set to the time of/until the scheduled send time of the next of the user's
      // delayed events to be sent".
      const wait = Math.max(((await findNextDueOf(db, userId)) ?? 0) - now(), 1000);
      const fields = { 'org.matrix.msc4140.errcode': 'M_MAX_DELAYED_EVENTS_EXCEEDED', retry_after_ms: wait };
      throw new MatrixError('delayed-event.too-many', { fields });
    }
  }

  async function find(delayId: string, owner: string | undefined): Promise<DelayedEventRow | undefined> {
    const row = await findDelayedEvent(db, delayId);
    return owner === undefined || row?.user_id === owner ? row : undefined;
  }

  /**
   * > the homeserver will respond with success if the target delayed event is already finalised with an outcome that matches the
   * > `action` […] with an outcome that conflicts with the `action` […] with HTTP 409
   *
   * Clients in use know a conflict by the 404 of before that.
   */
  async function answerForFinalised(
    delayId: string,
    action: DelayedEventAction,
    owner: string | undefined,
  ): Promise<void> {
    const row = await findFinalised(db, delayId);
    if (row === undefined || (owner !== undefined && row.user_id !== owner)) {
      throw new MatrixError('delayed-event.not-found');
    }
    if (action === (row.event_id === null ? 'cancel' : 'send')) return;
    throw new MatrixError(owner === undefined ? 'delayed-event.not-found' : 'delayed-event.finalised');
  }

  async function cancel(row: DelayedEventRow): Promise<void> {
    const set = createWriteSet();
    finaliseDelayedEvent(set, row, { at: now() }, keptPerUser);
    cancelDelayedEvent(set, row.delay_id, now());
    await db.commit(set);
  }

  async function restart(row: DelayedEventRow): Promise<void> {
    const set = createWriteSet();
    restartDelayedEvent(set, row, now());
    await db.commit(set);
  }

  return {
    async schedule(request) {
      const { userId, deviceId, roomId, type, stateKey, txnId, content, delay, originServerTs, stickyMs } = request;
      const transaction: DelayedTransaction | undefined =
        txnId === undefined ? undefined : { userId, deviceId, roomId, type, txnId };
      const known = transaction && (await findDelayIdOf(db, transaction));
      if (known !== undefined) return known;
      const delayId = transaction === undefined ? randomId() : delayIdOf(transaction);
      if (transaction !== undefined && (await hasEnded(transaction, delayId))) return delayId;
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
        origin_server_ts: originServerTs ?? null,
        sticky_ms: stickyMs ?? null,
      };
      const set = createWriteSet();
      addDelayedEvent(set, event, db.currentPosition());
      refuseDeactivated(set, userId);
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
      return (await listDelayedEvents(db, userId, maxScheduled)).map(showScheduled);
    },
    async get(userId, delayId) {
      const row = await find(delayId, userId);
      if (row !== undefined) return showScheduled(row);
      const finalised = await findFinalised(db, delayId);
      if (finalised?.user_id !== userId) throw new MatrixError('delayed-event.not-found');
      return showFinalised(finalised);
    },
    async act(delayId, action, owner) {
      const row = await find(delayId, owner);
      if (row === undefined) return answerForFinalised(delayId, action, owner);
      if (action === 'send') return due.send(row);
      try {
        await (action === 'cancel' ? cancel(row) : restart(row));
      } catch (error) {
        if (!(error instanceof StorageError) || error.guard !== 'delayed-event.not-found') throw error;
        // It is being sent, or was so while this was decided.
        return answerForFinalised(delayId, action, owner);
      }
    },
  };
}

const tooLarge: Readonly<Record<DelayForm, ErrorReason>> = {
  parameter: 'delayed-event.too-late',
  unstable: 'delayed-event.too-large-unstable',
  stable: 'delayed-event.too-large',
};
