import { isJsonObject, parseJson } from '@portico/protocol';
import { createWriteSet, type Database, StorageError } from '@portico/storage';
import { findModerated } from '@portico/storage/stores/accounts/accounts-moderation.ts';
import { findCurrentState } from '@portico/storage/stores/rooms/current-state-read.ts';
import {
  claimDelayedEvent,
  type DelayedEventRow,
  findDelayedEvent,
  findNextDue,
  listDueEvents,
  releaseDelayedEvent,
  removeDelayedEvent,
} from '@portico/storage/stores/events/delayed-events.ts';
import { readEvents } from '@portico/storage/stores/events/timeline.ts';
import {
  dropFinalisedBefore,
  finaliseDelayedEvent,
  findOldestFinalised,
  type Outcome,
} from '@portico/storage/stores/events/finalised-delayed-events.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import { errorTable } from '../../errors/table.ts';
import { delayedTransaction } from '../reading/delayed-transaction.ts';
import type { RoomNames } from '../reading/room-names.ts';
import { endOfPosition } from '../reading/tokens.ts';
import type { RoomService } from '../rooms/room-service.ts';
import { keptFor, keptPerUser } from './limits.ts';

/** Sends delayed events when their time has come. */
export interface DueEvents {
  /** Sends one, whatever its time. Throws what the room says against it, and then it still waits; or that it is gone. */
  send(row: DelayedEventRow): Promise<void>;
  close(): Promise<void>;
}

type Dependencies = {
  readonly db: Database;
  readonly rooms: Pick<RoomService, 'send' | 'setState'>;
  readonly roomNames: RoomNames;
  readonly now: () => number;
  readonly log: { warn(details: object, message: string): void };
};

const atOnce = 20;
/** How long who took an event on has for it, in milliseconds; after that it is anybody's again. */
const claimTime = 30_000;
const retryDelay = 5000;
const longestTimer = 60 * 60 * 1000;

export function createDueEvents({ db, rooms, roomNames, now, log }: Dependencies): DueEvents {
  let closed = false;
  let timer: NodeJS.Timeout | undefined;
  let working: Promise<void> | undefined;
  let again = false;

  /** Whether somebody else has changed the entry of the state since: then it is no longer the sender's to change. */
  async function isOvertaken({ room_id: roomId, type, state_key: key, user_id: user, position }: DelayedEventRow) {
    if (key === null) return false;
    const roomNid = await roomNames.find(roomId);
    const nid = roomNid === undefined ? undefined : await findCurrentState(db, roomNid, type, key);
    const [current] = nid === undefined ? [] : await readEvents(db, [nid]);
    return current !== undefined && current.sender !== user && (current.room_order ?? 0) > endOfPosition(position);
  }

  async function finalise(row: DelayedEventRow, outcome: Omit<Outcome, 'at'>): Promise<void> {
    const set = createWriteSet();
    finaliseDelayedEvent(set, row, { at: now(), ...outcome }, keptPerUser);
    removeDelayedEvent(set, row.delay_id);
    await db.commit(set);
  }

  /** Sends an event that this process has taken on. Throws what there is against that. */
  async function send(row: DelayedEventRow): Promise<void> {
    const { delay_id: delayId, user_id: userId, device_id: deviceId, room_id: roomId, type, state_key: key } = row;
    const content = parseJson(row.content);
    const account = await findModerated(db, userId);
    if (account === undefined || account.deactivated_at !== null) throw new MatrixError('user.deactivated');
    if (account.locked === 1) throw new MatrixError('user.locked');
    if (account.suspended === 1) throw new MatrixError('user.suspended');
    if (await isOvertaken(row))
      throw new MatrixError('forbidden', { message: 'Somebody else has changed this since.' });
    if (!isJsonObject(content)) throw new MatrixError('request.bad-json');
    const actor = { userId, deviceId };
    const txnId = delayedTransaction(delayId);
    const options = { originServerTs: row.origin_server_ts ?? undefined, stickyMs: row.sticky_ms ?? undefined };
    const eventId =
      key === null
        ? await rooms.send(actor, roomId, type, txnId, content, options)
        : await rooms.setState(actor, roomId, type, key, content, options, txnId);
    await finalise(row, { eventId });
  }

  /** Takes an event on, so that it is not taken back meanwhile; until when, unless somebody else has, or it is gone. */
  async function claim(row: DelayedEventRow): Promise<number | undefined> {
    const set = createWriteSet();
    const until = now() + claimTime;
    claimDelayedEvent(set, row, until);
    try {
      await db.commit(set);
      return until;
    } catch (error) {
      if (error instanceof StorageError && error.guard === 'delayed-event.taken') return undefined;
      throw error;
    }
  }

  async function release(row: DelayedEventRow, until: number): Promise<void> {
    const set = createWriteSet();
    releaseDelayedEvent(set, row, until);
    await db.commit(set);
  }

  async function sendNow(row: DelayedEventRow): Promise<void> {
    const until = await claim(row);
    // Whoever else sends it sends the same event.
    if (until === undefined && (await findDelayedEvent(db, row.delay_id)) === undefined) {
      throw new MatrixError('delayed-event.not-found');
    }
    try {
      await send(row);
    } catch (error) {
      // "The homeserver SHOULD keep the delayed event scheduled, to account for the fact that the cause of the error may
      // resolve by the time of the delayed event's scheduled send time".
      if (until !== undefined) await release(row, until);
      throw error;
    }
  }

  async function sendDue(row: DelayedEventRow): Promise<void> {
    try {
      if ((await claim(row)) !== undefined) await send(row);
    } catch (error) {
      log.warn({ err: error, delayId: row.delay_id, roomId: row.room_id }, 'A delayed event was not sent');
      // What the room's rules refuse is done with; the rest is tried again when the claim is over.
      if (error instanceof MatrixError) await finalise(row, { error: errorText(error) });
    }
  }

  async function dropFinalised(): Promise<number | undefined> {
    const oldest = await findOldestFinalised(db);
    if (oldest === undefined || oldest + keptFor > now()) return oldest;
    const set = createWriteSet();
    dropFinalisedBefore(set, now() - keptFor);
    await db.commit(set);
    return findOldestFinalised(db);
  }

  async function work(): Promise<void> {
    for (;;) {
      if (closed) return;
      again = false;
      const due = await listDueEvents(db, now(), atOnce);
      if (due.length === 0) break;
      for (const row of due) await sendDue(row);
    }
    const oldest = await dropFinalised();
    const next = Math.min((await findNextDue(db)) ?? Infinity, oldest === undefined ? Infinity : oldest + keptFor + 1);
    if (next !== Infinity) wakeIn(next - now());
  }

  function wake(): void {
    again = true;
    if (closed || working !== undefined) return;
    clearTimeout(timer);
    working = work()
      .catch((error: unknown) => {
        log.warn({ err: error }, 'Could not look for delayed events');
        wakeIn(retryDelay);
      })
      .finally(() => {
        working = undefined;
        if (again) wake();
      });
  }

  function wakeIn(milliseconds: number): void {
    clearTimeout(timer);
    if (!closed) timer = setTimeout(wake, Math.min(Math.max(milliseconds, 1), longestTimer)).unref();
  }

  const stop = db.onChanges((batches) => {
    if (batches.some(({ changes }) => changes.some(({ kind }) => kind === 'delayed_event'))) wake();
  });
  wake();

  return {
    send: sendNow,
    async close() {
      closed = true;
      stop();
      clearTimeout(timer);
      await working;
    },
  };
}

function errorText(error: MatrixError): string {
  const { errcode } = errorTable[error.reason];
  return JSON.stringify({ errcode, error: error.message, ...error.fields });
}
