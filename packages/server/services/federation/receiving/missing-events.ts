import { parseServerName, type RoomEvent } from '@portico/protocol';
import type { Reader } from '@portico/storage';
import { findRoom } from '@portico/storage/stores/rooms.ts';
import { getEventAuth, getMissingEvents, getState, getEvent } from '../../../federation-api/history.ts';
import type { MissingEventsError, ReceivedEvent } from '../../rooms/receiving/received-event.ts';
import type { FederationClient } from '../client/federation-client.ts';
import { FederationError } from '../client/federation-error.ts';
import type { CheckedPdu, CheckPdus } from '../rooms/check-pdus.ts';
import type { FederatedRoom } from '../rooms/federated-rooms.ts';
import type { StoreOutliers } from './store-outliers.ts';

/** Fetches what an event builds on. Whether there is hope that the event can be received now. */
export type FetchMissing = (
  room: FederatedRoom,
  event: RoomEvent,
  missing: MissingEventsError,
  from: string,
  receive: (received: ReceivedEvent) => Promise<void>,
) => Promise<boolean>;

type Dependencies = {
  readonly db: Reader;
  readonly client: FederationClient;
  readonly checkPdus: CheckPdus;
  readonly outliers: StoreOutliers;
};

/** Events of a gap that are asked for at once; a longer gap is left open, and only the state behind it fetched. */
const gapLimit = 100;

export function createFetchMissing({ db, client, checkPdus, outliers }: Dependencies): FetchMissing {
  async function fillGap(
    room: FederatedRoom,
    event: RoomEvent,
    from: string,
    receive: (received: ReceivedEvent) => Promise<void>,
  ): Promise<boolean> {
    const destination = parseServerName(from);
    const row = await findRoom(db, room.roomNid);
    if (destination === undefined || row === undefined) return false;
    const earliest = (JSON.parse(row.extremities) as [string, number][]).map(([eventId]) => eventId).slice(0, 20);
    const { events } = await client.call(getMissingEvents, destination, {
      params: { roomId: room.roomId },
      body: { earliest_events: earliest, latest_events: [event.eventId], limit: gapLimit, min_depth: 0 },
    });
    const good = await check(room, events.slice(0, gapLimit));
    for (const each of good.toSorted((a, b) => a.event.depth - b.event.depth)) await receive(each);
    return good.length > 0;
  }

  async function check(room: FederatedRoom, values: Parameters<CheckPdus>[1]): Promise<CheckedPdu[]> {
    const checked = await checkPdus(room.rules, values);
    return checked.filter((each) => each.kind === 'ok').filter(({ event }) => event.roomId === room.roomId);
  }

  /** Takes the other server's word for the state behind a gap; each event in it is judged by its own auth events. */
  async function jumpTo(room: FederatedRoom, eventId: string, from: string): Promise<boolean> {
    const destination = parseServerName(from);
    if (destination === undefined) return false;
    const answer = await client.call(getEvent, destination, { params: { eventId } });
    const [event] = await check(room, answer.pdus.slice(0, 1));
    if (event === undefined || event.event.eventId !== eventId) return false;
    const given = await client.call(getState, destination, {
      params: { roomId: room.roomId },
      query: { event_id: eventId },
    });
    const [authChain, state] = await Promise.all([check(room, given.auth_chain), check(room, given.pdus)]);
    await outliers.withState(room, event, { authChain, state });
    return true;
  }

  async function fetchAuth(room: FederatedRoom, eventId: string, from: string): Promise<boolean> {
    const destination = parseServerName(from);
    if (destination === undefined) return false;
    const answer = await client.call(getEventAuth, destination, { params: { roomId: room.roomId, eventId } });
    return outliers.authEvents(room, await check(room, answer.auth_chain));
  }

  const tried = new WeakMap<RoomEvent, number>();

  return async (room, event, missing, from, receive) => {
    const round = tried.get(event) ?? 0;
    tried.set(event, round + 1);
    try {
      if (round === 0 && missing.prevEvents.length > 0 && (await fillGap(room, event, from, receive))) return true;
      if (missing.prevEvents.length > 0) {
        let done = 0;
        for (const eventId of missing.prevEvents) done += (await jumpTo(room, eventId, from)) ? 1 : 0;
        return done > 0;
      }
      return await fetchAuth(room, event.eventId, from);
    } catch (error) {
      if (error instanceof FederationError) return false;
      throw error;
    }
  };
}
