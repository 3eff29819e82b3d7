import type { Reader } from '../database.ts';
import { sql } from '../sql.ts';

const selectRoomOfAlias = sql<{ room_nid: number; room_id: string }, [alias: string]>(
  'room-aliases.room',
  `select rooms.room_nid, rooms.room_id from room_aliases
   join rooms on rooms.room_nid = room_aliases.room_nid where alias = $1`,
);

/** The room that an alias of this server points at. */
export async function findRoomOfAlias(
  reader: Reader,
  alias: string,
): Promise<{ readonly roomNid: number; readonly roomId: string } | undefined> {
  const row = await reader.get(selectRoomOfAlias, [alias]);
  return row && { roomNid: row.room_nid, roomId: row.room_id };
}
