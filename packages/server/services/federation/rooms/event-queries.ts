import {
  allAuthEvents,
  checkHash,
  encodeCanonical,
  parseJson,
  type Pdu,
  redactPdu,
  type RoomVersionRules,
} from '@portico/protocol';
import type { Reader } from '@portico/storage';
import type { StateStore } from '@portico/storage/state-trie/index.ts';
import { readEventsByTime } from '@portico/storage/stores/events/events-by-time.ts';
import { readPdusById, readPdusByNid, type StoredPduRow } from '@portico/storage/stores/federation/federation-rooms.ts';
import { findRoom } from '@portico/storage/stores/rooms/rooms.ts';
import { eventStatus } from '@portico/storage/stores/events/event-row.ts';
import { MatrixError } from '../../../errors/matrix-error.ts';
import type { ErasedSenders } from '../../reading/erased-senders.ts';
import { createPacer } from '../../pacer.ts';
import type { StateEvents } from '../../rooms/state-events.ts';
import type { HideErasedProfiles } from './erased-profiles.ts';
import type { FederatedRoom, FederatedRooms } from './federated-rooms.ts';
import { createServerSight } from './server-sight.ts';
import { authChainPieces, readStateIds, statePieces } from './state-before.ts';
import { previousOf, walkBack } from './walk-back.ts';

/** What servers in a room may ask about its events. Events are texts. */
export interface EventQueries {
  event(origin: string, eventId: string): Promise<string>;
  /** Events of the state, and their auth chain, as JSON in pieces. */
  stateBefore(origin: string, roomId: string, eventId: string): Promise<AsyncGenerator<string>>;
  stateIdsBefore(origin: string, roomId: string, eventId: string): ReturnType<typeof readStateIds>;
  /** As JSON in pieces. */
  authChain(origin: string, roomId: string, eventId: string): Promise<AsyncGenerator<string>>;
  /** Events and those before them, newest first. */
  backfill(origin: string, roomId: string, from: readonly string[], limit: number): Promise<readonly string[]>;
  /** Events before `latest` and not before `earliest`, oldest first. */
  missing(
    origin: string,
    roomId: string,
    range: {
      readonly latest: readonly string[];
      readonly earliest: readonly string[];
      readonly limit: number;
      readonly minDepth: number;
    },
  ): Promise<readonly string[]>;
  /** The event that the server may see whose sender's clock was closest to a time, in one direction. */
  byTime(
    origin: string,
    roomId: string,
    ts: number,
    direction: 'forwards' | 'backwards',
  ): Promise<{ readonly event_id: string; readonly origin_server_ts: number }>;
}

type Dependencies = {
  readonly db: Reader;
  readonly states: StateStore;
  readonly stateEvents: StateEvents;
  readonly hideErased: HideErasedProfiles;
  readonly rooms: FederatedRooms;
  readonly erased: ErasedSenders;
  readonly now: () => number;
};

const maxEvents = 100;
/** Events closest to a time that are looked at. */
const maxCandidates = 50;

export function createEventQueries(dependencies: Dependencies): EventQueries {
  const deps = { ...dependencies, pace: createPacer() };
  const { db, stateEvents, rooms } = deps;
  const sight = createServerSight(deps);

  async function findIn(room: FederatedRoom, eventId: string): Promise<StoredPduRow> {
    const [row] = await readPdusById(db, [eventId]);
    if (row === undefined || row.room_nid !== room.roomNid || row.status === eventStatus.rejected) {
      throw new MatrixError('event.not-found');
    }
    return row;
  }

  /** Events as texts, those that the server may not see in their redacted form. */
  async function textsFor(
    origin: string,
    room: FederatedRoom,
    rows: readonly StoredPduRow[],
  ): Promise<readonly string[]> {
    const sights = await sight.judge(origin, room.rules, rows);
    return rows.map(({ event_id: eventId, pdu }) => (sights.get(eventId) === 'yes' ? pdu : redacted(room.rules, pdu)));
  }

  async function visibleRow(origin: string, room: FederatedRoom, eventId: string): Promise<StoredPduRow> {
    const row = await findIn(room, eventId);
    const answer = (await sight.judge(origin, room.rules, [row])).get(eventId);
    if (answer === undefined) throw new MatrixError('event.not-found');
    return answer === 'yes' ? row : { ...row, pdu: redacted(room.rules, row.pdu) };
  }

  async function rootBefore(origin: string, room: FederatedRoom, eventId: string): Promise<number> {
    const { state_before: before } = await visibleRow(origin, room, eventId);
    if (before === null) throw new MatrixError('event.not-found');
    return before;
  }

  return {
    async event(origin, eventId) {
      const [row] = await readPdusById(db, [eventId]);
      const found = row && (await findRoom(db, row.room_nid));
      if (row === undefined || found === undefined) throw new MatrixError('event.not-found');
      const room = await rooms.openToMember(found.room_id, origin);
      if (isEmptied(room.rules, row)) throw new MatrixError('event.not-found');
      return (await visibleRow(origin, room, eventId)).pdu;
    },
    async stateBefore(origin, roomId, eventId) {
      const room = await rooms.openToMember(roomId, origin);
      return inBraces(statePieces(deps, room.rules, await rootBefore(origin, room, eventId), { name: 'pdus' }));
    },
    async stateIdsBefore(origin, roomId, eventId) {
      const room = await rooms.openToMember(roomId, origin);
      return readStateIds(deps, room.rules, await rootBefore(origin, room, eventId));
    },
    async authChain(origin, roomId, eventId) {
      const room = await rooms.openToMember(roomId, origin);
      await findIn(room, eventId);
      const found = (await stateEvents.loadById(room.rules, [eventId])).get(eventId);
      return inBraces(authChainPieces(deps, room.rules, found ? allAuthEvents(room.rules, found.event) : []));
    },
    async backfill(origin, roomId, from, limit) {
      const room = await rooms.openToMember(roomId, origin);
      const rows = await walkBack(db, room.roomNid, from, { limit: Math.min(limit, maxEvents) });
      return textsFor(origin, room, rows);
    },
    async missing(origin, roomId, { latest, earliest, limit, minDepth }) {
      const room = await rooms.openToMember(roomId, origin);
      const latestRows = (await readPdusById(db, latest)).filter((row) => row.room_nid === room.roomNid);
      const stopAt = new Set([...earliest, ...latest]);
      const first = latestRows.flatMap((row) => previousOf(row.pdu)).filter((eventId) => !stopAt.has(eventId));
      const before = latestRows;
      const rows = await walkBack(db, room.roomNid, first, {
        stopAt,
        minDepth,
        before,
        limit: Math.min(limit, maxEvents),
      });
      return textsFor(origin, room, rows.toReversed());
    },
    async byTime(origin, roomId, ts, direction) {
      const room = await rooms.openToMember(roomId, origin);
      const from = { ts, order: direction === 'forwards' ? -1 : Number.MAX_SAFE_INTEGER };
      const places = await readEventsByTime(db, room.roomNid, direction, from, maxCandidates);
      const rows = new Map(
        (
          await readPdusByNid(
            db,
            places.map((place) => place.event_nid),
          )
        ).map((row) => [row.event_nid, row]),
      );
      const ordered = places.flatMap((place) => rows.get(place.event_nid) ?? []);
      const visible = await sight.judge(origin, room.rules, ordered);
      const found = ordered.find((row) => visible.has(row.event_id));
      if (found === undefined)
        throw new MatrixError('not-found', { message: `There is no event ${direction} from ${ts}.` });
      return { event_id: found.event_id, origin_server_ts: found.origin_server_ts };
    },
  };
}

/** Nobody is to take what is left of an event that was not let in here for all that there is of it. */
function isEmptied(rules: RoomVersionRules, { status, pdu }: StoredPduRow): boolean {
  const isOutside = status === eventStatus.softFailed || status === eventStatus.outlier;
  return isOutside && !checkHash(rules, parseJson(pdu, 'lenient') as Pdu);
}

async function* inBraces(members: AsyncGenerator<string>): AsyncGenerator<string> {
  yield '{';
  yield* members;
  yield '}';
}

function redacted(rules: RoomVersionRules, text: string): string {
  return encodeCanonical(redactPdu(rules, parseJson(text, 'lenient') as Pdu), rules.canonicalJson);
}
