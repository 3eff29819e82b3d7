import { Type } from 'typebox';
import type { ReadingContext } from '../../../services/reading/context.ts';
import { readRoomThreads } from '../../../services/relations/threads.ts';
import { endpoint } from '../../endpoint.ts';
import { rawJson } from '../../result.ts';
import { pageToken } from '../../schemas.ts';
import { clientEvent, roomParams } from '../reading/schemas.ts';

export const getThreadRoots = endpoint(
  {
    method: 'GET',
    path: '/_matrix/client/v1/rooms/:roomId/threads',
    unstablePaths: ['/_matrix/client/unstable/org.matrix.msc3856/rooms/:roomId/threads'],
    operationId: 'getThreadRoots',
    summary: 'Retrieve a list of threads in a room, with optional filters',
    auth: 'user',
    params: roomParams,
    query: Type.Object({
      include: Type.Optional(Type.Union([Type.Literal('all'), Type.Literal('participated')])),
      limit: Type.Optional(Type.Integer({ minimum: 1 })),
      from: pageToken,
    }),
    response: Type.Object(
      { chunk: Type.Array(clientEvent), next_batch: Type.Optional(Type.String()) },
      { title: 'ThreadRoots' },
    ),
  },
  ({ reading }: { reading: ReadingContext }) =>
    async ({ sender, params, query }) => {
      const { include = 'all', limit, from } = query;
      return rawJson(await readRoomThreads(reading, sender, { ...params, include, limit, from }));
    },
);
