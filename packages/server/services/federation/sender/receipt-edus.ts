import type { JsonObject } from '@portico/protocol';
import type { OutgoingReceiptRow } from '@portico/storage/stores/federation/federation-outgoing.ts';

type Content = { [roomId: string]: { readonly 'm.read': { [userId: string]: JsonObject } } };

/**
 * Receipts as the contents of `m.receipt` EDUs: as few as will do. An EDU has place for one receipt of a person in a room, so
 * several in different threads make several. `taken` is how many of the receipts fit into so many EDUs.
 *
 * {@link https://spec.matrix.org/v1.19/server-server-api/#receipts}
 */
export function receiptContents(
  rows: readonly OutgoingReceiptRow[],
  maxEdus: number,
): { readonly contents: readonly JsonObject[]; readonly taken: number } {
  const counts = new Map<string, number>();
  const contents: Content[] = [];
  for (const [taken, row] of rows.entries()) {
    const { room_id: roomId, user_id: userId, thread_id: threadId, event_id: eventId, ts } = row;
    const key = `${roomId} ${userId}`;
    const index = counts.get(key) ?? 0;
    if (index >= maxEdus) return { contents, taken };
    counts.set(key, index + 1);
    const content = (contents[index] ??= {});
    const ofRoom = (content[roomId] ??= { 'm.read': {} });
    const data: JsonObject = threadId === '' ? { ts } : { thread_id: threadId, ts };
    ofRoom['m.read'][userId] = { data, event_ids: [eventId] };
  }
  return { contents, taken: rows.length };
}
