import type { WriteSet } from '../../database.ts';
import type { FullText, FullTextDocument } from '../../full-text/full-text.ts';
import { sql } from '../../sql.ts';

const deleteDocument = sql<void, [eventNid: number]>('search.delete', 'delete from message_search where rowid = $1');

/** Nobody finds a redacted event, from the redaction's commit on. */
export function removeFromSearch(set: WriteSet, eventNid: number): void {
  set.add(deleteDocument, [eventNid]);
}

export function addToSearch(set: WriteSet, fullText: FullText, documents: readonly FullTextDocument[]): void {
  if (documents.length > 0) set.add(fullText.insert, [fullText.pack(documents)]);
}

/** What one set may take out of the index of a room that has become encrypted; what is left is not found either. */
const maxRemoved = 5000;

export function removeRoomFromSearch(set: WriteSet, fullText: FullText, roomNid: number): void {
  set.add(fullText.removeRoom, [fullText.roomScope(roomNid), maxRemoved]);
}
