import type { Profiles } from '../../../services/profile/profiles.ts';
import { endpoint } from '../../endpoint.ts';
import { emptyObject } from '../../schemas.ts';
import { refuseOthers } from '../account-data/own-user.ts';
import { fieldParams, unstableFieldPath } from './schemas.ts';

export const deleteProfileField = endpoint(
  {
    method: 'DELETE',
    path: '/_matrix/client/v3/profile/:userId/:keyName',
    unstablePaths: [unstableFieldPath],
    operationId: 'deleteProfileField',
    summary: 'Remove a profile field from a user.',
    auth: 'user',
    moderated: 'refused-when-suspended',
    rateLimit: 'set-profile',
    params: fieldParams,
    response: emptyObject,
  },
  ({ profiles }: { profiles: Profiles }) =>
    async ({ sender, params }) => {
      refuseOthers(sender, params.userId);
      await profiles.removeField(params.userId, params.keyName);
      return {};
    },
);
