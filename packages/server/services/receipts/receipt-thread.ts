import { parseJson } from '@portico/protocol';
import { isJsonObject } from '@portico/protocol';
import type { Reader } from '@portico/storage';
import { findReceiptTarget, type ReceiptTargetRow } from '@portico/storage/stores/unread/receipts.ts';
import type { ReceiptReach } from '@portico/storage/stores/unread/unread-markers.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import { relationOf } from '../unread/thread-places.ts';
import { mainThread } from './receipt-types.ts';

/** "a maximum of 3 hops is recommended to cover indirect relationships" */
const mostHops = 3;

/**
 * How far a receipt for an event reaches. The event must have to do with the thread that the receipt names: it is in it, it
 * is its root, or it relates to its root.
 *
 * {@link https://spec.matrix.org/v1.19/client-server-api/#threaded-read-receipts}
 */
export async function receiptReach(
  reader: Reader,
  roomNid: number,
  event: ReceiptTargetRow,
  threadId: string | undefined,
): Promise<ReceiptReach> {
  if (threadId === undefined) return 'everywhere';
  if (threadId === mainThread) {
    if (event.thread_nid !== null) throw notRelated();
    return 'main';
  }
  const root = await findReceiptTarget(reader, roomNid, threadId);
  if (root === undefined || root.thread_nid !== null) throw notRelated();
  const { event_nid: threadNid } = root;
  if (event.thread_nid !== null) {
    if (event.thread_nid !== threadNid) throw notRelated();
    return { threadNid };
  }
  let current: ReceiptTargetRow | undefined = event;
  for (let hop = 0; current !== undefined; hop++) {
    if (current.event_nid === threadNid) return { threadNid };
    const content = parseJson(current.content);
    const relation = hop < mostHops && isJsonObject(content) ? relationOf(content) : undefined;
    current = relation && (await findReceiptTarget(reader, roomNid, relation.eventId));
  }
  throw notRelated();
}

function notRelated(): MatrixError {
  return new MatrixError('request.invalid-param', { message: 'The event is not related to the thread.' });
}
