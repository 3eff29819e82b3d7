import { type Static, Type } from 'typebox';
import type { BlockedRooms, ShutdownStatus } from '../../../services/rooms/blocking/blocked-rooms.ts';
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

const shutdown = Type.Object(
  {
    delete_id: Type.String(),
    room_id: Type.String(),
    status: Type.Union([Type.Literal('active'), Type.Literal('complete'), Type.Literal('failed')]),
    error: Type.Optional(Type.String()),
  },
  { title: 'RoomShutdownStatus' },
);

export const getRoomShutdown = endpoint(
  {
    method: 'GET',
    path: '/_synapse/admin/v2/rooms/delete_status/:deleteId',
    operationId: 'getRoomShutdown',
    summary: 'Tells what became of a room that was shut down, until a day after its end.',
    auth: 'admin',
    params: Type.Object({ deleteId: Type.String() }),
    response: shutdown,
  },
  ({ blockedRooms }: { blockedRooms: BlockedRooms }) =>
    async ({ params: { deleteId } }) =>
      toShutdown(deleteId, await blockedRooms.shutdownOf(deleteId)),
);

export const listRoomShutdowns = endpoint(
  {
    method: 'GET',
    path: '/_synapse/admin/v2/rooms/:roomId/delete_status',
    operationId: 'listRoomShutdowns',
    summary: 'Tells the same of a room.',
    auth: 'admin',
    params: Type.Object({ roomId: Type.String() }),
    response: Type.Object({ results: Type.Array(shutdown) }, { title: 'RoomShutdowns' }),
  },
  ({ blockedRooms }: { blockedRooms: BlockedRooms }) =>
    async ({ params: { roomId } }) => ({ results: [toShutdown(roomId, await blockedRooms.shutdownOf(roomId))] }),
);

/** Of each room there is one, the last. */
function toShutdown(roomId: string, status: ShutdownStatus): Static<typeof shutdown> {
  const error = status === 'failed' ? { error: 'Somebody could not be taken out of the room.' } : {};
  return { delete_id: roomId, room_id: roomId, status, ...error };
}
