import { MatrixError } from '../../../errors/matrix-error.ts';
import {
  MissingEventsError,
  type Outcome,
  type ReceivedEvent,
  type Result,
} from '../../rooms/receiving/received-event.ts';
import type { Receiver } from '../../rooms/receiving/receiver.ts';
import type { RoomCosts } from '../../rooms/resolution/room-costs.ts';
import type { FederatedRoom } from '../rooms/federated-rooms.ts';
import type { Budgets } from './budgets.ts';
import type { InboundRedactions } from './inbound-redactions.ts';
import type { FetchMissing } from './missing-events.ts';
import { createGivenUp, type GivenUp } from './given-up.ts';
import { createParking } from './parking.ts';
import { createReceiveTogether } from './receive-together.ts';
import { createTurns } from './turns.ts';

/**
 * Makes a checked event part of its room, as far as it may be. What it builds on and is not here mostly comes by itself, from
 * another server or a moment later; after a while it is fetched from the server given.
 */
export type IngestEvent = (
  room: FederatedRoom,
  received: ReceivedEvent,
  from: string,
  /** Called where something has to be fetched, or the event to wait, which may take long. Nothing of it is stored by then. */
  onFetch?: () => void,
) => Promise<Outcome>;

type Dependencies = {
  readonly receiver: Pick<Receiver, 'receiveAll'>;
  readonly redactions: Pick<InboundRedactions, 'settle'>;
  readonly fetchMissing: FetchMissing;
  readonly costs: Pick<RoomCosts, 'take'>;
  readonly budgets: Budgets;
  /** In milliseconds. */
  readonly patience?: { readonly first: number; readonly second: number };
};

type Item = {
  readonly room: FederatedRoom;
  readonly received: ReceivedEvent;
  /** Who is asked about it, and for whom it counts. */
  from: string;
  readonly settle: (result: Result) => void;
  readonly onFetch?: (() => void) | undefined;
  /** It was given up, but is received all the same should what it builds on still come. */
  isGivenUp?: boolean;
  /** Whether it waits for what it builds on; otherwise it fails where that is not here. */
  readonly isPatient: boolean;
  /** How often it has waited, and how often what it builds on was fetched. */
  waits: number;
  fetches: number;
  /** Whether it has been looked at once more since others were asked about. */
  isFresh?: boolean;
  timer?: NodeJS.Timeout | undefined;
};

/** How often what an event builds on is fetched before it is given up. */
const maxFetches = 10;
/** Events of one room that wait for others. */
const maxParked = 1000;
const atOnce = 64;
/** Events of all rooms that were given up and are kept in case that what they build on comes. */
const maxGivenUp = 1000;
/** For how long an event waits for what it builds on; and once more, where that waits itself. */
const usualPatience = { first: 100, second: 2000 };

/** The events of one room: what waits at the same moment is received together, what misses something waits for it. */
function createInbox(deps: Dependencies, roomNid: number, givenUp: GivenUp<Item>, onIdle: () => void) {
  const { fetchMissing, costs, budgets, patience = usualPatience } = deps;
  const receiveTogether = createReceiveTogether(deps);
  const parking = createParking<Item>();
  /** Events that have come, and of which it is not known yet what becomes of them. */
  const present = new Map<string, number>();
  /** Each server is asked about one event at a time. */
  const asking = new Map<string, Promise<void>>();
  const turns = createTurns<Item>({ roomNid, budgets, atOnce, onHeld });
  let running = false;
  let wake: (() => void) | undefined;

  /** What others follow, and wait for, is received for them: what its own server has cost is not to keep them away. */
  function onHeld(item: Item): void {
    item.onFetch?.();
    const other = parking.waitingFor(item.received.event.eventId).find(({ from }) => from !== item.from);
    if (other !== undefined) item.from = other.from;
  }

  function push(item: Item): void {
    turns.add(item);
    wake?.();
    if (running) return;
    running = true;
    // What else comes in the same turn of the event loop goes along.
    setImmediate(() => void run());
  }

  async function run(): Promise<void> {
    for (let next = turns.next(); next !== undefined; next = turns.next()) {
      if ('wait' in next) await rest(next.wait);
      else await receive(next.items);
    }
    running = false;
    endIfIdle();
  }

  /** Until there may be a turn, or something else has come. */
  async function rest(milliseconds: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, milliseconds).unref();
    wake = resolve;
    await promise;
    clearTimeout(timer);
    wake = undefined;
  }

  async function receive(items: readonly [Item, ...Item[]]): Promise<void> {
    const events = items.map(({ received }) => received);
    // What people of this server have made it cost before is nobody else's.
    costs.take(roomNid);
    const results = await receiveTogether(items[0].room, events);
    turns.charge(items, costs.take(roomNid));
    for (const [index, item] of items.entries()) settle(item, results[index]);
  }

  function endIfIdle(): void {
    if (!running && turns.size === 0 && parking.size === 0 && asking.size === 0) onIdle();
  }

  function settle(item: Item, result: Result = { kind: 'failed', error: new Error('an event had no result') }): void {
    const { eventId } = item.received.event;
    if (result.kind !== 'failed') {
      item.settle(result);
      for (const ready of parking.arrived(eventId)) again(ready);
    } else if (item.isGivenUp === true) {
      // Once is enough.
    } else if (result.error instanceof MissingEventsError && item.isPatient && item.fetches < maxFetches) {
      wait(item, result.error);
    } else giveUp(item, result.error);
  }

  /** Takes what waited, and sees once more whether it can be received. */
  function again(item: Item): void {
    clearTimeout(item.timer);
    parking.leave(item);
    givenUp.take(item);
    push(item);
  }

  /** Keeps an event that was given up, since nothing but its being asked for kept it from being received. */
  function keep(item: Item, { prevEvents, authEvents }: MissingEventsError): void {
    item.isGivenUp = true;
    parking.park(item, [...prevEvents, ...authEvents]);
    givenUp.keep(item, () => {
      parking.leave(item);
      endIfIdle();
    });
  }

  function giveUp(item: Item, error: unknown): void {
    item.settle({ kind: 'failed', error });
    if (!item.isPatient) return;
    for (const other of parking.waitingFor(item.received.event.eventId)) {
      if (other.isGivenUp === true) continue;
      other.waits = enoughWaits;
      again(other);
    }
    if (error instanceof MissingEventsError) keep(item, error);
  }

  function wait(item: Item, error: MissingEventsError): void {
    if (parking.size >= maxParked) return giveUp(item, new MatrixError('server.overloaded'));
    const missing = [...error.prevEvents, ...error.authEvents];
    // What has come itself is being seen to.
    const isSeenTo = item.waits === 1 && missing.every((eventId) => present.has(eventId));
    parking.park(item, missing);
    if (item.waits > 0 && !isSeenTo) return askInLine(item, error);
    const milliseconds = item.waits++ === 0 ? patience.first : patience.second;
    // It may be here by then without having come this way: by another process.
    item.timer = setTimeout(() => again(item), milliseconds).unref();
  }

  function askInLine(item: Item, error: MissingEventsError): void {
    const { from } = item;
    item.onFetch?.();
    const before = asking.get(from);
    // What was given for others may be what this one misses.
    const isStale = before !== undefined && item.isFresh !== true;
    item.isFresh = isStale;
    const asked = (before ?? Promise.resolve()).then(() => (isStale ? lookAgain(item) : ask(item, error)));
    asking.set(from, asked);
    void clearAfter(from, asked);
  }

  async function clearAfter(from: string, asked: Promise<void>): Promise<void> {
    await asked;
    if (asking.get(from) !== asked) return;
    asking.delete(from);
    endIfIdle();
  }

  function lookAgain(item: Item): void {
    if (parking.has(item)) again(item);
  }

  async function ask(item: Item, error: MissingEventsError): Promise<void> {
    const { room, received, from } = item;
    // What it builds on has come while others were asked about.
    if (!parking.has(item)) return;
    item.fetches++;
    try {
      const isBetter = await fetchMissing(room, received, error, from, (other) => receiveOther(room, other, from));
      if (!parking.has(item)) return;
      if (isBetter) return again(item);
      parking.leave(item);
      giveUp(item, error);
    } catch (fault) {
      parking.leave(item);
      giveUp(item, fault);
    }
  }

  async function receiveOther(
    room: FederatedRoom,
    received: ReceivedEvent,
    from: string,
  ): Promise<MissingEventsError | undefined> {
    const result = await new Promise<Result>((settle) => {
      push({ room, received, from, settle, isPatient: false, waits: 0, fetches: 0 });
    });
    if (result.kind !== 'failed') return undefined;
    if (result.error instanceof MissingEventsError) return result.error;
    throw result.error;
  }

  return {
    add(room: FederatedRoom, received: ReceivedEvent, from: string, onFetch?: () => void): Promise<Result> {
      const { eventId } = received.event;
      present.set(eventId, (present.get(eventId) ?? 0) + 1);
      return new Promise<Result>((resolve) => {
        let isSettled = false;
        const settle = (result: Result): void => {
          if (isSettled) return;
          isSettled = true;
          const others = (present.get(eventId) ?? 1) - 1;
          if (others === 0) present.delete(eventId);
          else present.set(eventId, others);
          resolve(result);
        };
        push({ room, received, from, settle, onFetch, isPatient: true, waits: 0, fetches: 0 });
      });
    },
  };
}

const enoughWaits = 2;

export function createIngest(deps: Dependencies): IngestEvent {
  const inboxes = new Map<number, ReturnType<typeof createInbox>>();
  const givenUp = createGivenUp<Item>(maxGivenUp);

  return async (room, received, from, onFetch) => {
    const { roomNid } = room;
    const inbox = inboxes.get(roomNid) ?? createInbox(deps, roomNid, givenUp, () => inboxes.delete(roomNid));
    inboxes.set(roomNid, inbox);
    const result = await inbox.add(room, received, from, onFetch);
    if (result.kind === 'failed') throw result.error;
    return result;
  };
}
