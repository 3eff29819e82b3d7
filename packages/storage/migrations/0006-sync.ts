import type { Migration } from './migration.ts';

export const sync: Migration = {
  version: 6,
  name: 'sync',
  statements: [
    /* The state that changed in a gap, without a look at the messages in it. */
    `create index events_state_by_room_order on events (room_nid, room_order)
      where state_key is not null and room_order is not null`,
  ],
};
