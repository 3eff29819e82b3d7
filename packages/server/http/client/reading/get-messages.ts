import { Type } from 'typebox';
import type { HistoryContext } from '../../../services/reading/context.ts';
import { readMessages } from '../../../services/reading/messages.ts';
import { endpoint } from '../../endpoint.ts';
import { rawJson } from '../../result.ts';
import { pageToken } from '../../schemas.ts';
import { clientEvent, roomEventFilter, roomParams } from './schemas.ts';

export const getMessages = endpoint(
  {
    method: 'GET',
    path: '/_matrix/client/v3/rooms/:roomId/messages',
    operationId: 'getRoomEvents',
    summary: 'Get a list of events for this room',
    auth: 'user',
    params: roomParams,
    query: Type.Object({
      from: pageToken,
      to: pageToken,
      // The spec requires it; clients in use leave it out, and mean `f`.
      dir: Type.Optional(Type.Union([Type.Literal('b'), Type.Literal('f')])),
      limit: Type.Optional(Type.Integer({ minimum: 1 })),
      filter: Type.Optional(Type.String()),
    }),
    response: Type.Object(
      {
        start: Type.String(),
        end: Type.Optional(Type.String()),
        chunk: Type.Array(clientEvent),
        state: Type.Optional(Type.Array(clientEvent)),
      },
      { title: 'RoomMessages' },
    ),
  },
  ({ reading }: { reading: HistoryContext }) =>
    async ({ sender, params, query }) =>
      rawJson(
        await readMessages(reading, sender, {
          roomId: params.roomId,
          direction: query.dir === 'b' ? 'backwards' : 'forwards',
          from: query.from,
          to: query.to,
          limit: query.limit,
          filter: roomEventFilter(query.filter),
        }),
      ),
);
