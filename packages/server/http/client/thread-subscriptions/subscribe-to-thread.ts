import { Type } from 'typebox';
import type { ThreadSubscriptions } from '../../../services/thread-subscriptions/thread-subscriptions.ts';
import { endpoint } from '../../endpoint.ts';
import { emptyObject } from '../../schemas.ts';
import { eventParams } from '../reading/schemas.ts';
import { subscriptionPath } from './schemas.ts';

/** {@link https://github.com/matrix-org/matrix-spec-proposals/pull/4306} */
export const subscribeToThread = endpoint(
  {
    method: 'PUT',
    path: subscriptionPath,
    operationId: 'subscribeToThread',
    summary: 'Subscribe to a thread',
    auth: 'user',
    rateLimit: 'account-data',
    params: eventParams,
    body: Type.Object({ automatic: Type.Optional(Type.String()) }, { title: 'ThreadSubscriptionRequest' }),
    response: emptyObject,
  },
  ({ threadSubscriptions }: { threadSubscriptions: ThreadSubscriptions }) =>
    async ({ sender, params, body }) => {
      await threadSubscriptions.subscribe(sender.userId, params, body.automatic);
      return {};
    },
);
