import { Type } from 'typebox';
import type { ThreadSubscriptions } from '../../../services/thread-subscriptions/thread-subscriptions.ts';
import { endpoint } from '../../endpoint.ts';
import { eventParams } from '../reading/schemas.ts';
import { subscriptionPath } from './schemas.ts';

/** {@link https://github.com/matrix-org/matrix-spec-proposals/pull/4306} */
export const getThreadSubscription = endpoint(
  {
    method: 'GET',
    path: subscriptionPath,
    operationId: 'getThreadSubscription',
    summary: 'Whether and how one has subscribed to a thread',
    auth: 'user',
    params: eventParams,
    response: Type.Object({ automatic: Type.Boolean() }, { title: 'ThreadSubscription' }),
  },
  ({ threadSubscriptions }: { threadSubscriptions: ThreadSubscriptions }) =>
    ({ sender, params }) =>
      threadSubscriptions.get(sender.userId, params),
);
