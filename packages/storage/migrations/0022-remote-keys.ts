import type { Migration } from './migration.ts';

/** What is known of the keys of other servers' people, and how others are told of this server's. */
export const remoteKeys: Migration = {
  version: 22,
  name: 'remote-keys',
  statements: [
    /*
     * People of other servers whose devices are in device_keys. stream_id: of the last update in it, as their server counts;
     * null where it did not say. position: what was committed when their server was asked. stale: 1 if it must be asked again.
     */
    `create table remote_device_lists (
      user_id text not null primary key,
      stream_id bigint,
      position bigint not null,
      stale bigint not null
    ) /* sqlite: without rowid */`,
    /* Of devices of other servers. */
    'alter table device_keys add column display_name text',
    /* The number of the last update that other servers were sent, or would have been. */
    'alter table device_lists add column stream_id bigint',
    `insert into consumers (name, position) values ('device-lists', 0)`,

    /* position: of the upload, since keys are handed out in their order. */
    'alter table one_time_keys add column position bigint not null default 0',
  ],
};
