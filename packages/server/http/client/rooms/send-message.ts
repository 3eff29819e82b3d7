import { Type } from 'typebox';
import type { RoomService } from '../../../services/rooms/room-service.ts';
import { endpoint } from '../../endpoint.ts';
import { eventIdResponse, jsonObject, originServerTs, timestampQuery } from './schemas.ts';

export const sendMessage = endpoint(
  {
    method: 'PUT',
    path: '/_matrix/client/v3/rooms/:roomId/send/:eventType/:txnId',
    operationId: 'sendMessage',
    summary: 'Send a message event to a room',
    auth: 'user',
    moderated: 'refused-when-suspended',
    rateLimit: 'send',
    params: Type.Object({ roomId: Type.String(), eventType: Type.String(), txnId: Type.String() }),
    query: timestampQuery,
    body: jsonObject,
    response: eventIdResponse,
  },
  ({ rooms }: { rooms: RoomService }) =>
    async ({ sender, params: { roomId, eventType, txnId }, query, body }) => ({
      event_id: await rooms.send(sender, roomId, eventType, txnId, body, originServerTs(sender, query.ts)),
    }),
);
