import type { Reader } from '../../database.ts';
import { sql } from '../../sql.ts';

export type ExaminedEventRow = {
  readonly event_nid: number;
  readonly room_order: number;
  /** 1 for what somebody has said, and their own membership, where it is not redacted yet. */
  readonly is_theirs: number;
};

const selectExamined = sql<ExaminedEventRow, [roomNid: number, sender: string, before: number, limit: number]>(
  'events-of-sender.examined',
  `select event_nid, room_order,
     case when sender = $2 and redacted_by is null and type <> 'm.room.redaction'
       and (state_key is null or (type = 'm.room.member' and state_key = $2)) then 1 else 0 end as is_theirs
   from events where room_nid = $1 and room_order < $3 order by room_order desc limit $4`,
);

/** The next events of a room's timeline, the newest first, and which of them are somebody's. */
export function examineEvents(
  reader: Reader,
  roomNid: number,
  sender: string,
  page: { readonly before: number; readonly limit: number },
): Promise<ExaminedEventRow[]> {
  return reader.all(selectExamined, [roomNid, sender, page.before, page.limit]);
}
