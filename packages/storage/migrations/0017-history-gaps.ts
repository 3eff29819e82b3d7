import type { Migration } from './migration.ts';

/** Where the history of rooms that this server shares with others is not here yet. */
export const historyGaps: Migration = {
  version: 17,
  name: 'history-gaps',
  statements: [
    /* On the event behind a gap: IDs of the events before it that are in the room and not in its timeline here, as JSON. */
    'alter table events add column missing_before text',
    'create index events_behind_gaps on events (room_nid, room_order) where missing_before is not null',
  ],
};
