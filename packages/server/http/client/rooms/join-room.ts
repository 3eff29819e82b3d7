import type { JsonObject } from '@portico/protocol';
import { Type } from 'typebox';
import type { RoomService } from '../../../services/rooms/room-service.ts';
import { endpoint } from '../../endpoint.ts';
import { roomIdResponse, roomParams, viaOf, viaQuery } from './schemas.ts';

const thirdPartySigned = Type.Object(
  {
    sender: Type.String(),
    mxid: Type.String(),
    token: Type.String(),
    signatures: Type.Record(Type.String(), Type.Record(Type.String(), Type.String())),
  },
  { title: 'ThirdPartySigned' },
);

/** What else is in it becomes part of the member event, as clients in use rely on. */
const body = Type.Unsafe<JsonObject & { readonly reason?: string }>(
  Type.Object(
    { reason: Type.Optional(Type.String()), third_party_signed: Type.Optional(thirdPartySigned) },
    { title: 'JoinRoom' },
  ),
);

export const joinRoomById = endpoint(
  {
    method: 'POST',
    path: '/_matrix/client/v3/rooms/:roomId/join',
    operationId: 'joinRoomById',
    summary: 'Join a room by its ID',
    auth: 'user',
    moderated: 'refused-when-suspended',
    rateLimit: 'join',
    params: roomParams,
    body,
    response: roomIdResponse,
  },
  ({ rooms }: { rooms: RoomService }) =>
    async ({ sender, params, body: { reason, ...extra } }) => ({
      room_id: await rooms.join(sender, params.roomId, { reason, via: [], extra }),
    }),
);

export const joinRoom = endpoint(
  {
    method: 'POST',
    path: '/_matrix/client/v3/join/:roomIdOrAlias',
    operationId: 'joinRoom',
    summary: 'Join a room by its ID or alias',
    auth: 'user',
    moderated: 'refused-when-suspended',
    rateLimit: 'join',
    params: Type.Object({ roomIdOrAlias: Type.String() }),
    query: viaQuery,
    body,
    response: roomIdResponse,
  },
  ({ rooms }: { rooms: RoomService }) =>
    async ({ sender, params, query, body: { reason, ...extra } }) => ({
      room_id: await rooms.join(sender, params.roomIdOrAlias, { reason, via: viaOf(query), extra }),
    }),
);
