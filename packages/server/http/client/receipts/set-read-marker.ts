import { Type } from 'typebox';
import { receiptTypes } from '../../../services/receipts/receipt-types.ts';
import type { Receipts } from '../../../services/receipts/receipts.ts';
import { endpoint } from '../../endpoint.ts';
import { emptyObject } from '../../schemas.ts';

const eventId = Type.Optional(Type.String());

export const setReadMarker = endpoint(
  {
    method: 'POST',
    path: '/_matrix/client/v3/rooms/:roomId/read_markers',
    operationId: 'setReadMarker',
    summary: 'Set the position of the read marker for a room',
    auth: 'user',
    rateLimit: 'receipt',
    params: Type.Object({ roomId: Type.String() }),
    body: Type.Object(
      { 'm.fully_read': eventId, 'm.read': eventId, 'm.read.private': eventId },
      { title: 'ReadMarkers' },
    ),
    response: emptyObject,
  },
  ({ receipts }: { receipts: Receipts }) =>
    async ({ sender, params, body }) => {
      const given = receiptTypes.flatMap((type) => {
        const eventId = body[type];
        return eventId === undefined ? [] : [{ type, eventId }];
      });
      await receipts.send(sender.userId, params.roomId, given);
      return {};
    },
);
