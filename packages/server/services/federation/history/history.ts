import { parseJson, type ServerName } from '@portico/protocol';
import { createWriteSet, StorageError } from '@portico/storage';
import { eventStatus } from '@portico/storage/stores/events/event-row.ts';
import {
  findGap,
  type GapRow,
  readGaps,
  readHistoryEvents,
  setMissingBefore,
} from '@portico/storage/stores/events/history.ts';
import type { Logger } from '../../../observability/logger.ts';
import { createSmallCache } from '../../reading/small-cache.ts';
import type { History } from '../../reading/history.ts';
import type { ImportDependencies } from '../../rooms/importing/import-dependencies.ts';
import type { Merger } from '../../rooms/receiving/merge.ts';
import { FederationError } from '../client/federation-error.ts';
import type { InboundRedactions } from '../receiving/inbound-redactions.ts';
import type { FederatedRoom, FederatedRooms } from '../rooms/federated-rooms.ts';
import { completeAuth } from './complete-auth.ts';
import { serversToAsk } from './gap-servers.ts';
import { gateRedactions } from './gate-redactions.ts';
import { type HistorySource, mostStarts } from './history-source.ts';
import { type JudgedEvent, judgeStretch, UntoldHistory } from './judge-stretch.ts';
import { createPastState } from './past-state.ts';
import { connect } from './stretch.ts';
import { type StretchPlace, writeStretch } from './write-stretch.ts';

type Dependencies = {
  readonly source: HistorySource;
  readonly importing: ImportDependencies;
  readonly merger: Merger;
  readonly rooms: FederatedRooms;
  readonly redactions: Pick<InboundRedactions, 'settle'>;
  readonly serverName: string;
  readonly log: Logger;
  readonly now: () => number;
};

type Answer = 'filled' | 'nothing' | 'refused';

const mostServers = 4;
/** Gaps of one room that are looked at. */
const mostGaps = 100;
/** Rooms whose past is fetched at the same time. */
const mostRooms = 16;
/** Nobody is asked again about a gap that nobody could fill for that long, in milliseconds. */
const pause = 60_000;

/** Fetches what happened in rooms before this server was in them, or while it could not hear. */
export function createHistory(deps: Dependencies): History {
  const { source, importing, rooms, serverName, log, now } = deps;
  const { db, states, stateEvents } = importing;
  const judging = { importing, merger: deps.merger, pastState: createPastState({ source, importing }) };
  const underway = new Map<number, Promise<unknown>>();
  const failures = createSmallCache<string, number>(1000);

  async function settleRedactions(room: FederatedRoom, placed: readonly JudgedEvent[]): Promise<void> {
    const events = placed.map(({ received: { event }, eventNid }) => ({ event, eventNid }));
    const [failure] = await deps.redactions.settle(room, events, []);
    if (failure !== undefined) throw failure[1];
  }

  /**
   * Whether the server gave anything that goes to this place. `nothing`: it answered, and nothing of it is new.
   */
  async function fetchFrom(
    room: FederatedRoom,
    server: ServerName,
    gap: GapRow,
    wanted: readonly string[],
    place: Pick<StretchPlace, 'newest' | 'adjoins'>,
  ): Promise<Answer> {
    const received = await source.before(room, server, wanted);
    const depth = place.adjoins ? gap.depth : Infinity;
    const stretch = await connect(db, { roomNid: room.roomNid, eventIds: wanted, depth }, received);
    if (stretch.events.length === 0) return received.length > 0 || stretch.missing.length === 0 ? 'nothing' : 'refused';
    if (place.newest - stretch.events.length <= gap.lower_order) return 'refused';
    await completeAuth({ source, importing }, room, server, stretch.events);
    const behind = {
      state: await states.root(gap.state_before).run(),
      follows: place.adjoins ? await previousOf(room, gap.event_id) : [],
    };
    const judged = await judgeStretch(judging, room, server, stretch.events, behind);
    const gated = await gateRedactions(importing, room, judged.events);
    const released = gated.released.values().reduce((sum, each) => sum + each.length, 0);
    if (place.newest - stretch.events.length - released <= gap.lower_order) return 'refused';
    const to = { roomNid: room.roomNid, rules: room.rules, gap, ...place };
    const placed = await writeStretch({ ...importing, now }, to, stretch.missing.slice(0, mostStarts), judged, gated);
    await settleRedactions(room, placed);
    return 'filled';
  }

  async function previousOf({ rules }: FederatedRoom, eventId: string): Promise<readonly string[]> {
    return (await stateEvents.loadById(rules, [eventId])).get(eventId)?.event.prevEvents ?? [];
  }

  async function throughAny(
    room: FederatedRoom,
    servers: readonly ServerName[],
    attempt: (server: ServerName) => Promise<Answer>,
  ): Promise<Answer> {
    let answer: Answer = 'refused';
    for (const server of servers) {
      try {
        const given = await attempt(server);
        if (given === 'filled') return given;
        if (given === 'nothing') answer = given;
      } catch (error) {
        // Somebody else, or an event that came meanwhile, was faster: there is something new to be read.
        if (error instanceof StorageError && error.reason === 'guard-failed') return 'filled';
        if (!(error instanceof FederationError) && !(error instanceof UntoldHistory)) throw error;
        log.info({ roomId: room.roomId, server, reason: error.message }, 'A server did not tell what came before');
      }
    }
    return answer;
  }

  async function askAll(room: FederatedRoom, gap: GapRow): Promise<boolean> {
    const wanted = missingIn(gap);
    const servers = await serversToAsk(db, serverName, { ...room, sender: gap.sender }, mostServers);
    const place = { newest: gap.room_order - 1, adjoins: true };
    const answer = await throughAny(room, servers, (server) => fetchFrom(room, server, gap, wanted, place));
    // All that any of them has behind the gap is here: what is still missing is what nobody shows.
    if (answer === 'nothing') await close(gap);
    return answer !== 'refused';
  }

  async function close(gap: GapRow): Promise<void> {
    const set = createWriteSet();
    setMissingBefore(set, gap, []);
    await db.commit(set);
  }

  /** The event and some of what came before it, to a place of their own: where a gap lies, for both are older than it. */
  async function fetchEvent(room: FederatedRoom, server: ServerName, eventId: string, ts: number): Promise<Answer> {
    const gaps = await readGaps(db, room.roomNid, mostGaps);
    const gap = gaps.findLast((each) => each.origin_server_ts >= ts) ?? gaps[0];
    if (gap === undefined) return 'refused';
    const newest = gap.lower_order + Math.floor((gap.room_order - gap.lower_order) / 2);
    return fetchFrom(room, server, gap, [eventId], { newest, adjoins: false });
  }

  /** One at a time for each room. Nothing where this server is not in it. */
  async function oneAtATime<T>(roomNid: number, work: () => Promise<T>): Promise<T | undefined> {
    if (underway.size >= mostRooms) return undefined;
    const running = work();
    underway.set(roomNid, running);
    try {
      return await running;
    } finally {
      underway.delete(roomNid);
    }
  }

  return {
    async fillGap({ roomNid, roomId }, order) {
      const running = underway.get(roomNid);
      if (running !== undefined) {
        await Promise.allSettled([running]);
        return 'filled';
      }
      const key = `${roomNid} ${order}`;
      if ((failures.get(key) ?? 0) > now()) return 'never';
      const filled = await oneAtATime(roomNid, async () => {
        const [room, gap] = await Promise.all([rooms.find(roomId, serverName), findGap(db, roomNid, order)]);
        return room?.isOurs === true && (gap === undefined || (await askAll(room, gap)));
      });
      if (filled === false) failures.set(key, now() + pause);
      return filled === undefined ? 'later' : filled ? 'filled' : 'never';
    },
    async findByTime({ roomNid, roomId }, ts, direction) {
      const room = await rooms.find(roomId, serverName);
      if (room?.isOurs !== true) return undefined;
      for (const server of await serversToAsk(db, serverName, room, mostServers)) {
        const found = await source.byTime(room, server, ts, direction);
        if (found === undefined) continue;
        await Promise.allSettled([underway.get(roomNid)]);
        const isHere = (await readHistoryEvents(db, [found.eventId])).some(
          (row) => row.status === eventStatus.accepted,
        );
        const fetch = () => throughAny(room, [server], () => fetchEvent(room, server, found.eventId, found.ts));
        if (isHere || (await oneAtATime(roomNid, fetch)) === 'filled') return found;
      }
      return undefined;
    },
  };
}

function missingIn({ missing_before: text }: GapRow): readonly string[] {
  const list = parseJson(text);
  return Array.isArray(list) ? list.filter((each) => typeof each === 'string') : [];
}
