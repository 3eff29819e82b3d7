import type { RoomService } from '../../../services/rooms/room-service.ts';
import { endpoint } from '../../endpoint.ts';
import { emptyResponse, memberBody, roomParams } from './schemas.ts';

export const unbanUser = endpoint(
  {
    method: 'POST',
    path: '/_matrix/client/v3/rooms/:roomId/unban',
    operationId: 'unban',
    summary: 'Lift a ban',
    auth: 'user',
    moderated: 'refused-when-suspended',
    rateLimit: 'send',
    params: roomParams,
    body: memberBody,
    response: emptyResponse,
  },
  ({ rooms }: { rooms: RoomService }) =>
    async ({ sender, params, body }) => {
      await rooms.unban(sender, params.roomId, body.user_id, body.reason);
      return {};
    },
);
