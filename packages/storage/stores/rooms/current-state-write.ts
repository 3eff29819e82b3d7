import type { WriteSet } from '../../database.ts';
import { sql } from '../../sql.ts';

const upsertCurrentState = sql<void, [roomNid: number, type: string, stateKey: string, eventNid: number]>(
  'current-state.set',
  `insert into current_state (room_nid, type, state_key, event_nid) values ($1, $2, $3, $4)
   on conflict (room_nid, type, state_key) do update set event_nid = excluded.event_nid`,
);

const deleteCurrentState = sql<void, [roomNid: number, type: string, stateKey: string]>(
  'current-state.delete',
  'delete from current_state where room_nid = $1 and type = $2 and state_key = $3',
);

export function removeCurrentState(set: WriteSet, roomNid: number, type: string, stateKey: string): void {
  set.add(deleteCurrentState, [roomNid, type, stateKey]);
}

export function setCurrentState(
  set: WriteSet,
  roomNid: number,
  type: string,
  stateKey: string,
  eventNid: number,
): void {
  set.add(upsertCurrentState, [roomNid, type, stateKey, eventNid]);
}
