import type { Migration } from './migration.ts';

export const threadSubscriptions: Migration = {
  version: 27,
  name: 'thread-subscriptions',
  statements: [
    /* state: 0 for unsubscribed, 1 automatic, 2 manual. stream_position: when it became so. */
    `create table thread_subscriptions (
      user_id text not null,
      thread_nid bigint not null,
      state bigint not null,
      stream_position bigint not null,
      primary key (user_id, thread_nid)
    ) /* sqlite: without rowid */`,
    'create index thread_subscriptions_by_position on thread_subscriptions (user_id, stream_position)',
  ],
};
