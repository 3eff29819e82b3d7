import { Type } from 'typebox';
import { MatrixError } from '../../../errors/matrix-error.ts';
import type { Presence } from '../../../services/presence/presence.ts';
import { endpoint } from '../../endpoint.ts';
import { emptyObject } from '../../schemas.ts';

export const setPresence = endpoint(
  {
    method: 'PUT',
    path: '/_matrix/client/v3/presence/:userId/status',
    operationId: 'setPresence',
    summary: "Update this user's presence state.",
    auth: 'user',
    rateLimit: 'presence',
    params: Type.Object({ userId: Type.String() }),
    body: Type.Object(
      { presence: Type.String(), status_msg: Type.Optional(Type.Union([Type.String(), Type.Null()])) },
      { title: 'PresenceUpdate' },
    ),
    response: emptyObject,
  },
  ({ presence }: { presence: Presence }) =>
    async ({ sender, params, body }) => {
      if (params.userId !== sender.userId) throw new MatrixError('user.not-yourself');
      await presence.set(sender, body.presence, body.status_msg ?? undefined);
      return {};
    },
);
