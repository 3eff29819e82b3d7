import type { Profiles } from '../../../services/profile/profiles.ts';
import { endpoint } from '../../endpoint.ts';
import { rawJson } from '../../result.ts';
import { jsonObject } from '../../schemas.ts';
import { fieldParams, unstableFieldPath } from './schemas.ts';

export const getProfileField = endpoint(
  {
    method: 'GET',
    path: '/_matrix/client/v3/profile/:userId/:keyName',
    unstablePaths: [unstableFieldPath],
    operationId: 'getProfileField',
    summary: 'Get a profile field for a user.',
    auth: 'anyone',
    rateLimit: 'profile',
    params: fieldParams,
    response: jsonObject,
  },
  ({ profiles }: { profiles: Profiles }) =>
    async ({ params }) =>
      rawJson(await profiles.getField(params.userId, params.keyName)),
);
