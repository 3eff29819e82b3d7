import type { Migration } from './migration.ts';

/** Finds who has subscribed to a thread, for push rules that ask. */
export const threadSubscribers: Migration = {
  version: 36,
  name: 'thread-subscribers',
  statements: ['create index thread_subscriptions_by_thread on thread_subscriptions (thread_nid, user_id)'],
};
