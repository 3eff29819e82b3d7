import type { WriteSet } from '../../database.ts';
import { sql } from '../../sql.ts';

const insertAlias = sql<void, [alias: string, roomNid: number, creator: string]>(
  'room-aliases.insert',
  'insert into room_aliases (alias, room_nid, creator) values ($1, $2, $3) on conflict do nothing',
);

const publishRoom = sql<void, [roomNid: number]>(
  'published-rooms.insert',
  'insert into published_rooms (room_nid) values ($1) on conflict do nothing',
);

const withdrawRoom = sql<void, [roomNid: number]>(
  'published-rooms.delete',
  'delete from published_rooms where room_nid = $1',
);

/** The kind of change that says that a room came into the directory or left it; its key is the room's number. */
export const publicationChange = 'publication';

/** Points an alias of this server at a room. Fails on the guard, `alias.taken` or another, if it is in use. */
export function addAlias(
  set: WriteSet,
  alias: string,
  roomNid: number,
  creator: string,
  guard: 'alias.taken' | 'alias.exists' = 'alias.taken',
): void {
  set.guard(guard, 1, insertAlias, [alias, roomNid, creator]);
}

/** Lists a room in this server's directory. */
export function addPublishedRoom(set: WriteSet, roomNid: number): void {
  set.add(publishRoom, [roomNid]);
  set.change(publicationChange, roomNid);
}

export function removePublishedRoom(set: WriteSet, roomNid: number): void {
  set.add(withdrawRoom, [roomNid]);
  set.change(publicationChange, roomNid);
}
