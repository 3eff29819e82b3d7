import type { Reader } from '../../database.ts';
import { sql } from '../../sql.ts';

/** An event that may have to be indexed, or that says something about what may be. */
export type SearchableRow = {
  readonly event_nid: number;
  readonly room_nid: number;
  readonly stream_position: number;
  readonly type: string;
  readonly state_key: string | null;
  readonly content: string;
  readonly is_encrypted: number;
};

const selectNew = sql<SearchableRow, [after: number, upTo: number, limit: number]>(
  'search.new-events',
  `select e.event_nid, e.room_nid, e.stream_position, e.type, e.state_key, e.content,
     case when exists (
       select 1 from current_state s
       where s.room_nid = e.room_nid and s.type = 'm.room.encryption' and s.state_key = ''
     ) then 1 else 0 end as is_encrypted
   from events e
   where e.stream_position > $1 and e.stream_position <= $2
     and e.type in ('m.room.message', 'm.room.name', 'm.room.topic', 'm.room.encryption')
   order by e.stream_position limit $3`,
);

const selectEncrypted = sql<{ room_nid: number }, [roomNids: string]>(
  'search.encrypted-rooms',
  `select room_nid from current_state
   where room_nid in (select cast(value as bigint) from json_each(cast($1 as text)))
     and type = 'm.room.encryption' and state_key = ''`,
);

/** Texts, and changes of rooms that say whether texts may be found, in the order of their positions. */
export function readSearchable(reader: Reader, after: number, upTo: number, limit: number): Promise<SearchableRow[]> {
  return reader.all(selectNew, [after, upTo, limit]);
}

export async function findEncryptedRooms(reader: Reader, roomNids: readonly number[]): Promise<ReadonlySet<number>> {
  if (roomNids.length === 0) return new Set();
  const rows = await reader.all(selectEncrypted, [JSON.stringify(roomNids)]);
  return new Set(rows.map((row) => row.room_nid));
}
