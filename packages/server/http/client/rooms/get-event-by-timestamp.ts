import { Type } from 'typebox';
import type { HistoryContext } from '../../../services/reading/context.ts';
import { readEventByTime } from '../../../services/reading/event-by-time.ts';
import { endpoint } from '../../endpoint.ts';
import { roomParams } from './schemas.ts';

export const getEventByTimestamp = endpoint(
  {
    method: 'GET',
    path: '/_matrix/client/v1/rooms/:roomId/timestamp_to_event',
    unstablePaths: ['/_matrix/client/unstable/org.matrix.msc3030/rooms/:roomId/timestamp_to_event'],
    operationId: 'getEventByTimestamp',
    summary: 'Get the event closest to a time',
    auth: 'user',
    rateLimit: 'directory',
    params: roomParams,
    query: Type.Object({
      ts: Type.Integer(),
      dir: Type.Union([Type.Literal('f'), Type.Literal('b')]),
    }),
    response: Type.Object({ event_id: Type.String(), origin_server_ts: Type.Integer() }, { title: 'EventByTimestamp' }),
  },
  ({ reading }: { reading: HistoryContext }) =>
    ({ sender, params, query }) =>
      readEventByTime(reading, sender.userId, {
        roomId: params.roomId,
        ts: query.ts,
        direction: query.dir === 'f' ? 'forwards' : 'backwards',
      }),
);
