import type { SyncStream } from '../sync/streams.ts';
import { readSubscriptions } from './subscription-page.ts';

/** What somebody's devices learn of the threads that they subscribe to and unsubscribe from. */
export const threadSubscriptionStream: SyncStream = {
  name: 'thread-subscriptions',
  isSlidingOnly: true,
  kinds: new Map([['thread_subscription', 'user']]),
  async read({ reader, userId, since, upTo, limit }) {
    const { end, ...changes } = await readSubscriptions(reader, userId, { after: since ?? -1, upTo, limit });
    if (changes.subscribed === undefined && changes.unsubscribed === undefined) return {};
    const text = JSON.stringify({ ...changes, ...(end !== undefined && { prev_batch: end }) });
    return { fields: new Map([['thread_subscriptions', text]]) };
  },
};
