import { Type } from 'typebox';
import type { HistoryContext } from '../../../services/reading/context.ts';
import { readEventContext } from '../../../services/reading/event-context.ts';
import { endpoint } from '../../endpoint.ts';
import { rawJson } from '../../result.ts';
import { clientEvent, eventParams, roomEventFilter } from './schemas.ts';

export const getEventContext = endpoint(
  {
    method: 'GET',
    path: '/_matrix/client/v3/rooms/:roomId/context/:eventId',
    operationId: 'getEventContext',
    summary: 'Get events and state around the specified event',
    auth: 'user',
    params: eventParams,
    query: Type.Object({
      limit: Type.Optional(Type.Integer({ minimum: 0 })),
      filter: Type.Optional(Type.String()),
    }),
    response: Type.Object(
      {
        start: Type.String(),
        end: Type.String(),
        event: clientEvent,
        events_before: Type.Array(clientEvent),
        events_after: Type.Array(clientEvent),
        state: Type.Array(clientEvent),
      },
      { title: 'EventContext' },
    ),
  },
  ({ reading }: { reading: HistoryContext }) =>
    async ({ sender, params, query }) =>
      rawJson(
        await readEventContext(reading, sender, {
          ...params,
          limit: query.limit,
          filter: roomEventFilter(query.filter),
        }),
      ),
);
