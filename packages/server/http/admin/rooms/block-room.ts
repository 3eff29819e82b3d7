import { Type } from 'typebox';
import type { BlockedRooms } from '../../../services/rooms/blocking/blocked-rooms.ts';
import { endpoint } from '../../endpoint.ts';

const path = '/_synapse/admin/v1/rooms/:roomId/block';
const params = Type.Object({ roomId: Type.String() });

export const getRoomBlock = endpoint(
  {
    method: 'GET',
    path,
    operationId: 'getRoomBlock',
    summary: 'Tells whether a room is blocked, and by whom.',
    auth: 'admin',
    params,
    response: Type.Object({ block: Type.Boolean(), user_id: Type.Optional(Type.String()) }, { title: 'RoomBlock' }),
  },
  ({ blockedRooms }: { blockedRooms: BlockedRooms }) =>
    async ({ params: { roomId } }) => {
      const by = await blockedRooms.blockedBy(roomId);
      // Who did it may have had their account erased.
      return { block: by !== undefined, ...(by && { user_id: by }) };
    },
);

const block = Type.Object({ block: Type.Boolean() }, { title: 'RoomBlocked' });

export const setRoomBlock = endpoint(
  {
    method: 'PUT',
    path,
    operationId: 'setRoomBlock',
    summary: 'Blocks a room, or no longer: nobody of this server gets in, nor is invited.',
    auth: 'admin',
    params,
    body: block,
    response: block,
  },
  ({ blockedRooms }: { blockedRooms: BlockedRooms }) =>
    async ({ sender, params: { roomId }, body }) => {
      await blockedRooms.set(sender.userId, roomId, body.block);
      return { block: body.block };
    },
);
