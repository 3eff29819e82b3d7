import { isJsonObject, parseJson, type RoomVersionRules, serverNameOf } from '@portico/protocol';
import type { Reader } from '@portico/storage';
import type { StateStore } from '@portico/storage/state-trie/index.ts';
import { readPdusById, type StoredPduRow } from '@portico/storage/stores/federation-rooms.ts';
import { findRoom } from '@portico/storage/stores/rooms.ts';
import { eventStatus } from '@portico/storage/stores/event-row.ts';
import { MatrixError } from '../../../errors/matrix-error.ts';
import type { StateEvents } from '../../rooms/state-events.ts';
import type { FederatedRoom, FederatedRooms } from './federated-rooms.ts';
import { readAuthChain, readStatePdus, type StatePdus } from './state-before.ts';

/** What servers in a room may ask about its events. Events are texts. */
export interface EventQueries {
  event(origin: string, eventId: string): Promise<string>;
  stateBefore(origin: string, roomId: string, eventId: string): Promise<StatePdus>;
  authChain(origin: string, roomId: string, eventId: string): Promise<readonly string[]>;
  /** Events and those before them, newest first. */
  backfill(origin: string, roomId: string, from: readonly string[], limit: number): Promise<readonly string[]>;
  /** Events before `latest` and not before `earliest`, oldest first. */
  missing(
    origin: string,
    roomId: string,
    range: { readonly latest: readonly string[]; readonly earliest: readonly string[]; readonly limit: number },
  ): Promise<readonly string[]>;
}

type Dependencies = {
  readonly db: Reader;
  readonly states: StateStore;
  readonly stateEvents: StateEvents;
  readonly rooms: FederatedRooms;
};

const maxEvents = 100;

export function createEventQueries(deps: Dependencies): EventQueries {
  const { db, states, stateEvents, rooms } = deps;

  async function findIn(room: FederatedRoom, eventId: string): Promise<StoredPduRow> {
    const [row] = await readPdusById(db, [eventId]);
    if (row === undefined || row.room_nid !== room.roomNid || row.status === eventStatus.rejected) {
      throw new MatrixError('event.not-found');
    }
    return row;
  }

  /**
   * Which events a server may see: those of rooms whose history is open, and those at which one of its people was joined, or
   * invited where that is enough. Membership counts at the event, whatever it is now.
   */
  async function visibleTo(origin: string, rules: RoomVersionRules, rows: readonly StoredPduRow[]) {
    const verdicts = new Map<number, boolean>();
    const visible: StoredPduRow[] = [];
    for (const row of rows) {
      const rootId = row.state_after ?? row.state_before;
      if (rootId === null) continue;
      let verdict = verdicts.get(rootId);
      if (verdict === undefined) verdicts.set(rootId, (verdict = await isVisibleAt(origin, rules, rootId)));
      if (verdict) visible.push(row);
    }
    return visible;
  }

  async function isVisibleAt(origin: string, rules: RoomVersionRules, rootId: number): Promise<boolean> {
    const root = await states.root(rootId).run();
    const nid = await states.get(root, 'm.room.history_visibility', '').run();
    const set = nid === undefined ? undefined : (await stateEvents.load(rules, [nid])).get(nid);
    const visibility = set?.event.content['history_visibility'];
    if (visibility !== 'joined' && visibility !== 'invited') return true;
    for await (const nids of states.events(root, { only: 'm.room.member' })) {
      for (const { event } of (await stateEvents.load(rules, nids)).values()) {
        const { membership } = event.content;
        const counts = membership === 'join' || (membership === 'invite' && visibility === 'invited');
        if (counts && serverNameOf(event.stateKey ?? '') === origin) return true;
      }
    }
    return false;
  }

  /** Walks backwards along previous events, the newest first. */
  async function walk(
    room: FederatedRoom,
    from: readonly string[],
    stopAt: ReadonlySet<string>,
    limit: number,
  ): Promise<StoredPduRow[]> {
    const found = new Map<string, StoredPduRow>();
    let next = [...from];
    while (next.length > 0 && found.size < limit) {
      const rows = (await readPdusById(db, next)).filter(
        (row) => row.room_nid === room.roomNid && row.status === eventStatus.accepted,
      );
      const previous = new Set<string>();
      for (const row of rows.toSorted((a, b) => b.depth - a.depth)) {
        if (found.size < limit) found.set(row.event_id, row);
        for (const eventId of previousOf(row.pdu)) previous.add(eventId);
      }
      next = [...previous].filter((eventId) => !found.has(eventId) && !stopAt.has(eventId));
    }
    return [...found.values()];
  }

  return {
    async event(origin, eventId) {
      const [row] = await readPdusById(db, [eventId]);
      const found = row && (await findRoom(db, row.room_nid));
      if (row === undefined || found === undefined) throw new MatrixError('event.not-found');
      const room = await rooms.openToMember(found.room_id, origin);
      const [visible] = await visibleTo(origin, room.rules, [await findIn(room, eventId)]);
      if (visible === undefined) throw new MatrixError('event.not-found');
      return visible.pdu;
    },
    async stateBefore(origin, roomId, eventId) {
      const room = await rooms.openToMember(roomId, origin);
      const row = await findIn(room, eventId);
      const [visible] = await visibleTo(origin, room.rules, [row]);
      if (visible?.state_before === undefined || visible.state_before === null) {
        throw new MatrixError('event.not-found');
      }
      return readStatePdus(deps, room.rules, visible.state_before);
    },
    async authChain(origin, roomId, eventId) {
      const room = await rooms.openToMember(roomId, origin);
      await findIn(room, eventId);
      const events = await stateEvents.loadById(room.rules, [eventId]);
      const { authChain } = await readAuthChain(deps, room.rules, events.get(eventId)?.event.authEvents ?? []);
      return authChain;
    },
    async backfill(origin, roomId, from, limit) {
      const room = await rooms.openToMember(roomId, origin);
      const rows = await walk(room, from, new Set(), Math.min(limit, maxEvents));
      return (await visibleTo(origin, room.rules, rows)).map((row) => row.pdu);
    },
    async missing(origin, roomId, { latest, earliest, limit }) {
      const room = await rooms.openToMember(roomId, origin);
      const latestRows = (await readPdusById(db, latest)).filter((row) => row.room_nid === room.roomNid);
      const stopAt = new Set([...earliest, ...latest]);
      const first = latestRows.flatMap((row) => previousOf(row.pdu)).filter((eventId) => !stopAt.has(eventId));
      const rows = await walk(room, first, stopAt, Math.min(limit, maxEvents));
      return (await visibleTo(origin, room.rules, rows.toReversed())).map((row) => row.pdu);
    },
  };
}

function previousOf(text: string): string[] {
  const pdu = parseJson(text, 'lenient');
  const previous = isJsonObject(pdu) ? pdu['prev_events'] : undefined;
  const list = Array.isArray(previous) ? (previous as readonly unknown[]) : [];
  return list
    .map((each) => (Array.isArray(each) ? (each as readonly unknown[])[0] : each))
    .filter((each) => typeof each === 'string');
}
