import type { Migration } from './migration.ts';

/** Whom to tell of what happens, and what there is to tell. */
export const pushers: Migration = {
  version: 30,
  name: 'pushers',
  statements: [
    /*
     * device_id: of whom it was set on, with whom it goes. set_at, failing_since, retry_at: milliseconds; the latter two 0 as
     * long as nothing fails. Everything up to `position` has been dealt with. badge: the count it was last told, -1 for none.
     * process: the one that sends, as long as its lease lasts.
     */
    `create table pushers (
      user_id text not null,
      app_id text not null,
      pushkey text not null,
      kind text not null,
      device_id text not null,
      app_display_name text not null,
      device_display_name text not null,
      profile_tag text,
      lang text not null,
      data text not null,
      enabled bigint not null,
      set_at bigint not null,
      position bigint not null,
      badge bigint not null,
      failures bigint not null,
      failing_since bigint not null,
      retry_at bigint not null,
      process text not null,
      lease_until bigint not null,
      primary key (user_id, app_id, pushkey)
    ) /* sqlite: without rowid */`,
    'create index pushers_by_key on pushers (app_id, pushkey)',
    'create index pushers_by_retry on pushers (retry_at) where retry_at > 0',
    'create index pushers_by_process on pushers (process)',

    /*
     * What somebody with pushers is to be told of, in order. actions: of the rule that matched, '' where the rules are asked
     * when it is sent. event_nid 0: that they have read something.
     */
    `create table push_queue (
      user_id text not null,
      position bigint not null,
      event_nid bigint not null,
      room_nid bigint not null,
      actions text not null,
      primary key (user_id, position, event_nid)
    ) /* sqlite: without rowid */`,
    'create index push_queue_by_position on push_queue (position)',
  ],
};
