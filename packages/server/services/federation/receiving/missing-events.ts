import { isSticky, parseServerName, type RoomEvent, type ServerName, serverNameOf } from '@portico/protocol';
import type { Reader } from '@portico/storage';
import { findDepthOfArrival } from '@portico/storage/stores/federation/federation-rooms.ts';
import { type ExtremityRow, findRoom } from '@portico/storage/stores/rooms/rooms.ts';
import { getMissingEvents } from '../../../federation-api/history.ts';
import type { MissingEventsError, ReceivedEvent } from '../../rooms/receiving/received-event.ts';
import { stickinessOf } from '../../rooms/stickiness.ts';
import type { FederationClient } from '../client/federation-client.ts';
import { FederationError } from '../client/federation-error.ts';
import type { HistorySource } from '../history/history-source.ts';
import type { CheckPdus } from '../rooms/check-pdus.ts';
import type { FederatedRoom } from '../rooms/federated-rooms.ts';
import type { Leap, ReceiveOther } from './leap.ts';
import type { StoreOutliers } from './store-outliers.ts';

/** Fetches what an event builds on. Whether there is hope that the event can be received now. */
export type FetchMissing = (
  room: FederatedRoom,
  received: ReceivedEvent,
  missing: MissingEventsError,
  from: string,
  receive: ReceiveOther,
) => Promise<boolean>;

type Dependencies = {
  readonly db: Reader;
  readonly client: FederationClient;
  readonly checkPdus: CheckPdus;
  readonly source: HistorySource;
  readonly leap: Leap;
  readonly outliers: StoreOutliers;
  readonly serverName: string;
  readonly now: () => number;
};

/** Events of a gap that are asked for at once; what lies behind a longer gap is left open, and only the state there fetched. */
const gapLimit = 100;
/** Events that the other server is told are here. */
const mostEarliest = 50;
/** Events of one gap for which what they build on is fetched. */
const mostEnds = 5;

export function createFetchMissing(deps: Dependencies): FetchMissing {
  const { db, client, checkPdus, source, leap, outliers, serverName, now } = deps;
  /** Events whose gap was asked for, with what was given of it: what cannot be taken is not asked for once more. */
  const asked = new WeakMap<RoomEvent, ReadonlySet<string>>();

  async function fetchBehind(
    room: FederatedRoom,
    event: RoomEvent,
    { prevEvents }: MissingEventsError,
    server: ServerName,
    receive: ReceiveOther,
  ): Promise<boolean> {
    if (prevEvents.length === 0) {
      return outliers.authEvents(room, await source.authChain(room, server, event.eventId));
    }
    let done = 0;
    for (const eventId of prevEvents) done += (await leap.to(room, server, eventId, receive)) ? 1 : 0;
    return done > 0;
  }

  /** Receives an event of the gap, if need be after what it builds on. */
  async function receiveOne(
    room: FederatedRoom,
    received: ReceivedEvent,
    server: ServerName,
    receive: ReceiveOther,
    mayFetch: () => boolean,
  ): Promise<void> {
    let missing = await receive(received);
    // The events that it follows, then those that allow it.
    for (let round = 0; round < 2 && missing !== undefined && mayFetch(); round++) {
      if (!(await fetchBehind(room, received.event, missing, server, receive))) return;
      missing = await receive(received);
    }
  }

  /** Whether the server gave anything that can be taken, or had nothing to give. */
  async function fillGap(
    room: FederatedRoom,
    event: RoomEvent,
    server: ServerName,
    receive: ReceiveOther,
  ): Promise<boolean> {
    const row = await findRoom(db, room.roomNid);
    if (row === undefined) return false;
    const earliest = (JSON.parse(row.extremities) as readonly ExtremityRow[])
      .map(([eventId]) => eventId)
      .slice(-mostEarliest);
    const { events } = await client.call(getMissingEvents, server, {
      params: { roomId: room.roomId },
      body: { earliest_events: earliest, latest_events: [event.eventId], limit: gapLimit, min_depth: 0 },
    });
    const checked = await checkPdus(room.rules, events.slice(0, gapLimit));
    const good = checked.filter((each) => each.kind === 'ok').filter((each) => each.event.roomId === room.roomId);
    asked.set(event, new Set(good.map((each) => each.event.eventId)));
    let ends = 0;
    const mayFetch = () => ends++ < mostEnds;
    const inOrder = good.toSorted((a, b) => a.event.depth - b.event.depth);
    // All at once: mostly, what one of them builds on is another one of them.
    const missing = await Promise.all(inOrder.map(receive));
    for (const each of inOrder.filter((_, index) => missing[index] !== undefined)) {
      try {
        await receiveOne(room, each, server, receive, mayFetch);
      } catch (error) {
        // It does not tell what this event builds on; others may not need that.
        if (!(error instanceof FederationError)) throw error;
      }
    }
    return good.length > 0 || checked.length === 0;
  }

  /**
   * Whether a message is of interest for being sticky although it is from before this server was in the room. What it follows is
   * the room's history then, and no news.
   */
  async function isOfThePast({ roomNid }: FederatedRoom, event: RoomEvent): Promise<boolean> {
    if (event.stateKey !== undefined) return false;
    const { until = 0 } = stickinessOf(event, now(), false) ?? {};
    if (!isSticky(until, now())) return false;
    const arrival = await findDepthOfArrival(db, roomNid, serverName);
    return arrival !== undefined && event.depth < arrival;
  }

  async function askOne(
    server: ServerName,
    room: FederatedRoom,
    received: ReceivedEvent,
    missing: MissingEventsError,
    receive: ReceiveOther,
  ): Promise<boolean> {
    const { event } = received;
    try {
      if (missing.prevEvents.length > 0 && (await isOfThePast(room, event))) {
        return await leap.with(room, server, received);
      }
      const given = asked.get(event);
      if (given === undefined && missing.prevEvents.length > 0) return await fillGap(room, event, server, receive);
      if (given !== undefined && missing.prevEvents.some((eventId) => given.has(eventId))) return false;
      return await fetchBehind(room, event, missing, server, receive);
    } catch (error) {
      if (error instanceof FederationError) return false;
      throw error;
    }
  }

  return async (room, received, missing, from, receive) => {
    // What it follows nobody knows better than the server that has made it: who passes it on may tell something else.
    const own = serverNameOf(received.event.sender);
    const servers = [own, from].map((name) => parseServerName(name ?? '')).filter((name) => name !== undefined);
    for (const server of new Set(servers)) {
      if (server !== serverName && (await askOne(server, room, received, missing, receive))) return true;
    }
    return false;
  };
}
