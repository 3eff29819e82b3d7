import { Type } from 'typebox';
import { MatrixError } from '../../../errors/matrix-error.ts';
import { isReceiptType } from '../../../services/receipts/receipt-types.ts';
import type { Receipts } from '../../../services/receipts/receipts.ts';
import { endpoint } from '../../endpoint.ts';
import { emptyObject } from '../../schemas.ts';

export const sendReceipt = endpoint(
  {
    method: 'POST',
    path: '/_matrix/client/v3/rooms/:roomId/receipt/:receiptType/:eventId',
    operationId: 'postReceipt',
    summary: 'Send a receipt for the given event ID',
    auth: 'user',
    rateLimit: 'receipt',
    params: Type.Object({ roomId: Type.String(), receiptType: Type.String(), eventId: Type.String() }),
    // A thread ID that is no string is M_INVALID_PARAM, where a schema would make it M_BAD_JSON.
    body: Type.Object({ thread_id: Type.Optional(Type.Unknown()) }, { title: 'ReceiptThread' }),
    response: emptyObject,
  },
  ({ receipts }: { receipts: Receipts }) =>
    async ({ sender, params, body }) => {
      const { roomId, receiptType: type, eventId } = params;
      const { thread_id: threadId } = body;
      if (!isReceiptType(type)) {
        throw new MatrixError('request.invalid-param', { message: 'There is no such type of receipt.' });
      }
      if (threadId !== undefined && typeof threadId !== 'string') {
        throw new MatrixError('request.invalid-param', { message: 'thread_id must be a non-empty string.' });
      }
      await receipts.send(sender.userId, roomId, [{ type, eventId, threadId }]);
      return {};
    },
);
