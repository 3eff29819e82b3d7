import type { ThreadSubscriptions } from '../../../services/thread-subscriptions/thread-subscriptions.ts';
import { endpoint } from '../../endpoint.ts';
import { emptyObject } from '../../schemas.ts';
import { eventParams } from '../reading/schemas.ts';
import { subscriptionPath } from './schemas.ts';

/** {@link https://github.com/matrix-org/matrix-spec-proposals/pull/4306} */
export const unsubscribeFromThread = endpoint(
  {
    method: 'DELETE',
    path: subscriptionPath,
    operationId: 'unsubscribeFromThread',
    summary: 'Unsubscribe from a thread',
    auth: 'user',
    rateLimit: 'account-data',
    params: eventParams,
    response: emptyObject,
  },
  ({ threadSubscriptions }: { threadSubscriptions: ThreadSubscriptions }) =>
    async ({ sender, params }) => {
      await threadSubscriptions.unsubscribe(sender.userId, params);
      return {};
    },
);
