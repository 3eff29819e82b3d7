import type { RoomService } from '../../../services/rooms/room-service.ts';
import { endpoint } from '../../endpoint.ts';
import { emptyResponse, memberBody, roomParams } from './schemas.ts';

export const inviteUser = endpoint(
  {
    method: 'POST',
    path: '/_matrix/client/v3/rooms/:roomId/invite',
    operationId: 'inviteUser',
    summary: 'Invite a user to a room',
    auth: 'user',
    moderated: 'refused-when-suspended',
    rateLimit: 'invite',
    params: roomParams,
    body: memberBody,
    response: emptyResponse,
  },
  ({ rooms }: { rooms: RoomService }) =>
    async ({ sender, params, body }) => {
      await rooms.invite(sender, params.roomId, body.user_id, body.reason);
      return {};
    },
);
