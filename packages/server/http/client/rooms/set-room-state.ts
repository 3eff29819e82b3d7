import { Type } from 'typebox';
import type { RoomService } from '../../../services/rooms/room-service.ts';
import { endpoint } from '../../endpoint.ts';
import { eventIdResponse, jsonObject, originServerTs, timestampQuery } from './schemas.ts';

export const setRoomStateWithKey = endpoint(
  {
    method: 'PUT',
    path: '/_matrix/client/v3/rooms/:roomId/state/:eventType/:stateKey',
    operationId: 'setRoomStateWithKey',
    summary: 'Send a state event to a room',
    auth: 'user',
    moderated: 'refused-when-suspended',
    rateLimit: 'send',
    params: Type.Object({ roomId: Type.String(), eventType: Type.String(), stateKey: Type.String() }),
    query: timestampQuery,
    body: jsonObject,
    response: eventIdResponse,
  },
  ({ rooms }: { rooms: RoomService }) =>
    async ({ sender, params, query, body }) => ({
      event_id: await rooms.setState(
        sender,
        params.roomId,
        params.eventType,
        params.stateKey,
        body,
        originServerTs(sender, query.ts),
      ),
    }),
);

export const setRoomState = endpoint(
  {
    method: 'PUT',
    path: '/_matrix/client/v3/rooms/:roomId/state/:eventType',
    operationId: 'setRoomState',
    summary: 'Send a state event with an empty state key to a room',
    auth: 'user',
    moderated: 'refused-when-suspended',
    rateLimit: 'send',
    params: Type.Object({ roomId: Type.String(), eventType: Type.String() }),
    query: timestampQuery,
    body: jsonObject,
    response: eventIdResponse,
  },
  ({ rooms }: { rooms: RoomService }) =>
    async ({ sender, params, query, body }) => ({
      event_id: await rooms.setState(
        sender,
        params.roomId,
        params.eventType,
        '',
        body,
        originServerTs(sender, query.ts),
      ),
    }),
);
