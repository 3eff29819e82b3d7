import type { RoomService } from '../../../services/rooms/room-service.ts';
import { endpoint } from '../../endpoint.ts';
import { emptyResponse, roomParams } from './schemas.ts';

export const forgetRoom = endpoint(
  {
    method: 'POST',
    path: '/_matrix/client/v3/rooms/:roomId/forget',
    operationId: 'forgetRoom',
    summary: 'Stop remembering a room that one has left',
    auth: 'user',
    rateLimit: 'join',
    params: roomParams,
    response: emptyResponse,
  },
  ({ rooms }: { rooms: RoomService }) =>
    async ({ sender, params }) => {
      await rooms.forget(sender, params.roomId);
      return {};
    },
);
