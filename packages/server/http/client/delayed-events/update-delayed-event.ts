import { Type } from 'typebox';
import { MatrixError } from '../../../errors/matrix-error.ts';
import type { DelayedEventAction, DelayedEvents } from '../../../services/delayed-events/delayed-events.ts';
import { endpoint } from '../../endpoint.ts';
import { emptyObject } from '../../schemas.ts';
import { unstablePath } from './schemas.ts';

type Services = { readonly delayedEvents: DelayedEvents };

const action = Type.Union([Type.Literal('cancel'), Type.Literal('restart'), Type.Literal('send')]);
const params = Type.Object({ delayId: Type.String(), action: Type.String() });

/** An action that there is not is a path that there is not. */
function actionOf(text: string): DelayedEventAction {
  if (text !== 'cancel' && text !== 'restart' && text !== 'send') throw new MatrixError('request.unknown-path');
  return text;
}

export const updateDelayedEvent = endpoint(
  {
    method: 'POST',
    path: '/_matrix/client/v1/delayed_events/:delayId/:action',
    operationId: 'updateDelayedEvent',
    summary: 'Cancels a delayed event of the user, begins its delay anew, or sends it now.',
    auth: 'user',
    rateLimit: 'delayed-event',
    params,
    response: emptyObject,
  },
  ({ delayedEvents }: Services) =>
    async ({ sender, params: { delayId, action } }) => {
      await delayedEvents.act(delayId, actionOf(action), sender.userId);
      return {};
    },
);

/**
 * Who knows the ID may: a call's media server says when somebody has gone, and has no token of theirs. Clients show theirs, so
 * that not all who share an address share its limit.
 */
const byAnyone = { method: 'POST', auth: 'optional', rateLimit: 'delayed-event', response: emptyObject } as const;

export const updateDelayedEventById = endpoint(
  {
    ...byAnyone,
    path: `${unstablePath}/delayed_events/:delayId/:action`,
    operationId: 'updateDelayedEventById',
    summary: 'Cancels a delayed event whose ID one knows, begins its delay anew, or sends it now.',
    params,
  },
  ({ delayedEvents }: Services) =>
    async ({ params: { delayId, action } }) => {
      await delayedEvents.act(delayId, actionOf(action));
      return {};
    },
);

export const updateDelayedEventInBody = endpoint(
  {
    ...byAnyone,
    path: `${unstablePath}/delayed_events/:delayId`,
    operationId: 'updateDelayedEventInBody',
    summary: 'The same with the action in the body, as clients from before ask for it.',
    params: Type.Object({ delayId: Type.String() }),
    body: Type.Object({ action }, { title: 'DelayedEventAction' }),
  },
  ({ delayedEvents }: Services) =>
    async ({ params, body }) => {
      await delayedEvents.act(params.delayId, body.action);
      return {};
    },
);
