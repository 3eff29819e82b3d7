import { Type } from 'typebox';
import type { Aliases } from '../../../services/rooms/aliases/aliases.ts';
import { endpoint } from '../../endpoint.ts';
import { emptyObject } from '../../schemas.ts';
import { aliasParams } from './schemas.ts';

const path = '/_matrix/client/v3/directory/room/:roomAlias';

export const setRoomAlias = endpoint(
  {
    method: 'PUT',
    path,
    operationId: 'setRoomAlias',
    summary: 'Create a new mapping from room alias to room ID',
    auth: 'user',
    moderated: 'refused-when-suspended',
    rateLimit: 'alias',
    params: aliasParams,
    body: Type.Object({ room_id: Type.String() }, { title: 'RoomOfAlias' }),
    response: emptyObject,
  },
  ({ aliases }: { aliases: Aliases }) =>
    async ({ sender, params, body }) => {
      await aliases.set(sender, params.roomAlias, body.room_id);
      return {};
    },
);

export const getRoomIdByAlias = endpoint(
  {
    method: 'GET',
    path,
    operationId: 'getRoomIdByAlias',
    summary: 'Get the room ID corresponding to this room alias',
    auth: 'anyone',
    rateLimit: 'directory',
    params: aliasParams,
    response: Type.Object({ room_id: Type.String(), servers: Type.Array(Type.String()) }, { title: 'ResolvedAlias' }),
  },
  ({ aliases }: { aliases: Aliases }) =>
    async ({ params }) => {
      const { roomId, servers } = await aliases.get(params.roomAlias);
      return { room_id: roomId, servers: [...servers] };
    },
);

export const deleteRoomAlias = endpoint(
  {
    method: 'DELETE',
    path,
    operationId: 'deleteRoomAlias',
    summary: 'Remove a mapping of room alias to room ID',
    auth: 'user',
    moderated: 'refused-when-suspended',
    rateLimit: 'alias',
    params: aliasParams,
    response: emptyObject,
  },
  ({ aliases }: { aliases: Aliases }) =>
    async ({ sender, params }) => {
      await aliases.remove(sender, params.roomAlias);
      return {};
    },
);
