import { isJsonObject, parseJson } from '@portico/protocol';
import { createWriteSet, type Database, StorageError } from '@portico/storage';
import { findModerated } from '@portico/storage/stores/accounts-moderation.ts';
import { findCurrentState } from '@portico/storage/stores/current-state-read.ts';
import {
  claimDelayedEvent,
  type DelayedEventRow,
  findDelayedEvent,
  findNextDue,
  listDueEvents,
  removeDelayedEvent,
} from '@portico/storage/stores/delayed-events.ts';
import { readEvents } from '@portico/storage/stores/timeline.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import type { RoomNames } from '../reading/room-names.ts';
import { endOfPosition } from '../reading/tokens.ts';
import type { RoomService } from '../rooms/room-service.ts';

/** Sends delayed events when their time has come. */
export interface DueEvents {
  /** Sends one, whatever its time, and is done with it. Throws what the room says against it, or that it is gone. */
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

/** The transaction by which a delayed event is sent. */
export function transactionOf(delayId: string): string {
  return `delayed ${delayId}`;
}

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

  async function remove(delayId: string): Promise<void> {
    const set = createWriteSet();
    removeDelayedEvent(set, delayId);
    await db.commit(set);
  }

  async function send(row: DelayedEventRow): Promise<void> {
    const { delay_id: delayId, user_id: userId, device_id: deviceId, room_id: roomId, type, state_key: key } = row;
    const content = parseJson(row.content);
    const account = await findModerated(db, userId);
    const mayAct = account?.deactivated_at === null && account.locked === 0 && account.suspended === 0;
    try {
      if (isJsonObject(content) && mayAct && !(await isOvertaken(row))) {
        const actor = { userId, deviceId };
        // The transaction is the event's own: sent again after a crash it is the same event.
        const options = { stickyMs: row.sticky_ms ?? undefined };
        if (key === null) await rooms.send(actor, roomId, type, transactionOf(delayId), content, options);
        else await rooms.setState(actor, roomId, type, key, content, options);
      }
    } catch (error) {
      if (error instanceof MatrixError) await remove(delayId);
      throw error;
    }
    await remove(delayId);
  }

  /** Takes an event on, so that it is not taken back meanwhile; `false` where somebody else has, or it is gone. */
  async function claim(row: DelayedEventRow): Promise<boolean> {
    const set = createWriteSet();
    claimDelayedEvent(set, row, now() + claimTime);
    try {
      await db.commit(set);
      return true;
    } catch (error) {
      if (error instanceof StorageError && error.guard === 'delayed-event.taken') return false;
      throw error;
    }
  }

  async function sendNow(row: DelayedEventRow): Promise<void> {
    // Whoever else sends it sends the same event.
    if (!(await claim(row)) && (await findDelayedEvent(db, row.delay_id)) === undefined) {
      throw new MatrixError('delayed-event.not-found');
    }
    await send(row);
  }

  async function sendDue(row: DelayedEventRow): Promise<void> {
    try {
      if (await claim(row)) await send(row);
    } catch (error) {
      log.warn({ err: error, delayId: row.delay_id, roomId: row.room_id }, 'A delayed event was not sent');
      // What the room's rules refuse is done with; the rest is tried again when the claim is over.
    }
  }

  async function work(): Promise<void> {
    for (;;) {
      if (closed) return;
      again = false;
      const due = await listDueEvents(db, now(), atOnce);
      if (due.length === 0) break;
      for (const row of due) await sendDue(row);
    }
    const next = await findNextDue(db);
    if (next !== undefined) wakeIn(next - now());
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
