import type { Reader } from '../../database.ts';
import { sql } from '../../sql.ts';

export type Move = {
  readonly position: number;
  readonly room_nid: number;
  readonly user_id: string;
  readonly membership: string;
  readonly previous: string;
};

export type Sharing = { readonly user_id: string; readonly room_nid: number };

const selectChanged = sql<{ user_id: string }, [viewer: string, after: number, upTo: number]>(
  'device-lists.changed',
  `select l.user_id from device_lists l
   where l.position > $2 and l.position <= $3 and (l.user_id = $1 or exists (
     select 1 from memberships b cross join memberships a
     where b.user_id = l.user_id and b.membership = 'join'
       and a.room_nid = b.room_nid and a.user_id = $1 and a.membership = 'join'
   ))
   union
   select s.user_id from key_signatures s where s.signer = $1 and s.position > $2 and s.position <= $3
   union
   select c.user_id from cross_signing_keys c where c.user_id = $1 and c.position > $2 and c.position <= $3`,
);

/** Whose keys a person sees differently: of those whom they share a room with, and of themself. */
export async function readChangedLists(
  reader: Reader,
  viewer: string,
  after: number,
  upTo: number,
): Promise<readonly string[]> {
  return (await reader.all(selectChanged, [viewer, after, upTo])).map((row) => row.user_id);
}

const selectMoves = sql<Move, [viewer: string, after: number, limit: number]>(
  'device-lists.moves',
  `select c.position, c.room_nid, c.user_id, c.membership, c.previous
   from (
     select room_nid from memberships where user_id = $1 and membership = 'join'
     union
     select room_nid from membership_changes where user_id = $1 and position > $2
   ) mine
   cross join membership_changes c
   where c.room_nid = mine.room_nid and c.position > $2
   order by c.position, c.event_nid limit $3`,
);

/** Every change of a membership after a position, in the rooms where the viewer is or was. */
export function readMoves(reader: Reader, viewer: string, after: number, limit: number): Promise<Move[]> {
  return reader.all(selectMoves, [viewer, after, limit]);
}

const selectMembers = sql<{ user_id: string }, [roomNids: string]>(
  'device-lists.members',
  `select distinct m.user_id from json_each(cast($1 as text)) r
   cross join memberships m
   where m.room_nid = cast(r.value as bigint) and m.membership = 'join'`,
);

export async function readMembersOf(reader: Reader, roomNids: readonly number[]): Promise<readonly string[]> {
  if (roomNids.length === 0) return [];
  return (await reader.all(selectMembers, [JSON.stringify(roomNids)])).map((row) => row.user_id);
}

const selectSharing = sql<Sharing, [users: string, roomNids: string]>(
  'device-lists.sharing',
  `select m.user_id, m.room_nid from json_each(cast($1 as text)) u
   cross join memberships m
   where m.user_id = u.value and m.membership = 'join'
     and m.room_nid in (select cast(value as bigint) from json_each(cast($2 as text)))`,
);

/** Which of these people are in which of these rooms. */
export async function readSharing(
  reader: Reader,
  users: readonly string[],
  roomNids: readonly number[],
): Promise<Sharing[]> {
  if (users.length === 0 || roomNids.length === 0) return [];
  return reader.all(selectSharing, [JSON.stringify(users), JSON.stringify(roomNids)]);
}
