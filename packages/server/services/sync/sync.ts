import { MatrixError } from '../../errors/matrix-error.ts';
import type { WatchCache } from '../../observability/cache-metrics.ts';
import type { ReadingContext } from '../reading/context.ts';
import { alwaysText, makeAnswer, type AnswerContext } from './answer.ts';
import { createBatches, type Batches } from './batches.ts';
import { createSyncFilters, type FilterSource } from './filters.ts';
import { createLazyMemory, type LazyMemory } from './lazy-memory.ts';
import { settleUser } from './load-user.ts';
import { createOnlineIndex, type OnlineIndex, type OnlineUser } from './online-index.ts';
import type { SyncPass } from './pass.ts';
import { createStateRoots } from './state-roots.ts';
import type { SyncStream } from './streams.ts';
import { formatSyncToken, parseSyncToken, type SyncToken } from './token.ts';
import { realTimers, waitForChange, type After } from './waiting.ts';

export type SyncRequest = {
  readonly userId: string;
  readonly deviceId: string;
  readonly since: string | undefined;
  /** A filter's ID, or a filter as JSON. */
  readonly filter: string | undefined;
  readonly fullState: boolean;
  /** How long to wait for something to happen, in milliseconds. */
  readonly timeout: number;
  readonly stateField: SyncPass['stateField'];
  /** Aborted when nobody waits any more, and when the server shuts down. */
  readonly signal: AbortSignal;
};

export interface Sync {
  /** The response as JSON text. */
  sync(request: SyncRequest): Promise<string>;
  /** Who is online and where; streams in memory wake people through it. */
  readonly online: OnlineIndex;
  readonly stats: () => SyncStats;
  close(): void;
}

/** For metrics. */
export type SyncStats = {
  /** Long polls that are open. */
  readonly waiting: number;
  /** People online, and the rooms that they are in. */
  readonly users: number;
  readonly rooms: number;
  readonly batches: Batches['stats'];
};

export type SyncOptions = {
  readonly reading: ReadingContext;
  readonly filters: FilterSource;
  /** What is carried beside timelines, in the order in which it stands in the response. */
  readonly streams: readonly SyncStream[];
  readonly after?: After;
  readonly watchCache?: WatchCache;
};

const maxOnlineUsers = 20_000;
const maxTimeout = 120_000;
const maxDevices = 50;
/** How long a client waits that shows a token which this process has not reached yet. */
const futureWait = 1000;

/** {@link https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3sync} */
export function createSync({ reading, filters, streams, after = realTimers, watchCache }: SyncOptions): Sync {
  const { db, now, ignored } = reading;
  const known = createSyncFilters(filters);
  const online = createOnlineIndex({
    db,
    now,
    userKinds: kindsOf(streams, 'user'),
    roomKinds: kindsOf(streams, 'room'),
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
  const context: AnswerContext = { ...readingSync, batches, streams };
  let waiting = 0;
  const serialStreams = streams.flatMap((stream) => (stream.serial === undefined ? [] : [stream.serial]));

  async function parseSince(text: string, signal: AbortSignal): Promise<SyncToken> {
    const token = parseSyncToken(text);
    if (token === undefined) {
      throw new MatrixError('request.invalid-param', { message: `'since' is not a token of this server.` });
    }
    if (token.position <= db.currentPosition()) return token;
    // Another process was ahead of this one; or the database is an older one than the client has seen.
    await online.reached(token.position, AbortSignal.any([signal, AbortSignal.timeout(futureWait)]));
    return { ...token, position: Math.min(token.position, db.currentPosition()) };
  }

  /** Whether there is something to answer with; at the end of the wait also what can wait. */
  function hasNews(user: OnlineUser, since: number, serials: SyncToken['serials'], atTheEnd: boolean): boolean {
    if (user.loadedTo < user.membershipPosition || since < user.knownSince || user.lastChange > since) return true;
    return serialStreams.some(({ letter, isPending, isDue = isPending }) => {
      const asks = atTheEnd ? isPending : isDue;
      return asks(user.userId, serials.get(letter));
    });
  }

  function serialsNow(userId: string): Map<string, string> {
    const serials = new Map<string, string>();
    for (const { letter, current } of serialStreams) {
      const serial = current(userId);
      if (serial !== undefined) serials.set(letter, serial);
    }
    return serials;
  }

  function acknowledge({ userId, deviceId }: SyncRequest, { position: since, serials }: SyncToken): void {
    for (const { acknowledged, serial } of streams) {
      acknowledged?.({ userId, deviceId, since, serial: serial && serials.get(serial.letter) });
    }
  }

  return {
    online,
    stats: () => ({ waiting, users: online.users.size, rooms: online.rooms.size, batches: batches.stats }),
    close: online.close,
    async sync(request) {
      const { userId, deviceId, fullState, stateField, signal } = request;
      const { filter, shape } = await known.find(userId, request.filter);
      const token = request.since === undefined ? undefined : await parseSince(request.since, signal);
      let serials: SyncToken['serials'] = token?.serials ?? new Map();
      if (token !== undefined) acknowledge(request, token);
      let user = online.touch(userId);
      const memory = memoryOf(user, `${deviceId} ${shape}`);
      if (token === undefined) memory.clear();
      const answersAtOnce = token === undefined || fullState;
      const deadline = now() + Math.min(Math.max(request.timeout, 0), maxTimeout);
      let since = token?.position;

      for (;;) {
        if (online.users.get(userId) !== user) user = online.touch(userId);
        const atTheEnd = signal.aborted || now() >= deadline;
        if (since === undefined || fullState || hasNews(user, since, serials, atTheEnd)) {
          const ignoredUsers = await ignored.of(userId);
          await settleUser(db, online, user);
          // Nothing is waited for from here to the plan: the list of rooms is that of this position.
          const upTo = db.currentPosition();
          const nextSerials = serialsNow(userId);
          const answer = await makeAnswer(
            context,
            user,
            {
              userId,
              deviceId,
              since,
              upTo,
              fullState,
              filter,
              shape,
              stateField,
              now: now(),
              ignored: ignoredUsers,
              memory,
            },
            serials,
          );
          const isOver = signal.aborted || now() >= deadline;
          if (!answer.isEmpty || answersAtOnce || isOver) {
            const nextBatch = formatSyncToken(upTo, new Map([...nextSerials, ...answer.serials]));
            return `{"next_batch":"${nextBatch}"${answer.text}}`;
          }
          // There is nothing up to here: it need not be read again.
          since = upTo;
          serials = new Map([...nextSerials, ...answer.serials]);
          // What happened meanwhile has woken nobody, as nobody was waiting.
          if (hasNews(user, since, serials, false)) continue;
        }
        const left = deadline - now();
        waiting += 1;
        const woken = left <= 0 ? 'timeout' : await waitForChange(user, left, signal, after);
        waiting -= 1;
        if (woken !== 'changed' && (since === undefined || !hasNews(user, since, serials, true))) {
          const nextBatch = formatSyncToken(db.currentPosition(), serialsNow(userId));
          return `{"next_batch":"${nextBatch}"${await alwaysText(streams, request)}}`;
        }
      }
    },
  };
}

function kindsOf(streams: readonly SyncStream[], wanted: 'user' | 'room'): ReadonlySet<string> {
  const kinds = new Set<string>();
  for (const stream of streams) for (const [kind, of] of stream.kinds) if (of === wanted) kinds.add(kind);
  return kinds;
}

function memoryOf(user: OnlineUser, device: string): LazyMemory {
  const known = user.devices.get(device);
  if (known !== undefined) return known;
  const [oldest] = user.devices.keys();
  if (oldest !== undefined && user.devices.size >= maxDevices) user.devices.delete(oldest);
  const memory = createLazyMemory();
  user.devices.set(device, memory);
  return memory;
}
