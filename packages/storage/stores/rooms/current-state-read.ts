import type { Reader } from '../../database.ts';
import { sql } from '../../sql.ts';
import { packPairs } from '../events/packed-pairs.ts';

/** Which event is the state now. */
export type CurrentStateRow = {
  readonly room_nid: number;
  readonly type: string;
  readonly state_key: string;
  readonly event_nid: number;
};

/** With the root of the whole state that an entry belongs to, and the position of the room's last event then. */
export type RootedStateRow = CurrentStateRow & { readonly state_root: number; readonly last_position: number };

const inRooms = 'c.room_nid in (select cast(value as bigint) from json_each(cast($1 as text)))';

const columns = 'c.room_nid, c.type, c.state_key, c.event_nid, r.state_root, r.last_position';
const withRoom = 'join rooms r on r.room_nid = c.room_nid';

const selectAll = sql<RootedStateRow, [roomNids: string]>(
  'current-state.all',
  `select ${columns} from current_state c ${withRoom} where ${inRooms}`,
);

/* Two ranges of the key, so that the members between them are not even counted. */
const selectWithoutMembers = sql<RootedStateRow, [roomNids: string]>(
  'current-state.without-members',
  `select ${columns} from current_state c ${withRoom} where ${inRooms} and c.type < 'm.room.member'
   union all
   select ${columns} from current_state c ${withRoom} where ${inRooms} and c.type > 'm.room.member'`,
);

const selectMembers = sql<RootedStateRow, [pairs: string]>(
  'current-state.members',
  `select ${columns}
   from json_each(cast($1 as text)) w
   join current_state c on c.room_nid = cast(substr(w.value, 1, 16) as bigint) and c.type = 'm.room.member'
     and c.state_key = substr(w.value, 17)
   ${withRoom}`,
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
): Promise<RootedStateRow[]> {
  if (roomNids.length === 0) return [];
  return reader.all(part === 'all' ? selectAll : selectWithoutMembers, [JSON.stringify(roomNids)]);
}

/** The membership events of single people, in whichever rooms. */
export async function readCurrentMembers(
  reader: Reader,
  members: readonly (readonly [roomNid: number, userId: string])[],
): Promise<RootedStateRow[]> {
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
