import { parsePdu, toRoomEvent } from '@portico/protocol';
import { createWriteSet, type Database } from '@portico/storage';
import {
  addLateEvent,
  beginLateEvents,
  dropLateEvents,
  type LateEvent,
  readLateEvents,
} from '@portico/storage/stores/events/late-events.ts';
import type { ReceivedEvent } from '../../rooms/receiving/received-event.ts';
import type { FederatedRoom, FederatedRooms } from '../rooms/federated-rooms.ts';
import type { IngestEvent } from './room-inbox.ts';

/**
 * Keeps what its server was told to have arrived until it is known what becomes of it: "200 OK" says that this server has it,
 * and nobody sends it again.
 */
export interface LateEvents {
  keep(room: FederatedRoom, origin: string, received: ReceivedEvent): Promise<void>;
  forget(eventId: string): Promise<void>;
  /** Sees to what a process before this one has left. */
  resume(): Promise<void>;
  /** What is under way from here on is left to the next process. */
  close(): void;
}

type Dependencies = {
  readonly db: Database;
  readonly rooms: Pick<FederatedRooms, 'find'>;
  readonly ingest: IngestEvent;
  readonly log: { info(details: object, message: string): void };
};

const perPage = 50;
const mostAttempts = 3;

export function createLateEvents({ db, rooms, ingest, log }: Dependencies): LateEvents {
  const ending = new AbortController();

  async function commit(write: (set: ReturnType<typeof createWriteSet>) => void): Promise<void> {
    const set = createWriteSet();
    write(set);
    await db.commit(set);
  }

  /** It has passed the checks on receipt. */
  async function takeUp({ event_id: eventId, room_id: roomId, origin, pdu }: LateEvent): Promise<void> {
    try {
      const room = await rooms.find(roomId, origin);
      if (room === undefined || !room.isOurs || !room.isAllowed) return;
      const parsed = parsePdu(room.rules, pdu);
      if (parsed.kind !== 'ok') return;
      const event = toRoomEvent(room.rules, parsed.pdu, eventId, { rejected: false });
      await ingest(room, { event, pieces: parsed.pieces }, origin);
    } catch (error) {
      log.info({ error, roomId, eventId, origin }, 'An event that came before the start could not be received');
    }
  }

  async function forget(eventIds: readonly string[]): Promise<void> {
    if (!ending.signal.aborted) await commit((set) => dropLateEvents(set, eventIds));
  }

  return {
    keep: ({ roomId: room_id }, origin, { event: { eventId: event_id }, pieces: { before, content, after } }) =>
      commit((set) => addLateEvent(set, { event_id, room_id, origin, pdu: before + content + after })),
    forget: (eventId) => forget([eventId]),
    async resume() {
      if ((await readLateEvents(db, '', 1)).length === 0) return;
      await commit((set) => beginLateEvents(set, mostAttempts));
      for (let after = ''; !ending.signal.aborted;) {
        const events = await readLateEvents(db, after, perPage);
        const last = events.at(-1);
        if (last === undefined) return;
        await Promise.all(events.map(takeUp));
        await forget(events.map((each) => each.event_id));
        after = last.event_id;
      }
    },
    close() {
      ending.abort();
    },
  };
}
