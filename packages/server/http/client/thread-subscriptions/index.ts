import { getThreadSubscription } from './get-thread-subscription.ts';
import { getThreadSubscriptions } from './get-thread-subscriptions.ts';
import { subscribeToThread } from './subscribe-to-thread.ts';
import { unsubscribeFromThread } from './unsubscribe-from-thread.ts';

export const threadSubscriptionEndpoints = [
  subscribeToThread,
  unsubscribeFromThread,
  getThreadSubscription,
  getThreadSubscriptions,
] as const;
