import type { Sessions } from '../../../services/accounts/sessions.ts';
import { endpoint } from '../../endpoint.ts';
import { emptyObject } from '../../schemas.ts';

export const logout = endpoint(
  {
    method: 'POST',
    path: '/_matrix/client/v3/logout',
    operationId: 'logout',
    summary: 'Invalidates a user access token',
    auth: 'user',
    moderated: 'allowed-when-locked',
    response: emptyObject,
  },
  ({ sessions }: { sessions: Sessions }) =>
    async ({ sender }) => {
      await sessions.logOut(sender);
      return {};
    },
);
