import type { Migration } from './migration.ts';

export const pushRules: Migration = {
  version: 5,
  name: 'push-rules',
  statements: [
    /*
     * Who, of a room's people, may have an event counted otherwise than the default rules say: those with rules of their
     * own that may apply there, and those who ignore someone. May name more people than that, never fewer.
     */
    `create table custom_rule_members (
      room_nid bigint not null,
      user_id text not null,
      primary key (room_nid, user_id)
    ) /* sqlite: without rowid */`,
    'create index custom_rule_members_by_user on custom_rule_members (user_id)',
  ],
};
