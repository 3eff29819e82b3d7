import { randomUUID } from 'node:crypto';
import { Type } from 'typebox';
import type { RoomService } from '../../../services/rooms/room-service.ts';
import { endpoint } from '../../endpoint.ts';
import { redactionBody, redactionOf } from './redact-event.ts';
import { eventIdResponse, jsonObject, originServerTs, timestampQuery } from './schemas.ts';

/*
 * Scripts and small bridges send with one request of `curl` and no transaction ID, as drafts of the spec had it and other
 * servers still take it. Nothing tells a repeated request from a new one: each sends an event.
 */

export const sendMessageOnce = endpoint(
  {
    method: 'POST',
    path: '/_matrix/client/v3/rooms/:roomId/send/:eventType',
    operationId: 'sendMessageWithoutTransaction',
    summary: 'Send a message event to a room, again each time that this is called',
    auth: 'user',
    moderated: 'refused-when-suspended',
    rateLimit: 'send',
    params: Type.Object({ roomId: Type.String(), eventType: Type.String() }),
    query: timestampQuery,
    body: jsonObject,
    response: eventIdResponse,
  },
  ({ rooms }: { rooms: RoomService }) =>
    async ({ sender, params: { roomId, eventType }, query, body }) => ({
      event_id: await rooms.send(sender, roomId, eventType, randomUUID(), body, {
        originServerTs: originServerTs(sender, query.ts),
      }),
    }),
);

export const redactEventOnce = endpoint(
  {
    method: 'POST',
    path: '/_matrix/client/v3/rooms/:roomId/redact/:eventId',
    operationId: 'redactEventWithoutTransaction',
    summary: 'Strip an event of what its room version does not need, again each time that this is called',
    auth: 'user',
    rateLimit: 'send',
    params: Type.Object({ roomId: Type.String(), eventId: Type.String() }),
    body: redactionBody,
    response: eventIdResponse,
  },
  ({ rooms }: { rooms: RoomService }) =>
    async ({ sender, params: { roomId, eventId }, body }) => ({
      event_id: await rooms.redact(sender, roomId, eventId, randomUUID(), redactionOf(body)),
    }),
);
