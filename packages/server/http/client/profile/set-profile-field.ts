import type { JsonValue } from '@portico/protocol';
import { MatrixError } from '../../../errors/matrix-error.ts';
import type { Profiles } from '../../../services/profile/profiles.ts';
import { endpoint } from '../../endpoint.ts';
import { emptyObject, jsonObject } from '../../schemas.ts';
import { refuseOthers } from '../account-data/own-user.ts';
import { fieldParams, unstableFieldPath } from './schemas.ts';

export const setProfileField = endpoint(
  {
    method: 'PUT',
    path: '/_matrix/client/v3/profile/:userId/:keyName',
    unstablePaths: [unstableFieldPath],
    operationId: 'setProfileField',
    summary: 'Set a profile field for a user.',
    auth: 'user',
    moderated: 'refused-when-suspended',
    rateLimit: 'set-profile',
    params: fieldParams,
    body: jsonObject,
    response: emptyObject,
  },
  ({ profiles }: { profiles: Profiles }) =>
    async ({ sender, params: { userId, keyName }, body }) => {
      refuseOthers(sender, userId);
      if (!Object.hasOwn(body, keyName)) {
        throw new MatrixError('request.missing-param', { message: `Missing: ${keyName}` });
      }
      await profiles.setField(userId, keyName, body[keyName] as JsonValue);
      return {};
    },
);
