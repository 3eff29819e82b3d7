import { Type } from 'typebox';
import type { Notifications } from '../../../services/push/notifications.ts';
import { endpoint } from '../../endpoint.ts';
import { rawJson } from '../../result.ts';
import { pageToken } from '../../schemas.ts';

const notification = Type.Object(
  {
    actions: Type.Array(Type.Union([Type.String(), Type.Object({})])),
    event: Type.Object({}),
    read: Type.Boolean(),
    room_id: Type.String(),
    ts: Type.Integer(),
  },
  { title: 'Notification' },
);

export const getNotifications = endpoint(
  {
    method: 'GET',
    path: '/_matrix/client/v3/notifications',
    operationId: 'getNotifications',
    summary: 'Gets a list of events that the user has been notified about',
    auth: 'user',
    rateLimit: 'search',
    query: Type.Object({
      from: pageToken,
      limit: Type.Optional(Type.Integer()),
      only: Type.Optional(Type.String()),
    }),
    response: Type.Object(
      { notifications: Type.Array(notification), next_token: Type.Optional(Type.String()) },
      { title: 'Notifications' },
    ),
  },
  ({ notifications }: { notifications: Notifications }) =>
    async ({ sender, query }) => {
      const { from, limit, only } = query;
      return rawJson(await notifications.list(sender, { from, limit, only }));
    },
);
