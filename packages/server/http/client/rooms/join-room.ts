import { Type } from 'typebox';
import type { RoomService } from '../../../services/rooms/room-service.ts';
import { endpoint } from '../../endpoint.ts';
import { jsonObject, roomIdResponse, roomParams } from './schemas.ts';

const body = Type.Object(
  { reason: Type.Optional(Type.String()), third_party_signed: Type.Optional(jsonObject) },
  { title: 'JoinRoom' },
);

export const joinRoomById = endpoint(
  {
    method: 'POST',
    path: '/_matrix/client/v3/rooms/:roomId/join',
    operationId: 'joinRoomById',
    summary: 'Join a room by its ID',
    auth: 'user',
    rateLimit: 'join',
    params: roomParams,
    body,
    response: roomIdResponse,
  },
  ({ rooms }: { rooms: RoomService }) =>
    async ({ sender, params, body }) => ({
      room_id: await rooms.join(sender, params.roomId, { reason: body.reason, via: [] }),
    }),
);

const servers = Type.Optional(Type.Union([Type.String(), Type.Array(Type.String())]));

export const joinRoom = endpoint(
  {
    method: 'POST',
    path: '/_matrix/client/v3/join/:roomIdOrAlias',
    operationId: 'joinRoom',
    summary: 'Join a room by its ID or alias',
    auth: 'user',
    rateLimit: 'join',
    params: Type.Object({ roomIdOrAlias: Type.String() }),
    query: Type.Object({ via: servers, server_name: servers }),
    body,
    response: roomIdResponse,
  },
  ({ rooms }: { rooms: RoomService }) =>
    async ({ sender, params, query, body }) => ({
      room_id: await rooms.join(sender, params.roomIdOrAlias, {
        reason: body.reason,
        via: [query.via ?? query.server_name ?? []].flat(),
      }),
    }),
);
