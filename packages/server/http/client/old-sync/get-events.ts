import { Type } from 'typebox';
import type { OldSync } from '../../../services/old-sync/old-sync.ts';
import type { Presence } from '../../../services/presence/presence.ts';
import { endpoint } from '../../endpoint.ts';
import { rawJson } from '../../result.ts';
import { pageToken } from '../../schemas.ts';
import { clientEvent } from '../reading/schemas.ts';
import { paginationChunk } from './schemas.ts';

const listenQuery = Type.Object({
  from: pageToken,
  timeout: Type.Optional(Type.Integer({ minimum: 0 })),
});
const query = Type.Object({ ...listenQuery.properties, room_id: Type.Optional(Type.String()) });

/** Two operations of the spec share this path: with a room it can be used by those who are not in it. */
export const peekEvents = endpoint(
  {
    method: 'GET',
    path: '/_matrix/client/v3/events',
    operationId: 'peekEvents',
    summary: 'Listen on the event stream of one room, member of it or not.',
    auth: 'user',
    query,
    response: paginationChunk,
    alternative: {
      operationId: 'getEvents',
      summary: 'Listen on the event stream of all rooms, where room_id names none. Deprecated: /sync replaces it.',
      query: listenQuery,
    },
  },
  ({ oldSync, presence }: { oldSync: OldSync; presence: Presence }) =>
    async ({ sender, query, signal }) => {
      const { from, timeout = 0, room_id: roomId } = query;
      // "`online` : The default state when the user is connected to an event stream."
      const endSync = await presence.beginSync(sender, 'online');
      try {
        if (roomId !== undefined) return await oldSync.peek(sender, { roomId, from, timeout, signal });
        return await oldSync.listen({ userId: sender.userId, deviceId: sender.deviceId, from, timeout, signal });
      } finally {
        endSync();
      }
    },
);

export const getEventOfAnyRoom = endpoint(
  {
    method: 'GET',
    path: '/_matrix/client/v3/events/:eventId',
    operationId: 'getOneEvent',
    summary: 'Get a single event by event ID. Deprecated: /rooms/{roomId}/event/{eventId} replaces it.',
    auth: 'user',
    params: Type.Object({ eventId: Type.String() }),
    response: clientEvent,
  },
  ({ oldSync }: { oldSync: OldSync }) =>
    async ({ sender, params }) =>
      rawJson(await oldSync.event(sender, params.eventId)),
);
