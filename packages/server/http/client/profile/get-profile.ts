import { Type } from 'typebox';
import type { Profiles } from '../../../services/profile/profiles.ts';
import { endpoint } from '../../endpoint.ts';
import { rawJson } from '../../result.ts';
import { jsonObject } from '../../schemas.ts';

export const getUserProfile = endpoint(
  {
    method: 'GET',
    path: '/_matrix/client/v3/profile/:userId',
    unstablePaths: ['/_matrix/client/unstable/uk.tcpip.msc4133/profile/:userId'],
    operationId: 'getUserProfile',
    summary: 'Get all profile information for a user.',
    auth: 'anyone',
    rateLimit: 'profile',
    params: Type.Object({ userId: Type.String() }),
    response: jsonObject,
  },
  ({ profiles }: { profiles: Profiles }) =>
    async ({ params }) =>
      rawJson(await profiles.get(params.userId)),
);
