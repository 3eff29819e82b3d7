import type { Migration } from './migration.ts';

/** Events that people have left with the server to be sent later, unless they think otherwise by then. */
export const delayedEvents: Migration = {
  version: 29,
  name: 'delayed-events',
  statements: [
    /* running_since, delay and due_at: milliseconds; position: after which the entry of the state counts as changed. */
    `create table delayed_events (
      delay_id text not null primary key,
      user_id text not null,
      device_id text not null,
      txn_id text,
      room_id text not null,
      type text not null,
      state_key text,
      content text not null,
      delay bigint not null,
      running_since bigint not null,
      due_at bigint not null,
      position bigint not null
    ) /* sqlite: without rowid */`,
    'create index delayed_events_by_due on delayed_events (due_at)',
    'create index delayed_events_by_user on delayed_events (user_id, due_at)',
    `create unique index delayed_events_by_transaction on delayed_events (user_id, device_id, room_id, type, txn_id)
      where txn_id is not null`,
  ],
};
