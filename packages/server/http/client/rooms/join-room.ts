import type { JsonObject } from '@portico/protocol';
import { type Static, Type } from 'typebox';
import type { ThirdPartyInvites } from '../../../services/federation/rooms/third-party-invites.ts';
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

type Services = { rooms: RoomService; thirdPartyInvites: Pick<ThirdPartyInvites, 'claim'> };

/** What else is in it becomes part of the member event, as clients in use rely on. */
const body = Type.Unsafe<
  JsonObject & { readonly reason?: string; readonly third_party_signed?: Static<typeof thirdPartySigned> }
>(
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
  ({ rooms, thirdPartyInvites }: Services) =>
    async ({ sender, params, body: { reason, third_party_signed: signed, ...extra } }) => {
      if (signed !== undefined) await thirdPartyInvites.claim(sender.userId, params.roomId, signed);
      return { room_id: await rooms.join(sender, params.roomId, { reason, via: [], extra }) };
    },
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
  ({ rooms, thirdPartyInvites }: Services) =>
    async ({ sender, params, query, body: { reason, third_party_signed: signed, ...extra } }) => {
      if (signed !== undefined) await thirdPartyInvites.claim(sender.userId, params.roomIdOrAlias, signed);
      return { room_id: await rooms.join(sender, params.roomIdOrAlias, { reason, via: viaOf(query), extra }) };
    },
);
