import type { BackedUpRow, BackupCursor } from '@portico/storage/stores/devices/key-backup.ts';

/** Keys behind a place in their order: by room, and by session in each. */
export type ReadPage = (after: BackupCursor, limit: number) => Promise<readonly BackedUpRow[]>;

/** A backup may hold more than fits into memory at once: a page has at most sixteen megabytes, and mostly a fifth of one. */
const perPage = 250;

export function keyText(row: BackedUpRow): string {
  return (
    `{"first_message_index":${row.first_message_index},"forwarded_count":${row.forwarded_count},` +
    `"is_verified":${row.is_verified === 1},"session_data":${row.session_data}}`
  );
}

async function* pages(read: ReadPage): AsyncGenerator<readonly BackedUpRow[]> {
  let after: BackupCursor = { room_id: '', session_id: '' };
  for (;;) {
    const rows = await read(after, perPage);
    const last = rows.at(-1);
    if (last !== undefined) yield rows;
    if (last === undefined || rows.length < perPage) return;
    after = last;
  }
}

/** The sessions of one room, which is all that is read. */
export async function* roomText(read: ReadPage): AsyncGenerator<string> {
  let text = '{"sessions":{';
  let comma = '';
  for await (const rows of pages(read)) {
    if (comma !== '') {
      yield text;
      text = '';
    }
    for (const row of rows) {
      text += `${comma}${JSON.stringify(row.session_id)}:${keyText(row)}`;
      comma = ',';
    }
  }
  yield `${text}}}`;
}

/** The sessions of all rooms. */
export async function* allRoomsText(read: ReadPage): AsyncGenerator<string> {
  let text = '{"rooms":{';
  let room: string | undefined;
  for await (const rows of pages(read)) {
    if (room !== undefined) {
      yield text;
      text = '';
    }
    for (const row of rows) {
      const end = room === undefined ? '' : '}},';
      text += row.room_id === room ? ',' : `${end}${JSON.stringify(row.room_id)}:{"sessions":{`;
      text += `${JSON.stringify(row.session_id)}:${keyText(row)}`;
      room = row.room_id;
    }
  }
  yield `${text}${room === undefined ? '' : '}}'}}}`;
}
