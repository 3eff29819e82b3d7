import { Type } from 'typebox';
import type { BlockedRooms } from '../../../services/rooms/blocking/blocked-rooms.ts';
import { endpoint } from '../../endpoint.ts';

/**
 * What the tools that ask for this call a deletion. Events stay stored, and nobody is moved to another room: other fields of the
 * request say how, and are ignored.
 */
export const shutRoomDown = endpoint(
  {
    method: 'DELETE',
    path: '/_synapse/admin/v2/rooms/:roomId',
    operationId: 'shutRoomDown',
    summary: 'Takes everybody of this server out of a room, in the background.',
    auth: 'admin',
    params: Type.Object({ roomId: Type.String() }),
    body: Type.Object(
      {
        block: Type.Optional(Type.Boolean()),
        message: Type.Optional(Type.String({ maxLength: 1000, description: 'The reason that people leave with.' })),
      },
      { title: 'RoomShutdown' },
    ),
    response: Type.Object({ delete_id: Type.String() }, { title: 'RoomShutdownBegun' }),
  },
  ({ blockedRooms }: { blockedRooms: BlockedRooms }) =>
    async ({ sender, params: { roomId }, body: { block = false, message } }) => {
      await blockedRooms.shutDown(sender.userId, roomId, { isBlocked: block, reason: message });
      return { delete_id: roomId };
    },
);
