import { Type } from 'typebox';
import { MatrixError } from '../../../errors/matrix-error.ts';
import type { Typing } from '../../../services/typing/typing.ts';
import { endpoint } from '../../endpoint.ts';
import { emptyObject } from '../../schemas.ts';

export const setTyping = endpoint(
  {
    method: 'PUT',
    path: '/_matrix/client/v3/rooms/:roomId/typing/:userId',
    operationId: 'setTyping',
    summary: 'Inform the server that the user has started or stopped typing',
    auth: 'user',
    moderated: 'refused-when-suspended',
    rateLimit: 'typing',
    params: Type.Object({ roomId: Type.String(), userId: Type.String() }),
    body: Type.Object({ typing: Type.Boolean(), timeout: Type.Optional(Type.Integer()) }, { title: 'TypingState' }),
    response: emptyObject,
  },
  ({ typing }: { typing: Typing }) =>
    async ({ sender, params, body }) => {
      if (params.userId !== sender.userId) throw new MatrixError('user.not-yourself');
      await typing.set(sender.userId, params.roomId, body.typing, body.timeout);
      return {};
    },
);
