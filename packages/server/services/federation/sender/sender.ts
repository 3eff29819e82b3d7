import { parseServerName, type ServerName } from '@portico/protocol';
import type { CommittedChanges } from '@portico/storage';
import { readStandings } from '@portico/storage/stores/federation/federation-destinations.ts';
import { createSmallCache } from '../../reading/small-cache.ts';
import { createAbandoned } from './abandoned.ts';
import { createAdmissions } from './admissions.ts';
import { createDestination, type Destination, type DestinationState, type Gone } from './destination.ts';
import { createLanes } from './lanes.ts';
import { createOwnership } from './ownership.ts';
import { createLonelyRooms } from './lonely-rooms.ts';
import { createLooking } from './looking.ts';
import { createParking } from './parking.ts';
import { createRefusals, type Refusals } from './refusals.ts';
import { createRests, type Rests, usualRest } from './rests.ts';
import type { SenderDependencies } from './sender-dependencies.ts';
import { createTakeOver } from './take-over.ts';

/** Brings what this server has for others to all of them. */
export interface FederationSender {
  /** A server has just been heard of: it can be reached again. */
  heardOf(host: string): void;
  /** A server that could not be reached is wanted for something else, and is asked again at once. */
  tryNow(host: string): void;
  /** How many servers are being sent something, wait for their turn, or cannot be reached. */
  readonly states: () => Readonly<Record<DestinationState, number>>;
  /** How many events wait in memory, once for each server. */
  readonly queuedEvents: () => number;
  close(): Promise<void>;
}

/** Servers that are known to be up to date, or another process's. */
const maxKnown = 50_000;
/** Servers of which is kept what they refused. */
const maxRefusing = 5000;

export function createSender(deps: SenderDependencies): FederationSender {
  const { db, outbox, serverName, process, isShared, log, now } = deps;
  const destinations = new Map<string, Destination>();
  const lanes = createLanes();
  const restsOf = createSmallCache<string, Rests>(maxKnown);
  const refusalsOf = createSmallCache<string, Refusals>(maxRefusing);
  const owned = new Set<string>();
  const foreign = new Set<string>();
  const lonely = createLonelyRooms(maxKnown);
  const stopping = new AbortController();
  /** All changes up to here have come in. */
  let seen = db.currentPosition();

  /** Everything up to here has been offered to whom it concerns. */
  function offeredUpTo(): number {
    return Math.min(looking.after, takeOver.after, seen);
  }

  function remember(known: Set<string>, host: string): void {
    if (known.size >= maxKnown) known.clear();
    known.add(host);
  }

  function gone(host: ServerName, why: Gone): void {
    destinations.delete(host);
    owned.delete(host);
    if (typeof why === 'object') parking.add(host, why.retryAt);
    else parking.delete(host);
    if (why === 'idle') remember(owned, host);
    if (why === 'lost') {
      remember(foreign, host);
      outbox.drop(host);
    }
    admissions.release(host);
    if (why === 'forgotten') admissions.offer(host);
  }

  /** There is nothing for a server any more, and no row. */
  function forget(host: string): void {
    parking.delete(host);
    foreign.delete(host);
    outbox.drop(host);
  }

  /** The destination of a server that lacks what was committed after a position, and perhaps more. */
  function find(host: string, after: number, isLost = false): Destination | undefined {
    const known = destinations.get(host);
    if (known !== undefined) return known;
    const name = parseServerName(host);
    const isNobody = name === undefined || name === serverName || foreign.has(host) || parking.has(host);
    return isNobody || stopping.signal.aborted ? undefined : create(name, after, isLost);
  }

  function create(name: ServerName, after: number, isLost: boolean): Destination {
    const needsRest = restsOf.get(name) ?? createRests(deps.restAfter ?? usualRest);
    const refusals = refusalsOf.get(name) ?? createRefusals();
    const destination = createDestination(deps, {
      host: name,
      needsRest,
      refusals,
      upToDate: owned.has(name) ? after : undefined,
      settled: after,
      lanes,
      isLost,
      onAnswer: () => admissions.release(name),
      onGone(why) {
        if (why === 'idle') restsOf.set(name, needsRest);
        if (refusals.isOpen) refusalsOf.set(name, refusals);
        else refusalsOf.delete(name);
        gone(name, why);
      },
    });
    destinations.set(name, destination);
    return destination;
  }

  /** Whether a server, which anybody may have named, has to be asked after before it is seen to. */
  function isUnknown(host: string): boolean {
    return !destinations.has(host) && !owned.has(host) && !foreign.has(host) && !parking.has(host);
  }

  function offerStored(host: string): void {
    if (isUnknown(host)) admissions.offer(host);
    else find(host, offeredUpTo())?.offerStored();
  }

  /** A server was let into a room and will soon have something sent: what has to be known for that is found out before. */
  function prepareFor(host: string, after: number): void {
    if (!owned.has(host) && !destinations.has(host)) find(host, after)?.offerAnything();
  }

  const takeOver = createTakeOver({
    db,
    log,
    prepare() {
      foreign.clear();
      return parking.reload();
    },
    offerAnything: (host, after) => find(host, after)?.offerAnything(),
    offerStored,
  });

  const looking = createLooking({
    db,
    serverName,
    lonely,
    find,
    prepareFor,
    isTakingOver: () => takeOver.after !== Infinity,
    onFailure(error, after) {
      log.error({ error }, 'Finding the servers of rooms failed');
      // What was not found out is found by position.
      return takeOver.start(after);
    },
  });

  function settled(): number {
    return destinations.values().reduce((lowest, each) => Math.min(lowest, each.settled ?? Infinity), offeredUpTo());
  }

  const ownership = createOwnership({
    db,
    process,
    isShared,
    now,
    settled,
    onGone: (position) => {
      void takeOver.start(position);
      outbox.tookOver();
    },
    onFailure: (error) => log.warn({ error }, 'This process could not say that it is alive'),
  });

  const stop = db.onChanges((batches: readonly CommittedChanges[]) => {
    for (const { position, changes } of batches) {
      lonely.note(changes);
      for (const { kind, key } of changes) {
        if (kind === 'stored_edus') offerStored(String(key));
        else if (kind === 'sticky_delivery') find(String(key), offeredUpTo())?.offerAnything();
        else if (kind === 'destination_forgotten') forget(String(key));
        else if (kind === 'outgoing' || kind === 'own_receipt') {
          if (lonely.has(Number(key))) continue;
          looking.note(kind === 'outgoing' ? 'rooms' : 'receiptRooms', Number(key), seen);
          // This process was cut off for longer than changes are kept.
        } else if (kind === '*') {
          lonely.forget();
          void takeOver.start(offeredUpTo());
        }
      }
      seen = position;
    }
    looking.start();
  });

  const parking = createParking({
    db,
    process,
    now,
    log,
    isUnderWay: (host) => destinations.has(host),
    wake: (host) => admissions.offer(host),
  });

  const admissions = createAdmissions({
    readStandings: (hosts) => readStandings(db, hosts),
    admit(host, standing) {
      parking.delete(host);
      const destination = find(host, offeredUpTo(), standing === 'lost');
      destination?.wake();
      return destination !== undefined;
    },
    onRoom: () => void takeOver.start(offeredUpTo()),
    onFailure: (error) => log.error({ error }, 'Asking after servers failed'),
  });

  const abandoned = createAbandoned({ db, process, now, log, isUnderWay: (host) => destinations.has(host) });

  const stopOutbox = outbox.onUrgent((host) => {
    if (isUnknown(host)) return admissions.offer(host);
    const destination = find(host, offeredUpTo());
    if (destination !== undefined) destination.wake();
    else if (parking.has(host)) outbox.unreachable(host);
    else outbox.drop(host);
  });

  const starting = ownership.start().then(
    (position) => (position === undefined ? parking.reload() : takeOver.start(position)),
    (error: unknown) => log.error({ error }, 'Finding the servers that are behind failed'),
  );

  return {
    heardOf(host) {
      // Of most it is known that they answer, or who sees to them.
      if (destinations.has(host)) destinations.get(host)?.heardOf();
      else if (!owned.has(host) && !foreign.has(host) && parking.takeHeard(host)) find(host, offeredUpTo())?.heardOf();
    },
    tryNow(host) {
      if (parking.has(host)) parking.delete(host);
      else if (!destinations.has(host)) return;
      find(host, offeredUpTo())?.heardOf();
    },
    states() {
      const states = { waiting: admissions.waiting, sending: 0, failing: parking.size };
      for (const { state } of destinations.values()) states[state]++;
      return states;
    },
    queuedEvents: () => destinations.values().reduce((sum, { queued }) => sum + queued, 0),
    async close() {
      stopping.abort();
      takeOver.close();
      stop();
      stopOutbox();
      await Promise.all([looking.close(), parking.close(), admissions.close(), abandoned.close(), starting]);
      await Promise.all([...destinations.values()].map((each) => each.close()));
      await ownership.close();
    },
  };
}
