import { Type } from 'typebox';
import type { Presence } from '../../../services/presence/presence.ts';
import { endpoint } from '../../endpoint.ts';

export const getPresence = endpoint(
  {
    method: 'GET',
    path: '/_matrix/client/v3/presence/:userId/status',
    operationId: 'getPresence',
    summary: "Get this user's presence state.",
    auth: 'user',
    rateLimit: 'get-presence',
    params: Type.Object({ userId: Type.String() }),
    response: Type.Object(
      {
        presence: Type.String(),
        last_active_ago: Type.Optional(Type.Integer()),
        status_msg: Type.Optional(Type.String()),
        currently_active: Type.Optional(Type.Boolean()),
      },
      { title: 'Presence' },
    ),
  },
  ({ presence }: { presence: Presence }) =>
    ({ sender, params }) =>
      presence.get(sender.userId, params.userId),
);
