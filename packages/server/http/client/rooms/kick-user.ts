import type { RoomService } from '../../../services/rooms/room-service.ts';
import { endpoint } from '../../endpoint.ts';
import { emptyResponse, memberBody, roomParams } from './schemas.ts';

export const kickUser = endpoint(
  {
    method: 'POST',
    path: '/_matrix/client/v3/rooms/:roomId/kick',
    operationId: 'kick',
    summary: 'Kick a user from the room',
    auth: 'user',
    moderated: 'refused-when-suspended',
    rateLimit: 'send',
    params: roomParams,
    body: memberBody,
    response: emptyResponse,
  },
  ({ rooms }: { rooms: RoomService }) =>
    async ({ sender, params, body }) => {
      await rooms.kick(sender, params.roomId, body.user_id, body.reason);
      return {};
    },
);
