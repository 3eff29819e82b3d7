import type { ReceiptRow } from '@portico/storage/stores/sync/sync-read.ts';

/**
 * The content of an `m.receipt` event, as JSON text, with those receipts of a room that somebody may see; `undefined` if
 * there are none. `isOwn`: whose private receipts they may see.
 *
 * Where somebody has both an unthreaded and a threaded receipt at an event, which has place for one only, the unthreaded
 * one is shown: it covers the other.
 *
 * {@link https://spec.matrix.org/v1.19/client-server-api/#mreceipt}
 */
export function receiptContent(rows: readonly ReceiptRow[], isOwn: (userId: string) => boolean): string | undefined {
  const content = new Map<string, Map<string, Map<string, ReceiptRow>>>();
  for (const row of rows) {
    // "Servers MUST NOT send the `m.read.private` receipt to any other user than the one which originally sent it."
    if (row.receipt_type !== 'm.read' && (row.receipt_type !== 'm.read.private' || !isOwn(row.user_id))) continue;
    const byType = getOrAdd(content, row.event_id);
    const byUser = getOrAdd(byType, row.receipt_type);
    if (byUser.get(row.user_id)?.thread_id !== '') byUser.set(row.user_id, row);
  }
  if (content.size === 0) return undefined;
  return object(content, (byType) => object(byType, (byUser) => object(byUser, receipt)));
}

function getOrAdd<V>(map: Map<string, Map<string, V>>, key: string): Map<string, V> {
  let value = map.get(key);
  if (value === undefined) map.set(key, (value = new Map()));
  return value;
}

function object<V>(map: ReadonlyMap<string, V>, text: (value: V) => string): string {
  return `{${Array.from(map, ([key, value]) => `${JSON.stringify(key)}:${text(value)}`).join(',')}}`;
}

function receipt({ ts, thread_id: threadId }: ReceiptRow): string {
  return threadId === '' ? `{"ts":${ts}}` : `{"ts":${ts},"thread_id":${JSON.stringify(threadId)}}`;
}
