import { Type } from 'typebox';
import { MatrixError } from '../../../errors/matrix-error.ts';
import type { DelayedEvents } from '../../../services/delayed-events/delayed-events.ts';
import { endpoint } from '../../endpoint.ts';
import { emptyObject } from '../../schemas.ts';

const path = '/_matrix/client/unstable/org.matrix.msc4140/delayed_events';

const delayedEvent = Type.Object(
  {
    delay_id: Type.String(),
    room_id: Type.String(),
    type: Type.String(),
    state_key: Type.Optional(Type.String()),
    delay: Type.Integer(),
    running_since: Type.Integer(),
    content: Type.Object({}),
  },
  { title: 'DelayedEvent' },
);

export const getDelayedEvents = endpoint(
  {
    method: 'GET',
    path,
    operationId: 'getDelayedEvents',
    summary: 'Lists the events that the user has left with the server to be sent later.',
    auth: 'user',
    query: Type.Object({ from: Type.Optional(Type.String()) }),
    response: Type.Object({ delayed_events: Type.Array(delayedEvent) }, { title: 'DelayedEvents' }),
  },
  ({ delayedEvents }: { delayedEvents: DelayedEvents }) =>
    async ({ sender }) => ({ delayed_events: await delayedEvents.list(sender.userId) }),
);

const action = Type.Union([Type.Literal('cancel'), Type.Literal('restart'), Type.Literal('send')]);

/** Who knows the ID may: a call's media server says when somebody has gone, and has no token of theirs. */
const update = { auth: 'none', rateLimit: 'delayed-event', response: emptyObject } as const;

export const updateDelayedEvent = endpoint(
  {
    ...update,
    method: 'POST',
    path: `${path}/:delayId/:action`,
    operationId: 'updateDelayedEvent',
    summary: 'Cancels a delayed event, begins its delay anew, or sends it now.',
    params: Type.Object({ delayId: Type.String(), action: Type.String() }),
  },
  ({ delayedEvents }: { delayedEvents: DelayedEvents }) =>
    async ({ params }) => {
      const { delayId, action } = params;
      if (action !== 'cancel' && action !== 'restart' && action !== 'send') {
        throw new MatrixError('request.unknown-path');
      }
      await delayedEvents[action](delayId);
      return {};
    },
);

export const updateDelayedEventInBody = endpoint(
  {
    ...update,
    method: 'POST',
    path: `${path}/:delayId`,
    operationId: 'updateDelayedEventInBody',
    summary: 'The same with the action in the body, as clients from before ask for it.',
    params: Type.Object({ delayId: Type.String() }),
    body: Type.Object({ action }, { title: 'DelayedEventAction' }),
  },
  ({ delayedEvents }: { delayedEvents: DelayedEvents }) =>
    async ({ params, body }) => {
      await delayedEvents[body.action](params.delayId);
      return {};
    },
);
