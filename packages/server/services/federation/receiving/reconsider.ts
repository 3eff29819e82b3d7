import { findRoomVersion, parsePdu, serverNameOf, toRoomEvent } from '@portico/protocol';
import { movedMemberOf } from '@portico/storage/stores/rooms/moved-member.ts';
import type { Database } from '@portico/storage';
import { findRoom } from '@portico/storage/stores/rooms/rooms.ts';
import {
  readRoomsWithSoftFailedSticky,
  readSoftFailedSticky,
  type SoftFailedRow,
} from '@portico/storage/stores/events/sticky-reads.ts';
import type { FederatedRoom, FederatedRooms } from '../rooms/federated-rooms.ts';
import type { IngestEvent } from './room-inbox.ts';

type Dependencies = {
  readonly db: Database;
  readonly rooms: Pick<FederatedRooms, 'find'>;
  readonly ingest: IngestEvent;
  readonly now: () => number;
  readonly log: { warn(details: object, message: string): void };
};

const perPage = 100;

/** Whose events are looked at once more: those of some people, or all. */
type Senders = Set<string> | 'all';

/**
 * "Soft-failure checks MUST be re-evaluated when the membership state changes for a user with unexpired sticky events." The same
 * where power levels have changed: servers that saw things in another order are to agree in the end.
 *
 * {@link https://github.com/matrix-org/matrix-spec-proposals/pull/4354}
 */
export function createReconsider({ db, rooms, ingest, now, log }: Dependencies): { close(): Promise<void> } {
  /** Rooms that may have such events: all of them, once that was looked for. */
  const concerned = new Set<number>();
  let isKnown = false;
  let isLooking = false;
  const waiting = new Map<number, Senders>();
  let working: Promise<void> | undefined;
  let closed = false;

  async function reconsider(room: FederatedRoom, { pdu, sender }: SoftFailedRow): Promise<void> {
    const parsed = parsePdu(room.rules, pdu);
    if (parsed.kind !== 'ok') throw new Error('a stored event is none');
    const event = toRoomEvent(room.rules, parsed.pdu, parsed.eventId, { rejected: false });
    await ingest(room, { event, pieces: parsed.pieces, isReconsidered: true }, serverNameOf(sender) ?? '');
  }

  async function workInRoom(roomNid: number, senders: Senders): Promise<void> {
    const row = await findRoom(db, roomNid);
    const room = row && (await rooms.find(row.room_id, ''));
    if (row === undefined || room === undefined || !room.isOurs || findRoomVersion(row.room_version) === undefined)
      return;
    // Those that come while this is looked at say so themselves.
    concerned.delete(roomNid);
    for (let after = -1; ;) {
      if (closed) return;
      const events = await readSoftFailedSticky(db, roomNid, { after, now: now(), limit: perPage });
      if (events.length > 0) concerned.add(roomNid);
      for (const each of events) {
        if (senders !== 'all' && !senders.has(each.sender)) continue;
        await reconsider(room, each).catch((error: unknown) => {
          log.warn({ err: error, roomNid }, 'A sticky event could not be looked at once more');
        });
      }
      const last = events.at(-1);
      if (last === undefined || events.length < perPage) break;
      after = last.event_nid;
    }
  }

  function unknown(error: unknown): never {
    isKnown = false;
    throw error;
  }

  async function work(): Promise<void> {
    if (!isKnown) {
      isKnown = true;
      isLooking = true;
      for (const roomNid of await readRoomsWithSoftFailedSticky(db, now()).catch(unknown)) {
        concerned.add(roomNid);
        // What has changed while nobody was looking is not known.
        waiting.set(roomNid, 'all');
      }
      isLooking = false;
    }
    for (;;) {
      const [next] = waiting;
      if (next === undefined || closed) return;
      waiting.delete(next[0]);
      await workInRoom(...next);
    }
  }

  function start(): void {
    if (closed) return;
    working ??= work()
      .catch((error: unknown) => log.warn({ err: error }, 'Looking at sticky events once more failed'))
      .finally(() => {
        working = undefined;
        if (waiting.size > 0) start();
      });
  }

  function add(roomNid: number, sender: string | undefined): void {
    if (isKnown && !isLooking && !concerned.has(roomNid)) return;
    const before = waiting.get(roomNid);
    if (sender === undefined) waiting.set(roomNid, 'all');
    else if (before === undefined) waiting.set(roomNid, new Set([sender]));
    else if (before !== 'all') before.add(sender);
  }

  const stop = db.onChanges((batches) => {
    for (const { changes } of batches) {
      for (const change of changes) {
        const { kind, key } = change;
        const moved = movedMemberOf(change);
        if (moved !== undefined) add(moved.roomNid, moved.userId);
        else if (kind === 'sticky_soft_failed') concerned.add(Number(key));
        else if (kind === 'power_levels') add(Number(key), undefined);
        // This process was cut off for longer than changes are kept.
        else if (kind === '*') isKnown = false;
      }
    }
    if (waiting.size > 0 || !isKnown) start();
  });
  start();

  return {
    async close() {
      closed = true;
      stop();
      await working;
    },
  };
}
