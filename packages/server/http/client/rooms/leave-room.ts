import type { RoomService } from '../../../services/rooms/room-service.ts';
import { endpoint } from '../../endpoint.ts';
import { emptyResponse, reasonBody, roomParams } from './schemas.ts';

export const leaveRoom = endpoint(
  {
    method: 'POST',
    path: '/_matrix/client/v3/rooms/:roomId/leave',
    operationId: 'leaveRoom',
    summary: 'Leave a room, or reject an invitation to it',
    auth: 'user',
    rateLimit: 'join',
    params: roomParams,
    body: reasonBody,
    response: emptyResponse,
  },
  ({ rooms }: { rooms: RoomService }) =>
    async ({ sender, params, body }) => {
      await rooms.leave(sender, params.roomId, body.reason);
      return {};
    },
);
