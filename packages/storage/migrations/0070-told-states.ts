import type { Migration } from './migration.ts';

/** A server that is asked about the past can leave out of a state whom it wants to be heard no longer. */
export const toldStates: Migration = {
  version: 70,
  name: 'told-states',
  statements: [
    // Events whose state before them is what another server has told of it: what they follow is not here, or was not.
    'create table told_states (event_nid bigint primary key, room_nid bigint not null)',
    'create index told_states_by_room on told_states (room_nid)',
  ],
};
