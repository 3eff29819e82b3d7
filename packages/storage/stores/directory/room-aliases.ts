import type { Reader, WriteSet } from '../../database.ts';
import { sql } from '../../sql.ts';

export type AliasRow = {
  readonly alias: string;
  readonly room_nid: number;
  readonly room_id: string;
  /** Who made the alias. */
  readonly creator: string;
};

const columns = 'a.alias, a.room_nid, r.room_id, a.creator';

const selectAlias = sql<AliasRow, [alias: string]>(
  'room-aliases.get',
  `select ${columns} from room_aliases a join rooms r on r.room_nid = a.room_nid where a.alias = $1`,
);

const selectAliases = sql<{ alias: string; room_nid: number }, [aliases: string]>(
  'room-aliases.of-list',
  'select alias, room_nid from room_aliases where alias in (select value from json_each(cast($1 as text)))',
);

const countOfRoom = sql<{ count: number }, [roomNid: number, limit: number]>(
  'room-aliases.count',
  'select count(*) as count from (select 1 as one from room_aliases where room_nid = $1 limit $2) as counted',
);

const countOfCreator = sql<{ count: number }, [creator: string, limit: number]>(
  'room-aliases.count-of-creator',
  'select count(*) as count from (select 1 as one from room_aliases where creator = $1 limit $2) as counted',
);

const deleteAlias = sql<void, [alias: string]>('room-aliases.delete', 'delete from room_aliases where alias = $1');

const moveAliases = sql<void, [from: number, to: number]>(
  'room-aliases.move',
  'update room_aliases set room_nid = $2 where room_nid = $1',
);

export function findAlias(reader: Reader, alias: string): Promise<AliasRow | undefined> {
  return reader.get(selectAlias, [alias]);
}

/** The room that an alias of this server points at. */
export async function findRoomOfAlias(
  reader: Reader,
  alias: string,
): Promise<{ readonly roomNid: number; readonly roomId: string } | undefined> {
  const row = await findAlias(reader, alias);
  return row && { roomNid: row.room_nid, roomId: row.room_id };
}

/** Which rooms those of some aliases that exist point at. */
export async function readRoomsOfAliases(
  reader: Reader,
  aliases: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  if (aliases.length === 0) return new Map();
  const rows = await reader.all(selectAliases, [JSON.stringify(aliases)]);
  return new Map(rows.map((row) => [row.alias, row.room_nid]));
}

/** How many aliases a room has; counts no further than `limit`. */
export async function countAliasesOfRoom(reader: Reader, roomNid: number, limit: number): Promise<number> {
  return (await reader.get(countOfRoom, [roomNid, limit]))?.count ?? 0;
}

/** How many aliases somebody has made; counts no further than `limit`. */
export async function countAliasesBy(reader: Reader, creator: string, limit: number): Promise<number> {
  return (await reader.get(countOfCreator, [creator, limit]))?.count ?? 0;
}

/** Fails on the guard `alias.not-found` if it is gone already. */
export function removeAlias(set: WriteSet, alias: string): void {
  set.guard('alias.not-found', 1, deleteAlias, [alias]);
}

/** Makes every alias of one room point at another one. */
export function moveAliasesOfRoom(set: WriteSet, from: number, to: number): void {
  set.add(moveAliases, [from, to]);
}
