import type { Sessions } from '../../../services/accounts/sessions.ts';
import { endpoint } from '../../endpoint.ts';
import { emptyObject } from '../../schemas.ts';

export const logoutAll = endpoint(
  {
    method: 'POST',
    path: '/_matrix/client/v3/logout/all',
    operationId: 'logout_all',
    summary: 'Invalidates all access tokens for a user',
    auth: 'user',
    moderated: 'allowed-when-locked',
    response: emptyObject,
  },
  ({ sessions }: { sessions: Sessions }) =>
    async ({ sender }) => {
      await sessions.logOutEverywhere(sender);
      return {};
    },
);
