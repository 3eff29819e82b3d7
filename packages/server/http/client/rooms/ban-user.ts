import type { RoomService } from '../../../services/rooms/room-service.ts';
import { endpoint } from '../../endpoint.ts';
import { emptyResponse, memberBody, roomParams } from './schemas.ts';

export const banUser = endpoint(
  {
    method: 'POST',
    path: '/_matrix/client/v3/rooms/:roomId/ban',
    operationId: 'ban',
    summary: 'Ban a user from the room',
    auth: 'user',
    moderated: 'refused-when-suspended',
    rateLimit: 'send',
    params: roomParams,
    body: memberBody,
    response: emptyResponse,
  },
  ({ rooms }: { rooms: RoomService }) =>
    async ({ sender, params, body }) => {
      await rooms.ban(sender, params.roomId, body.user_id, body.reason);
      return {};
    },
);
