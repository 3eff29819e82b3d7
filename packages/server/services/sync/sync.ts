import { MatrixError } from '../../errors/matrix-error.ts';
import { alwaysText, makeAnswer } from './answer.ts';
import type { Batches } from './batches.ts';
import { createSyncFilters, type FilterSource } from './filters.ts';
import { settleUser } from './load-user.ts';
import type { OnlineIndex } from './online-index.ts';
import type { SyncPass } from './pass.ts';
import { createSyncCore, maxTimeout, memoryOf, type SyncCore, type SyncCoreOptions } from './sync-core.ts';
import { formatSyncToken, parseSyncToken, type SyncToken } from './token.ts';

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
  /** Aborted when nobody waits any more, and when the server shuts down. Read only where somebody may have to wait. */
  readonly signal: AbortSignal;
};

export interface Sync {
  /** The response as JSON text. */
  sync(request: SyncRequest): Promise<string>;
  /** What sliding sync shares with it. */
  readonly core: SyncCore;
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

export type SyncOptions = SyncCoreOptions & { readonly filters: FilterSource };

/** {@link https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3sync} */
export function createSync({ filters, ...options }: SyncOptions): Sync {
  const core = createSyncCore(options);
  const { context, online } = core;
  const { db, now, ignored, batches, streams } = context;
  const known = createSyncFilters(filters);

  function parseSince(text: string, request: SyncRequest): Promise<SyncToken> {
    const token = parseSyncToken(text);
    if (token === undefined) {
      throw new MatrixError('request.invalid-param', { message: `'since' is not a token of this server.` });
    }
    return core.reach(token, request);
  }

  function acknowledge({ userId, deviceId }: SyncRequest, { position: since, serials }: SyncToken): void {
    for (const { acknowledged, serial } of streams) {
      acknowledged?.({ userId, deviceId, since, serial: serial && serials.get(serial.letter) });
    }
  }

  return {
    core,
    online,
    stats: () => ({
      waiting: core.waiting(),
      users: online.users.size,
      rooms: online.rooms.size,
      batches: batches.stats,
    }),
    close: online.close,
    async sync(request) {
      const { userId, deviceId, fullState, stateField } = request;
      const { filter, shape } = await known.find(userId, request.filter);
      const token = request.since === undefined ? undefined : await parseSince(request.since, request);
      let serials: SyncToken['serials'] = token?.serials ?? new Map();
      if (token !== undefined) acknowledge(request, token);
      let user = online.touch(userId);
      const memory = memoryOf(user, `${deviceId} ${shape}`);
      if (token === undefined) memory.clear();
      const answersAtOnce = token === undefined || fullState;
      const deadline = now() + Math.min(Math.max(request.timeout, 0), maxTimeout);
      let since = token?.position;
      const letters = core.lettersFor(filter);
      const isOver = () => now() >= deadline || request.signal.aborted;

      for (let isFirst = true; ; isFirst = false) {
        if (online.users.get(userId) !== user) user = online.touch(userId);
        const options = { atTheEnd: isOver(), letters };
        const news = since === undefined || fullState ? 'lasting' : core.newsFor(user, since, serials, options);
        if (news !== 'none') {
          const isPausing = news === 'ephemeral' && online.ephemeral.begin(user);
          const ignoredUsers = await ignored.of(userId);
          user = await settleUser(db, online, user);
          // Nothing is waited for from here to the plan: the list of rooms is that of this position.
          const upTo = db.currentPosition();
          const nextSerials = core.serialsNow(userId);
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
          // Who was woken for nothing is not woken at once for the next nothing.
          if (answer.isEmpty && isPausing && isFirst) online.ephemeral.revoke(user);
          if (!answer.isEmpty || answersAtOnce || isOver()) {
            const nextBatch = formatSyncToken(upTo, new Map([...nextSerials, ...answer.serials]));
            return `{"next_batch":"${nextBatch}"${answer.text}}`;
          }
          // There is nothing up to here: it need not be read again.
          since = upTo;
          serials = new Map([...nextSerials, ...answer.serials]);
          // What happened meanwhile has woken nobody, as nobody was waiting.
          if (core.newsFor(user, since, serials, { letters }) !== 'none') continue;
        }
        const left = deadline - now();
        const woken = await core.wait(user, left, request);
        const last = { atTheEnd: true, letters };
        if (woken !== 'changed' && (since === undefined || core.newsFor(user, since, serials, last) === 'none')) {
          const nextBatch = formatSyncToken(db.currentPosition(), core.serialsNow(userId));
          return `{"next_batch":"${nextBatch}"${await alwaysText(streams, request)}}`;
        }
      }
    },
  };
}
