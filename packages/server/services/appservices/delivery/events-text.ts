import type { Reader } from '@portico/storage';
import { type LogEvent, readStrippedOf } from '@portico/storage/stores/app-services/app-service-log.ts';
import { readEvents } from '@portico/storage/stores/events/timeline.ts';
import { renderEvent } from '../../reading/client-event.ts';
import { readRedactions } from '../../reading/event-reader.ts';

/** Events in the form in which clients get them, as JSON texts in the order that was asked for. */
export async function eventTexts(db: Reader, wanted: readonly LogEvent[], now: number): Promise<string[]> {
  const members = wanted.filter(({ type, state_key: stateKey }) => type === 'm.room.member' && stateKey !== null);
  const [rows, stripped] = await Promise.all([
    readEvents(
      db,
      wanted.map(({ event_nid: nid }) => nid),
    ),
    readStrippedOf(
      db,
      members.map((event) => [event.room_nid, event.state_key ?? '']),
    ),
  ]);
  const redactions = await readRedactions(db, rows);
  const byNid = new Map(rows.map((row) => [row.event_nid, row]));
  const style = { now, device: undefined, membership: undefined, redactions, stripped };
  return wanted.flatMap(({ event_nid: nid, room_id: roomId }) => {
    const row = byNid.get(nid);
    return row === undefined ? [] : [renderEvent(row, { ...style, roomId })];
  });
}
