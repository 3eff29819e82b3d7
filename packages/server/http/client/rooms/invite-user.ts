import { Type } from 'typebox';
import { MatrixError } from '../../../errors/matrix-error.ts';
import type { InviteAddress } from '../../../services/identity/invite-address.ts';
import type { RoomService } from '../../../services/rooms/room-service.ts';
import { endpoint } from '../../endpoint.ts';
import { emptyResponse, roomParams } from './schemas.ts';

const text = Type.Optional(Type.String());
/** A person, or an address by way of an identity server. */
const body = Type.Object(
  { user_id: text, reason: text, id_server: text, id_access_token: text, medium: text, address: text },
  {
    title: 'Invite',
    anyOf: [{ required: ['user_id'] }, { required: ['id_server', 'id_access_token', 'medium', 'address'] }],
  },
);

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
    body,
    response: emptyResponse,
  },
  ({ rooms, inviteAddress }: { rooms: RoomService; inviteAddress: InviteAddress }) =>
    async ({ sender, params: { roomId }, body: { user_id: userId, reason, ...invite } }) => {
      const { id_server: server, id_access_token: token, medium, address } = invite;
      if (userId !== undefined) {
        await rooms.invite(sender, roomId, userId, reason);
      } else if (server !== undefined && token !== undefined && medium !== undefined && address !== undefined) {
        await inviteAddress(sender, roomId, { server, token, medium, address, reason });
      } else {
        throw new MatrixError('request.missing-param', { message: 'user_id, or an address with an identity server.' });
      }
      return {};
    },
);
