import { Type } from 'typebox';
import type { RoomService } from '../../../services/rooms/room-service.ts';
import { endpoint } from '../../endpoint.ts';
import { reasonBody, roomIdResponse, viaOf, viaQuery } from './schemas.ts';

export const knockRoom = endpoint(
  {
    method: 'POST',
    path: '/_matrix/client/v3/knock/:roomIdOrAlias',
    operationId: 'knockRoom',
    summary: 'Knock on a room, requesting permission to join',
    auth: 'user',
    moderated: 'refused-when-suspended',
    rateLimit: 'knock',
    params: Type.Object({ roomIdOrAlias: Type.String() }),
    query: viaQuery,
    body: reasonBody,
    response: roomIdResponse,
  },
  ({ rooms }: { rooms: RoomService }) =>
    async ({ sender, params, query, body }) => ({
      room_id: await rooms.knock(sender, params.roomIdOrAlias, { reason: body.reason, via: viaOf(query) }),
    }),
);
