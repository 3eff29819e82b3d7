import type { Filter } from '@portico/protocol/sync-filter/filter.ts';
import type { WatchCache } from '../../observability/cache-metrics.ts';
import type { ReadingContext } from '../reading/context.ts';
import type { AnswerContext } from './answer.ts';
import { createBatches } from './batches.ts';
import { createLazyMemory, type LazyMemory } from './lazy-memory.ts';
import { createOnlineIndex, type OnlineIndex, type OnlineUser } from './online-index.ts';
import { createStateRoots } from './state-roots.ts';
import type { SyncStream } from './streams.ts';
import type { SyncToken } from './token.ts';
import { realTimers, waitForChange, type After, type Woken } from './waiting.ts';

/** What `/sync` and sliding sync share: who is online, what is new, and the streams. */
export interface SyncCore {
  readonly context: AnswerContext & Pick<ReadingContext, 'now' | 'ignored'>;
  readonly online: OnlineIndex;
  /** The token, once this process has come up to it. One from further ahead than that is cut down to what is here. */
  reach(token: SyncToken, waiter: Waiter): Promise<SyncToken>;
  /** What there is to answer with; at the end of a wait also what can wait. Reads nothing. */
  newsFor(user: OnlineUser, since: number, serials: SyncToken['serials'], options?: NewsOptions): News;
  /** Of the streams that live in memory, by their letters, those of which a filter lets something pass. */
  lettersFor(filter: Filter): ReadonlySet<string>;
  /** Where the streams in memory stand. */
  serialsNow(userId: string): ReadonlyMap<string, string>;
  wait(user: OnlineUser, milliseconds: number, waiter: Waiter): Promise<Woken>;
  /** How many wait. */
  readonly waiting: () => number;
}

/** Who waits no longer than this says. It is looked at only if there is something to wait for: making one has its price. */
export type Waiter = { readonly signal: AbortSignal };

/** Nothing, ephemeral events alone, or perhaps more. */
export type News = 'none' | 'ephemeral' | 'lasting';

export type NewsOptions = {
  readonly atTheEnd?: boolean;
  /** Of those streams that live in memory, the ones that count; all of them if absent. */
  readonly letters?: ReadonlySet<string>;
};

export type SyncCoreOptions = {
  readonly reading: ReadingContext;
  /** What is carried beside timelines, in the order in which it stands in the response. */
  readonly streams: readonly SyncStream[];
  readonly after?: After;
  readonly watchCache?: WatchCache;
};

/** A long poll waits no longer, in milliseconds. */
export const maxTimeout = 120_000;
const maxOnlineUsers = 20_000;
const maxDevices = 50;
/** How long a client waits that shows a token which this process has not reached yet. */
const futureWait = 1000;

export function createSyncCore({ reading, streams, after = realTimers, watchCache }: SyncCoreOptions): SyncCore {
  const { db, now } = reading;
  const online = createOnlineIndex({
    db,
    now,
    userKinds: kindsOf(streams, 'user'),
    roomKinds: kindsOf(streams, 'room'),
    ephemeralKinds: kindsOf(
      streams.filter(({ isEphemeral }) => isEphemeral),
      'room',
    ),
    after,
    maxUsers: maxOnlineUsers,
  });
  const readingSync = { ...reading, roots: createStateRoots() };
  const batches = createBatches(readingSync);
  watchCache?.('sync_batches_bytes', {
    size: () => batches.stats.bytes,
    limit: () => batches.stats.maxBytes,
    hits: () => batches.stats.hits,
    misses: () => batches.stats.misses,
  });
  watchCache?.('sync_online_users', { size: () => online.users.size, limit: () => maxOnlineUsers });
  const serialStreams = streams.flatMap(({ serial, isEphemeral = false }) =>
    serial === undefined ? [] : [{ ...serial, isEphemeral }],
  );
  const allLetters: ReadonlySet<string> = new Set(serialStreams.map(({ letter }) => letter));
  let waiting = 0;

  return {
    context: { ...readingSync, batches, streams },
    online,
    waiting: () => waiting,
    async reach(token, waiter) {
      if (token.position <= db.currentPosition()) return token;
      // Another process was ahead of this one; or the database is an older one than the client has seen.
      await online.reached(token.position, AbortSignal.any([waiter.signal, AbortSignal.timeout(futureWait)]));
      return { ...token, position: Math.min(token.position, db.currentPosition()) };
    },
    newsFor(user, since, serials, { atTheEnd = false, letters } = {}) {
      // Who was forgotten while they were answered was told of nothing since.
      if (online.users.get(user.userId) !== user) return 'lasting';
      if (user.loadedTo < user.membershipPosition || since < user.knownSince || user.lastChange > since)
        return 'lasting';
      let hasEphemeral = user.lastEphemeral > since && (atTheEnd || online.ephemeral.isDue(user));
      for (const { letter, isEphemeral, isPending, isDue = isPending } of serialStreams) {
        if (letters?.has(letter) === false || (isEphemeral && hasEphemeral)) continue;
        if (!(atTheEnd ? isPending : isDue)(user.userId, serials.get(letter))) continue;
        if (!isEphemeral) return 'lasting';
        hasEphemeral = true;
      }
      return hasEphemeral ? 'ephemeral' : 'none';
    },
    lettersFor(filter) {
      const wanted = serialStreams.filter(({ isWanted }) => isWanted === undefined || isWanted(filter));
      return wanted.length === serialStreams.length ? allLetters : new Set(wanted.map(({ letter }) => letter));
    },
    serialsNow(userId) {
      const serials = new Map<string, string>();
      for (const { letter, current } of serialStreams) {
        const serial = current(userId);
        if (serial !== undefined) serials.set(letter, serial);
      }
      return serials;
    },
    async wait(user, milliseconds, waiter) {
      if (milliseconds <= 0) return 'timeout';
      waiting += 1;
      try {
        // The clock may have been set back since the end of the wait was worked out.
        return await waitForChange(user, Math.min(milliseconds, maxTimeout), waiter.signal, after);
      } finally {
        waiting -= 1;
      }
    },
  };
}

function kindsOf(streams: readonly SyncStream[], wanted: 'user' | 'room'): ReadonlySet<string> {
  const kinds = new Set<string>();
  for (const stream of streams) for (const [kind, of] of stream.kinds) if (of === wanted) kinds.add(kind);
  return kinds;
}

/** Which members a device, or one of its connections, was told about. */
export function memoryOf(user: OnlineUser, device: string): LazyMemory {
  const known = user.devices.get(device);
  if (known !== undefined) return known;
  const [oldest] = user.devices.keys();
  if (oldest !== undefined && user.devices.size >= maxDevices) user.devices.delete(oldest);
  const memory = createLazyMemory();
  user.devices.set(device, memory);
  return memory;
}
