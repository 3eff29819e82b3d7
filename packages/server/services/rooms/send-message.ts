import type { JsonObject } from '@portico/protocol';
import type { Reader } from '@portico/storage';
import { checkRelation } from '../relations/check-relation.ts';
import type { Draft } from './draft.ts';
import type { RoomWriter } from './room-writer.ts';
import { soleEventId } from './set-state.ts';
import { refuseTooManySticky } from './stickiness.ts';
import type { Transactions } from './transactions.ts';

export type MessageRequest = {
  readonly type: string;
  readonly txnId: string;
  readonly content: JsonObject;
  readonly redacts?: string;
  /** Instead of the time now. Milliseconds. */
  readonly originServerTs?: number | undefined;
  /** For how long it is to be sticky. Milliseconds. */
  readonly stickyMs?: number | undefined;
};

/**
 * Sends a message event, once for each transaction ID of a device.
 *
 * "The purpose of the transaction ID is to allow the homeserver to distinguish a new request from a retransmission of a
 * previous request so that it can make the request idempotent."
 * {@link https://spec.matrix.org/v1.19/client-server-api/#transaction-identifiers}
 */
export function sendMessage(
  {
    reader,
    writer,
    transactions,
    now,
  }: {
    readonly reader: Reader;
    readonly writer: RoomWriter;
    readonly transactions: Transactions;
    readonly now: () => number;
  },
  roomNid: number,
  sender: { readonly userId: string; readonly deviceId: string },
  { type, txnId, content, redacts, originServerTs, stickyMs }: MessageRequest,
): Promise<string> {
  const draft: Draft = {
    type,
    stateKey: undefined,
    sender: sender.userId,
    content,
    transaction: { deviceId: sender.deviceId, txnId },
    ...(redacts === undefined ? {} : { redacts }),
    ...(originServerTs === undefined ? {} : { originServerTs }),
    ...(stickyMs === undefined ? {} : { stickyMs }),
  };
  return transactions.once({ ...sender, roomNid, type, txnId }, async () => {
    if (stickyMs !== undefined) await refuseTooManySticky(reader, roomNid, sender.userId, now());
    await checkRelation(reader, roomNid, draft);
    const { events } = await writer.append(roomNid, { needs: [], drafts: () => [draft] });
    return soleEventId(events);
  });
}
