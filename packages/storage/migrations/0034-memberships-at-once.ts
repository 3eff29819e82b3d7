import type { Migration } from './migration.ts';

/** A merge of branches can change what several people are to a room with one event, all at its position. */
export const membershipsAtOnce: Migration = {
  version: 34,
  name: 'memberships-at-once',
  statements: [
    `create table new_membership_changes (
      position bigint not null,
      event_nid bigint not null,
      room_nid bigint not null,
      user_id text not null,
      membership text not null,
      previous text not null,
      primary key (position, event_nid, user_id)
    )`,
    `insert into new_membership_changes (position, event_nid, room_nid, user_id, membership, previous)
     select position, event_nid, room_nid, user_id, membership, previous from membership_changes`,
    'drop table membership_changes',
    'alter table new_membership_changes rename to membership_changes',
    'create index membership_changes_by_user on membership_changes (user_id, position)',
    'create index membership_changes_by_room on membership_changes (room_nid, position)',
    'create index membership_changes_of_member on membership_changes (user_id, room_nid, position)',
  ],
};
