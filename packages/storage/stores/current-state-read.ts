import type { Reader } from '../database.ts';
import { sql } from '../sql.ts';
import { packPairs } from './packed-pairs.ts';

/** Which event is the state now. */
export type CurrentStateRow = {
  readonly room_nid: number;
  readonly type: string;
  readonly state_key: string;
  readonly event_nid: number;
};

const inRooms = 'room_nid in (select cast(value as bigint) from json_each(cast($1 as text)))';

const selectAll = sql<CurrentStateRow, [roomNids: string]>(
  'current-state.all',
  `select room_nid, type, state_key, event_nid from current_state where ${inRooms}`,
);

/* Two ranges of the key, so that the members between them are not even counted. */
const selectWithoutMembers = sql<CurrentStateRow, [roomNids: string]>(
  'current-state.without-members',
  `select room_nid, type, state_key, event_nid from current_state where ${inRooms} and type < 'm.room.member'
   union all
   select room_nid, type, state_key, event_nid from current_state where ${inRooms} and type > 'm.room.member'`,
);

const selectMembers = sql<CurrentStateRow, [pairs: string]>(
  'current-state.members',
  `select c.room_nid, c.type, c.state_key, c.event_nid
   from json_each(cast($1 as text)) w
   join current_state c on c.room_nid = cast(substr(w.value, 1, 16) as bigint) and c.type = 'm.room.member'
     and c.state_key = substr(w.value, 17)`,
);

const selectOne = sql<{ event_nid: number }, [roomNid: number, type: string, stateKey: string]>(
  'current-state.one',
  'select event_nid from current_state where room_nid = $1 and type = $2 and state_key = $3',
);

/** The state now of each room, all of it or without its members. */
export async function readCurrentState(
  reader: Reader,
  roomNids: readonly number[],
  part: 'all' | 'without-members',
): Promise<CurrentStateRow[]> {
  if (roomNids.length === 0) return [];
  return reader.all(part === 'all' ? selectAll : selectWithoutMembers, [JSON.stringify(roomNids)]);
}

/** The membership events of single people, in whichever rooms. */
export async function readCurrentMembers(
  reader: Reader,
  members: readonly (readonly [roomNid: number, userId: string])[],
): Promise<CurrentStateRow[]> {
  return members.length === 0 ? [] : reader.all(selectMembers, [packPairs(members)]);
}

export async function findCurrentState(
  reader: Reader,
  roomNid: number,
  type: string,
  stateKey: string,
): Promise<number | undefined> {
  return (await reader.get(selectOne, [roomNid, type, stateKey]))?.event_nid;
}
