import { Type } from 'typebox';
import { operation } from './operation.ts';
import { anyObject, megabyte, pdu, roomEventParams, roomUserParams } from './pdu.ts';

export const eventTemplate = Type.Object(
  { event: pdu, room_version: Type.Optional(Type.String()) },
  { title: 'EventTemplate' },
);
const timeout = 30_000;
const answerLimit = megabyte;
/** The server that answers has a whole room to read. */
const joinTimeout = 5 * 60_000;

export const makeJoin = operation({
  method: 'GET',
  path: '/_matrix/federation/v1/make_join/:roomId/:userId',
  operationId: 'makeJoin',
  summary: 'Gives a template for an event with which somebody joins a room.',
  auth: 'server',
  params: roomUserParams,
  query: Type.Object({ ver: Type.Optional(Type.Array(Type.String())) }),
  response: eventTemplate,
  answerLimit,
  timeout,
});

const joined = Type.Object(
  {
    auth_chain: Type.Array(pdu),
    state: Type.Array(pdu),
    event: Type.Optional(pdu),
    origin: Type.Optional(Type.String()),
    members_omitted: Type.Optional(Type.Boolean()),
    servers_in_room: Type.Optional(Type.Array(Type.String())),
  },
  { title: 'JoinedRoom' },
);

export const sendJoin = operation({
  method: 'PUT',
  path: '/_matrix/federation/v2/send_join/:roomId/:eventId',
  operationId: 'sendJoinV2',
  summary: 'Makes a join part of its room, and gives the state of the room before it.',
  auth: 'server',
  params: roomEventParams,
  query: Type.Object({ omit_members: Type.Optional(Type.String()) }),
  body: pdu,
  response: joined,
  answerLimit: 256 * megabyte,
  timeout: joinTimeout,
});

export const sendJoinV1 = operation({
  method: 'PUT',
  path: '/_matrix/federation/v1/send_join/:roomId/:eventId',
  operationId: 'sendJoinV1',
  summary: 'Makes a join part of its room, and gives the state of the room before it.',
  auth: 'server',
  params: roomEventParams,
  body: pdu,
  response: Type.Unsafe<[number, object]>(Type.Array(Type.Unknown())),
  answerLimit: 256 * megabyte,
  timeout: joinTimeout,
});

export const makeLeave = operation({
  method: 'GET',
  path: '/_matrix/federation/v1/make_leave/:roomId/:userId',
  operationId: 'makeLeave',
  summary: 'Gives a template for an event with which somebody leaves a room.',
  auth: 'server',
  params: roomUserParams,
  response: eventTemplate,
  answerLimit,
  timeout,
});

export const sendLeave = operation({
  method: 'PUT',
  path: '/_matrix/federation/v2/send_leave/:roomId/:eventId',
  operationId: 'sendLeaveV2',
  summary: 'Makes a leave part of its room.',
  auth: 'server',
  params: roomEventParams,
  body: pdu,
  response: anyObject,
  answerLimit,
  timeout,
});

export const sendLeaveV1 = operation({
  method: 'PUT',
  path: '/_matrix/federation/v1/send_leave/:roomId/:eventId',
  operationId: 'sendLeaveV1',
  summary: 'Makes a leave part of its room.',
  auth: 'server',
  params: roomEventParams,
  body: pdu,
  response: Type.Unsafe<[number, object]>(Type.Array(Type.Unknown())),
  answerLimit,
  timeout,
});
