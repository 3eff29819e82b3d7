import type { Migration } from './migration.ts';

/** What became of delayed events, for a while; and when an application service says that one happened. */
export const finalisedDelayedEvents: Migration = {
  version: 44,
  name: 'finalised-delayed-events',
  statements: [
    'alter table delayed_events add column origin_server_ts bigint',
    /* event_id: of what was sent; error: as JSON text, of what could not be. Neither: it was cancelled. */
    `create table finalised_delayed_events (
      delay_id text not null primary key,
      user_id text not null,
      room_id text not null,
      type text not null,
      state_key text,
      content text not null,
      delay bigint not null,
      running_since bigint not null,
      finalised_at bigint not null,
      event_id text,
      error text
    ) /* sqlite: without rowid */`,
    'create index finalised_delayed_events_by_user on finalised_delayed_events (user_id, finalised_at)',
    'create index finalised_delayed_events_by_time on finalised_delayed_events (finalised_at)',
  ],
};
