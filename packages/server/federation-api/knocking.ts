import { Type } from 'typebox';
import { eventTemplate } from './membership.ts';
import { operation } from './operation.ts';
import { anyObject, megabyte, pdu, roomEventParams, roomUserParams } from './pdu.ts';

const timeout = 30_000;
const answerLimit = megabyte;

export const makeKnock = operation({
  method: 'GET',
  path: '/_matrix/federation/v1/make_knock/:roomId/:userId',
  operationId: 'makeKnock',
  summary: 'Gives a template for an event with which somebody asks to be let into a room.',
  auth: 'server',
  params: roomUserParams,
  query: Type.Object({ ver: Type.Optional(Type.Array(Type.String())) }),
  response: eventTemplate,
  answerLimit,
  timeout,
});

export const sendKnock = operation({
  method: 'PUT',
  path: '/_matrix/federation/v1/send_knock/:roomId/:eventId',
  operationId: 'sendKnock',
  summary: 'Makes a knock part of its room, and gives what may be shown of the room.',
  auth: 'server',
  params: roomEventParams,
  body: pdu,
  response: Type.Object({ knock_room_state: Type.Array(anyObject) }, { title: 'KnockedRoom' }),
  answerLimit,
  timeout,
});
