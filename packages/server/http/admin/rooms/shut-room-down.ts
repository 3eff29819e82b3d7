import { type Static, Type } from 'typebox';
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

const status = Type.Union([Type.Literal('shutting_down'), Type.Literal('complete')]);

export const getRoomShutdown = endpoint(
  {
    method: 'GET',
    path: '/_synapse/admin/v2/rooms/delete_status/:deleteId',
    operationId: 'getRoomShutdown',
    summary: 'Tells whether everybody of this server is out of a room that is shut down.',
    auth: 'admin',
    params: Type.Object({ deleteId: Type.String() }),
    response: Type.Object({ status }, { title: 'RoomShutdownStatus' }),
  },
  ({ blockedRooms }: { blockedRooms: BlockedRooms }) =>
    async ({ sender, params: { deleteId } }) => ({ status: await statusOf(blockedRooms, sender.userId, deleteId) }),
);

export const listRoomShutdowns = endpoint(
  {
    method: 'GET',
    path: '/_synapse/admin/v2/rooms/:roomId/delete_status',
    operationId: 'listRoomShutdowns',
    summary: 'Tells the same of a room.',
    auth: 'admin',
    params: Type.Object({ roomId: Type.String() }),
    response: Type.Object(
      { results: Type.Array(Type.Object({ delete_id: Type.String(), status })) },
      { title: 'RoomShutdowns' },
    ),
  },
  ({ blockedRooms }: { blockedRooms: BlockedRooms }) =>
    async ({ sender, params: { roomId } }) => ({
      results: [{ delete_id: roomId, status: await statusOf(blockedRooms, sender.userId, roomId) }],
    }),
);

async function statusOf(
  blockedRooms: BlockedRooms,
  administrator: string,
  roomId: string,
): Promise<Static<typeof status>> {
  return (await blockedRooms.isEmptied(administrator, roomId)) ? 'complete' : 'shutting_down';
}
