import type { Reader } from '../../database.ts';
import { sql } from '../../sql.ts';

const selectOfRoom = sql<{ alias: string }, [roomNid: number]>(
  'room-aliases.of-room',
  'select alias from room_aliases where room_nid = $1 order by alias',
);

export async function readAliasesOfRoom(reader: Reader, roomNid: number): Promise<string[]> {
  return (await reader.all(selectOfRoom, [roomNid])).map((row) => row.alias);
}
