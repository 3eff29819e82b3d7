import { Type } from 'typebox';
import type { ReadingContext } from '../../../services/reading/context.ts';
import { readRoomState, readStateEvent } from '../../../services/reading/room-state.ts';
import { endpoint } from '../../endpoint.ts';
import { rawJson } from '../../result.ts';
import { clientEvent, roomParams } from './schemas.ts';

const query = Type.Object({ format: Type.Optional(Type.Union([Type.Literal('content'), Type.Literal('event')])) });
const response = Type.Object({}, { title: 'StateContentOrEvent' });
const path = '/_matrix/client/v3/rooms/:roomId/state';

export const getRoomState = endpoint(
  {
    method: 'GET',
    path,
    operationId: 'getRoomState',
    summary: 'Get all state events in the current state of a room',
    auth: 'user',
    params: roomParams,
    response: Type.Array(clientEvent, { title: 'RoomState' }),
  },
  ({ reading }: { reading: ReadingContext }) =>
    async ({ sender, params }) =>
      rawJson(await readRoomState(reading, sender, params.roomId)),
);

export const getStateEvent = endpoint(
  {
    method: 'GET',
    path: `${path}/:eventType/:stateKey`,
    operationId: 'getRoomStateWithKey',
    summary: 'Get the state identified by the type and key',
    auth: 'user',
    params: Type.Object({ roomId: Type.String(), eventType: Type.String(), stateKey: Type.String() }),
    query,
    response,
  },
  ({ reading }: { reading: ReadingContext }) =>
    async ({ sender, params: { roomId, eventType, stateKey }, query }) =>
      rawJson(await readStateEvent(reading, sender, { roomId, type: eventType, stateKey }, query.format ?? 'content')),
);

/** "When an empty string, the trailing slash on this endpoint is optional." */
export const getStateEventWithoutKey = endpoint(
  {
    method: 'GET',
    path: `${path}/:eventType`,
    operationId: 'getRoomStateWithoutKey',
    summary: 'Get the state identified by the type and an empty key',
    auth: 'user',
    params: Type.Object({ roomId: Type.String(), eventType: Type.String() }),
    query,
    response,
  },
  ({ reading }: { reading: ReadingContext }) =>
    async ({ sender, params: { roomId, eventType }, query }) =>
      rawJson(
        await readStateEvent(reading, sender, { roomId, type: eventType, stateKey: '' }, query.format ?? 'content'),
      ),
);
