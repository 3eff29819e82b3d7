import type { Reader } from '../../database.ts';
import { sql } from '../../sql.ts';

export type ThreadTargetRow = {
  readonly event_nid: number;
  readonly thread_nid: number | null;
};

const selectTarget = sql<ThreadTargetRow, [eventId: string, roomNid: number]>(
  'events.thread-target',
  'select event_nid, thread_nid from events where event_id = $1 and room_nid = $2',
);

/** An event that another one of the same room relates to, and the thread it is in. */
export function findThreadTarget(
  reader: Reader,
  roomNid: number,
  eventId: string,
): Promise<ThreadTargetRow | undefined> {
  return reader.get(selectTarget, [eventId, roomNid]);
}
