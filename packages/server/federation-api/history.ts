import { Type } from 'typebox';
import { operation } from './operation.ts';
import { megabyte, pdu, roomEventParams, roomParams } from './pdu.ts';

const auth = 'server';
const timeout = 30_000;
const transaction = Type.Object(
  { origin: Type.String(), origin_server_ts: Type.Integer(), pdus: Type.Array(pdu) },
  { title: 'EventsOfServer' },
);
const atEvent = Type.Object({ event_id: Type.String() });

export const getEvent = operation({
  method: 'GET',
  path: '/_matrix/federation/v1/event/:eventId',
  operationId: 'getEvent',
  summary: 'Gives an event.',
  auth,
  params: Type.Object({ eventId: Type.String() }),
  response: transaction,
  answerLimit: megabyte,
  timeout,
});

export const getState = operation({
  method: 'GET',
  path: '/_matrix/federation/v1/state/:roomId',
  operationId: 'getRoomStateForServer',
  summary: 'Gives the state of a room before an event.',
  auth,
  params: roomParams,
  query: atEvent,
  response: Type.Object({ pdus: Type.Array(pdu), auth_chain: Type.Array(pdu) }, { title: 'StateBefore' }),
  answerLimit: 256 * megabyte,
  timeout: 5 * 60_000,
});

export const getStateIds = operation({
  method: 'GET',
  path: '/_matrix/federation/v1/state_ids/:roomId',
  operationId: 'getRoomStateIds',
  summary: 'Gives the IDs of the state of a room before an event.',
  auth,
  params: roomParams,
  query: atEvent,
  response: Type.Object(
    { pdu_ids: Type.Array(Type.String()), auth_chain_ids: Type.Array(Type.String()) },
    { title: 'StateIdsBefore' },
  ),
  answerLimit: 64 * megabyte,
  timeout: 5 * 60_000,
});

export const getEventAuth = operation({
  method: 'GET',
  path: '/_matrix/federation/v1/event_auth/:roomId/:eventId',
  operationId: 'getEventAuthorization',
  summary: 'Gives the events by which an event is allowed, and those by which they are.',
  auth,
  params: roomEventParams,
  response: Type.Object({ auth_chain: Type.Array(pdu) }, { title: 'AuthChain' }),
  answerLimit: 64 * megabyte,
  timeout,
});

export const backfill = operation({
  method: 'GET',
  path: '/_matrix/federation/v1/backfill/:roomId',
  operationId: 'backfillRoom',
  summary: 'Gives events and those before them.',
  auth,
  params: roomParams,
  query: Type.Object({
    v: Type.Array(Type.String(), { maxItems: 50 }),
    limit: Type.Integer({ minimum: 1 }),
  }),
  response: transaction,
  answerLimit: 16 * megabyte,
  timeout,
});

export const getMissingEvents = operation({
  method: 'POST',
  path: '/_matrix/federation/v1/get_missing_events/:roomId',
  operationId: 'getMissingPreviousEvents',
  summary: 'Gives events between others.',
  auth,
  params: roomParams,
  body: Type.Object({
    // Others name all that their room ends with.
    earliest_events: Type.Array(Type.String(), { maxItems: 1000 }),
    latest_events: Type.Array(Type.String(), { maxItems: 50 }),
    limit: Type.Optional(Type.Integer({ minimum: 1 })),
    min_depth: Type.Optional(Type.Integer()),
  }),
  response: Type.Object({ events: Type.Array(pdu) }, { title: 'MissingEvents' }),
  answerLimit: 16 * megabyte,
  timeout,
});

export const timestampToEvent = operation({
  method: 'GET',
  path: '/_matrix/federation/v1/timestamp_to_event/:roomId',
  operationId: 'getEventByTimestampForServer',
  summary: 'Gives the event closest to a time.',
  auth,
  params: roomParams,
  query: Type.Object({
    ts: Type.Integer(),
    dir: Type.Union([Type.Literal('f'), Type.Literal('b')]),
  }),
  response: Type.Object({ event_id: Type.String(), origin_server_ts: Type.Integer() }, { title: 'EventOfTime' }),
  answerLimit: megabyte,
  timeout: 10_000,
});
