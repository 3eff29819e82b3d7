import { Type } from 'typebox';
import { MatrixError } from '../../../errors/matrix-error.ts';
import type { DelayedEvents } from '../../../services/delayed-events/delayed-events.ts';
import type { RoomService } from '../../../services/rooms/room-service.ts';
import { endpoint } from '../../endpoint.ts';
import { delayParameter, delayQuery, sentOrDelayed, withDelay } from './delay.ts';
import { jsonObject, originServerTs, timestampQuery } from './schemas.ts';
import { stickyMsOf, stickyQuery } from './sticky.ts';

export const sendMessage = endpoint(
  {
    method: 'PUT',
    path: '/_matrix/client/v3/rooms/:roomId/send/:eventType/:txnId',
    operationId: 'sendMessage',
    summary: 'Send a message event to a room',
    auth: 'user',
    moderated: 'refused-when-suspended',
    rateLimit: 'send',
    params: Type.Object({ roomId: Type.String(), eventType: Type.String(), txnId: Type.String() }),
    query: Type.Object({ ...timestampQuery.properties, ...delayQuery, ...stickyQuery }),
    body: jsonObject,
    missingBody: 'handled',
    response: sentOrDelayed,
  },
  ({ rooms, delayedEvents }: { rooms: RoomService; delayedEvents: DelayedEvents }) =>
    async ({ sender, params: { roomId, eventType, txnId }, query, body }) => {
      const delay = query[delayParameter];
      const options = { originServerTs: originServerTs(sender, query.ts), stickyMs: stickyMsOf(query) };
      if (delay !== undefined) {
        const event = { roomId, type: eventType, stateKey: undefined, txnId, content: body };
        return { delay_id: await delayedEvents.schedule(withDelay(sender, event, delay, options)) };
      }
      // The body is typed as if it were there.
      if ((body as typeof body | undefined) === undefined) throw new MatrixError('request.not-json');
      return { event_id: await rooms.send(sender, roomId, eventType, txnId, body, options) };
    },
);
