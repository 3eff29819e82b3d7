import { Type } from 'typebox';
import type { RoomService } from '../../../services/rooms/room-service.ts';
import { endpoint } from '../../endpoint.ts';
import { eventIdResponse, reasonBody } from './schemas.ts';

export const redactEvent = endpoint(
  {
    method: 'PUT',
    path: '/_matrix/client/v3/rooms/:roomId/redact/:eventId/:txnId',
    operationId: 'redactEvent',
    summary: 'Strip an event of what its room version does not need',
    auth: 'user',
    rateLimit: 'send',
    params: Type.Object({ roomId: Type.String(), eventId: Type.String(), txnId: Type.String() }),
    body: reasonBody,
    response: eventIdResponse,
  },
  ({ rooms }: { rooms: RoomService }) =>
    async ({ sender, params, body }) => ({
      event_id: await rooms.redact(sender, params.roomId, params.eventId, params.txnId, body.reason),
    }),
);
