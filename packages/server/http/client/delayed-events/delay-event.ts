import { Type } from 'typebox';
import type { DelayedEvents, DelayForm } from '../../../services/delayed-events/delayed-events.ts';
import { endpoint } from '../../endpoint.ts';
import { jsonObject, originServerTs, timestampQuery } from '../rooms/schemas.ts';
import { stickyMsOf, stickyQuery } from '../rooms/sticky.ts';
import { delayIdResponse, unstablePath } from './schemas.ts';

/** Leaves an event with the server: under both paths alike, but for the name of one error. */
function scheduling(form: DelayForm, prefix: string, operationId: string) {
  return endpoint(
    {
      method: 'PUT',
      path: `${prefix}/rooms/:roomId/delayed_event/:eventType/:txnId`,
      operationId,
      summary: 'Leaves an event with the server to be sent to a room later.',
      auth: 'user',
      moderated: 'refused-when-suspended',
      rateLimit: 'send',
      params: Type.Object({ roomId: Type.String(), eventType: Type.String(), txnId: Type.String() }),
      query: Type.Object({ ...timestampQuery.properties, ...stickyQuery }),
      body: Type.Object(
        {
          delay_ms: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }),
          state_key: Type.Optional(Type.String()),
          content: jsonObject,
        },
        { title: 'EventToDelay' },
      ),
      response: delayIdResponse,
    },
    ({ delayedEvents }: { readonly delayedEvents: DelayedEvents }) =>
      async ({ sender, params, query, body }) => {
        const { userId, deviceId } = sender;
        const { roomId, eventType: type, txnId } = params;
        const { delay_ms: delay, state_key: stateKey, content } = body;
        const event = { userId, deviceId, roomId, type, stateKey, txnId, content, delay, form };
        const options = { originServerTs: originServerTs(sender, query.ts), stickyMs: stickyMsOf(query) };
        return { delay_id: await delayedEvents.schedule({ ...event, ...options }) };
      },
  );
}

export const delayEvent = scheduling('stable', '/_matrix/client/v3', 'delayEvent');
export const delayEventUnstable = scheduling('unstable', unstablePath, 'delayEventUnstable');
