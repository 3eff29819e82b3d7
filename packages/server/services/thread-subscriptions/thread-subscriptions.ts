import { createWriteSet, type Database } from '@portico/storage';
import {
  countSubscriptions,
  findCause,
  findSubscription,
  subscribe,
  subscribeAutomatically,
  subscriptionState,
  unsubscribe,
} from '@portico/storage/stores/events/thread-subscriptions.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import type { ReadingContext } from '../reading/context.ts';
import { getVisibleEvent } from '../reading/one-event.ts';
import { parsePos, threadsLetter } from '../sliding-sync/pos.ts';
import { parseSyncToken } from '../sync/token.ts';
import { readSubscriptions, type SubscriptionPage } from './subscription-page.ts';

export type Thread = { readonly roomId: string; readonly eventId: string };

/**
 * Which threads people follow.
 *
 * {@link https://github.com/matrix-org/matrix-spec-proposals/pull/4306}
 */
export interface ThreadSubscriptions {
  /** Throws `thread-subscription.not-found` for who has not subscribed. */
  get(userId: string, thread: Thread): Promise<{ readonly automatic: boolean }>;
  /** `cause`: the event for which a client does it by itself; `undefined` if a person wants it. */
  subscribe(userId: string, thread: Thread, cause: string | undefined): Promise<void>;
  unsubscribe(userId: string, thread: Thread): Promise<void>;
  /** The newest changes up to the token `from`, and not those that a client with the position `to` has had. */
  page(userId: string, request: PageRequest): Promise<SubscriptionPage>;
}

export type PageRequest = {
  readonly from: string | undefined;
  readonly to: string | undefined;
  readonly limit: number | undefined;
};

type Dependencies = { readonly db: Database; readonly reading: ReadingContext };

const maxPerUser = 10_000;

export function createThreadSubscriptions({ db, reading }: Dependencies): ThreadSubscriptions {
  /** "If the thread does not exist, or if the user does not have access to it, returns 404/`M_NOT_FOUND`." */
  async function enter(userId: string, { roomId, eventId }: Thread) {
    const access = await reading.access.find(userId, roomId);
    const { row } = await getVisibleEvent(reading, access, eventId);
    return { access, threadNid: row.event_nid };
  }

  async function refuseTooMany(userId: string): Promise<void> {
    if ((await countSubscriptions(db, userId, maxPerUser)) < maxPerUser) return;
    throw new MatrixError('thread-subscription.too-many');
  }

  return {
    async get(userId, thread) {
      const { threadNid } = await enter(userId, thread);
      const { state } = (await findSubscription(db, userId, threadNid)) ?? { state: subscriptionState.none };
      if (state === subscriptionState.none) throw new MatrixError('thread-subscription.not-found');
      return { automatic: state === subscriptionState.automatic };
    },

    async subscribe(userId, thread, causeId) {
      const { access, threadNid } = await enter(userId, thread);
      const set = createWriteSet();
      const current = await findSubscription(db, userId, threadNid);
      if (causeId === undefined) {
        if (current?.state === subscriptionState.manual) return;
        subscribe(set, userId, threadNid);
      } else {
        const { row } = await getVisibleEvent(reading, access, causeId);
        const cause = await findCause(db, row.event_nid);
        if (cause?.thread_nid !== threadNid) throw new MatrixError('thread-subscription.not-in-thread');
        if (current !== undefined && current.state !== subscriptionState.none) return;
        // "The server will skip the subscription if it determines that the automatic subscription is for an event that was
        // already acknowledged at the time a manual unsubscription was requested."
        if (current !== undefined && current.stream_position >= cause.position) {
          throw new MatrixError('thread-subscription.conflict');
        }
        // Should another device do something meanwhile, this one was first, and that stays.
        subscribeAutomatically(set, userId, threadNid, cause.position);
      }
      if (current === undefined) await refuseTooMany(userId);
      await db.commit(set);
    },

    async unsubscribe(userId, thread) {
      const { threadNid } = await enter(userId, thread);
      const current = await findSubscription(db, userId, threadNid);
      if (current === undefined || current.state === subscriptionState.none) return;
      const set = createWriteSet();
      unsubscribe(set, userId, threadNid);
      await db.commit(set);
    },

    page: (userId, { from, to, limit }) =>
      readSubscriptions(db, userId, { upTo: endOf(from, db.currentPosition()), after: startOf(to), limit }),
  };
}

function endOf(from: string | undefined, newest: number): number {
  if (from === undefined) return newest;
  const token = parseSyncToken(from);
  if (token === undefined) throw notOurs('from');
  return Math.min(token.position, newest);
}

/** Of a `pos` that was given out without these subscriptions, nothing is known to have arrived. */
function startOf(to: string | undefined): number {
  if (to === undefined) return -1;
  const pos = parsePos(to);
  if (pos !== undefined) return pos.extensions.includes(threadsLetter) ? pos.token.position : -1;
  const token = parseSyncToken(to);
  if (token === undefined) throw notOurs('to');
  return token.position;
}

function notOurs(parameter: string): MatrixError {
  return new MatrixError('request.invalid-param', { message: `'${parameter}' is not a token of this server.` });
}
