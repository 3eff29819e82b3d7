import { encodeCanonical, findRoomVersion, isJsonObject, parseJson, redactContent } from '@portico/protocol';
import type { Reader } from '@portico/storage';
import type { ClientEventRow } from '@portico/storage/stores/events/timeline.ts';
import { findRoom } from '@portico/storage/stores/rooms/rooms.ts';

/** What a redaction would leave of an event. Where it replaced another one, that is not shown, either. */
export async function redactedRow(db: Reader, row: ClientEventRow): Promise<ClientEventRow> {
  const room = await findRoom(db, row.room_nid);
  const rules = room && findRoomVersion(room.room_version);
  const content = parseJson(row.content);
  const kept = rules && isJsonObject(content) ? redactContent(rules, row.type, content) : {};
  const nothingBefore = { replaces_nid: null, prev_event_id: null, prev_sender: null, prev_content: null };
  return { ...row, ...nothingBefore, content: encodeCanonical(kept, 'lenient') };
}
