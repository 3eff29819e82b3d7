import { Type } from 'typebox';
import type { DelayedEvents } from '../../../services/delayed-events/delayed-events.ts';
import { endpoint } from '../../endpoint.ts';
import { pageToken } from '../../schemas.ts';
import { delayedEvent, listedDelayedEvent, unstablePath } from './schemas.ts';

type Services = { readonly delayedEvents: DelayedEvents };

export const getDelayedEvents = endpoint(
  {
    method: 'GET',
    path: `${unstablePath}/delayed_events`,
    operationId: 'getDelayedEvents',
    summary: 'Lists the events that the user has left with the server to be sent later.',
    auth: 'user',
    rateLimit: 'delayed-event',
    query: Type.Object({ from: pageToken }),
    response: Type.Object({ delayed_events: Type.Array(listedDelayedEvent) }, { title: 'DelayedEvents' }),
  },
  ({ delayedEvents }: Services) =>
    async ({ sender }) => {
      const events = await delayedEvents.list(sender.userId);
      return {
        delayed_events: events.map((event) => ({
          ...event,
          delay: event.delay_ms,
          running_since: event.delayed_since_ts,
        })),
      };
    },
);

export const getDelayedEvent = endpoint(
  {
    method: 'GET',
    path: '/_matrix/client/v1/delayed_events/:delayId',
    unstablePaths: [`${unstablePath}/delayed_events/:delayId`],
    operationId: 'getDelayedEvent',
    summary: 'Gets an event that the user has left with the server to be sent later, and what has become of it.',
    auth: 'user',
    rateLimit: 'delayed-event',
    params: Type.Object({ delayId: Type.String() }),
    response: delayedEvent,
  },
  ({ delayedEvents }: Services) =>
    ({ sender, params }) =>
      delayedEvents.get(sender.userId, params.delayId),
);
