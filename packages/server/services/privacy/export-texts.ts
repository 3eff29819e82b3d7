import type { Reader } from '@portico/storage';
import { listRoomsWithMembership } from '@portico/storage/stores/accounts/accounts-jobs.ts';
import { type ExportRow, type ExportSection, readSpoken } from '@portico/storage/stores/privacy/export-sections.ts';

const roomsAtOnce = 500;
/** So many events of a room are looked at for those of one person: all may be as large as events can be. */
const eventsAtOnce = 500;
const memberships = ['join', 'leave', 'ban', 'knock', 'invite'];

/** A section as the text of a JSON array, a page of rows at a time. */
export async function* sectionText(reader: Reader, userId: string, section: ExportSection): AsyncGenerator<string> {
  let separator = '[';
  const { rowsAtOnce } = section;
  for (let offset = 0; ; offset += rowsAtOnce) {
    const rows = await reader.all(section.statement, [userId, rowsAtOnce, offset]);
    let text = '';
    for (const row of rows) {
      text += `${separator}\n${rowText(row, section.json)}`;
      separator = ',';
    }
    if (text !== '') yield text;
    if (rows.length < rowsAtOnce) break;
  }
  yield separator === '[' ? '[]\n' : '\n]\n';
}

function rowText(row: ExportRow, json: readonly string[]): string {
  const members = Object.entries(row).map(([name, value]) => {
    const text = json.includes(name) && typeof value === 'string' ? value : JSON.stringify(value);
    return `${JSON.stringify(name)}:${text}`;
  });
  return `{${members.join(',')}}`;
}

/** What somebody said in all their rooms, an event a line. */
export async function* spokenText(reader: Reader, userId: string): AsyncGenerator<string> {
  for (let afterRoom = -1; ;) {
    const rooms = await listRoomsWithMembership(reader, userId, memberships, { after: afterRoom, limit: roomsAtOnce });
    for (const { room_nid: roomNid, room_id: roomId } of rooms) yield* spokenInRoom(reader, userId, roomNid, roomId);
    const last = rooms.at(-1);
    if (last === undefined || rooms.length < roomsAtOnce) return;
    afterRoom = last.room_nid;
  }
}

async function* spokenInRoom(reader: Reader, userId: string, roomNid: number, roomId: string) {
  for (let after = -1; ;) {
    const rows = await readSpoken(reader, { roomNid, after, window: eventsAtOnce }, userId);
    let text = '';
    for (const row of rows) {
      if (row.event_id === null) continue;
      const { event_id: eventId, type, state_key: stateKey, origin_server_ts: ts } = row;
      const fields = { room_id: roomId, event_id: eventId, type, ...(stateKey !== null && { state_key: stateKey }) };
      text += `${JSON.stringify({ ...fields, origin_server_ts: ts }).slice(0, -1)},"content":${row.content ?? '{}'}}\n`;
    }
    if (text !== '') yield text;
    const last = rows.at(-1);
    if (last === undefined) return;
    after = last.room_order;
  }
}
