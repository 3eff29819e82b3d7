import { Type } from 'typebox';
import { operation } from './operation.ts';
import { anyObject, megabyte, pdu, roomEventParams } from './pdu.ts';

const timeout = 30_000;
const answerLimit = megabyte;

export const invite = operation({
  method: 'PUT',
  path: '/_matrix/federation/v2/invite/:roomId/:eventId',
  operationId: 'sendInviteV2',
  summary: 'Invites somebody of the server, which signs the invitation if it may reach them.',
  auth: 'server',
  params: roomEventParams,
  body: Type.Object({
    event: pdu,
    room_version: Type.String(),
    invite_room_state: Type.Optional(Type.Array(anyObject)),
  }),
  response: Type.Object({ event: pdu }, { title: 'SignedInvite' }),
  answerLimit,
  timeout,
});

/** For rooms of versions 1 and 2: what may be shown of the room is in the event's `unsigned`. */
export const inviteV1 = operation({
  method: 'PUT',
  path: '/_matrix/federation/v1/invite/:roomId/:eventId',
  operationId: 'sendInviteV1',
  summary: 'Invites somebody of the server, which signs the invitation if it may reach them.',
  auth: 'server',
  params: roomEventParams,
  body: pdu,
  response: Type.Unsafe<[number, object]>(Type.Array(Type.Unknown())),
  answerLimit,
  timeout,
});
