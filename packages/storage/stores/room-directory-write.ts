import type { WriteSet } from '../database.ts';
import { sql } from '../sql.ts';

const insertAlias = sql<void, [alias: string, roomNid: number, creator: string]>(
  'room-aliases.insert',
  'insert into room_aliases (alias, room_nid, creator) values ($1, $2, $3) on conflict do nothing',
);

const publishRoom = sql<void, [roomNid: number]>(
  'published-rooms.insert',
  'insert into published_rooms (room_nid) values ($1) on conflict do nothing',
);

/** Points an alias of this server at a room. Fails on the guard `alias.taken` if it is in use. */
export function addAlias(set: WriteSet, alias: string, roomNid: number, creator: string): void {
  set.guard('alias.taken', 1, insertAlias, [alias, roomNid, creator]);
}

/** Lists a room in this server's directory. */
export function addPublishedRoom(set: WriteSet, roomNid: number): void {
  set.add(publishRoom, [roomNid]);
}
