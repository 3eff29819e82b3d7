import type { Reader } from '../../database.ts';
import { sql } from '../../sql.ts';

export type MediaFileRow = { readonly content_id: string; readonly size: number };

const selectFiles = sql<MediaFileRow, [after: string, limit: number]>(
  'media.files',
  'select content_id, size from media where content_id > $1 order by content_id limit $2',
);

const pageSize = 1000;

/** The files that uploads and copies of others' media lie in, page by page. */
export async function* listMediaFiles(reader: Reader): AsyncGenerator<readonly MediaFileRow[], void, undefined> {
  let after = '';
  for (;;) {
    const page = await reader.all(selectFiles, [after, pageSize]);
    if (page.length > 0) yield page;
    const last = page.at(-1);
    if (last === undefined || page.length < pageSize) return;
    after = last.content_id;
  }
}
