import type { Migration } from './migration.ts';

/** Calls, so that those that somebody has missed are counted. */
export const pushCalls: Migration = {
  version: 32,
  name: 'push-calls',
  statements: [
    `create index events_calls on events (room_nid, ordinal)
      where type = 'm.call.invite' and room_order is not null`,
    'drop index push_queue_by_position',
  ],
};
