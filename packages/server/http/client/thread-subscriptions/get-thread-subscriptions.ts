import { Type } from 'typebox';
import type { ThreadSubscriptions } from '../../../services/thread-subscriptions/thread-subscriptions.ts';
import { endpoint } from '../../endpoint.ts';
import { pageToken } from '../../schemas.ts';
import { subscriptionPage } from './schemas.ts';

/** {@link https://github.com/matrix-org/matrix-spec-proposals/pull/4308} */
export const getThreadSubscriptions = endpoint(
  {
    method: 'GET',
    path: '/_matrix/client/unstable/io.element.msc4308/thread_subscriptions',
    operationId: 'getThreadSubscriptions',
    summary: 'Page back through changes of subscriptions to threads',
    auth: 'user',
    query: Type.Object({
      dir: Type.Literal('b'),
      from: pageToken,
      to: pageToken,
      limit: Type.Optional(Type.Integer({ minimum: 1 })),
    }),
    response: subscriptionPage,
  },
  ({ threadSubscriptions }: { threadSubscriptions: ThreadSubscriptions }) =>
    ({ sender, query: { from, to, limit } }) =>
      threadSubscriptions.page(sender.userId, { from, to, limit }),
);
