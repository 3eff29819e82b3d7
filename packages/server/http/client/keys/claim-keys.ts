import { Type } from 'typebox';
import type { Keys } from '../../../services/keys/keys.ts';
import { endpoint } from '../../endpoint.ts';
import { keyAsker } from './key-asker.ts';
import { rawJson } from '../../result.ts';
import { jsonObject } from '../../schemas.ts';

export const claimKeys = endpoint(
  {
    method: 'POST',
    path: '/_matrix/client/v3/keys/claim',
    operationId: 'claimKeys',
    summary: 'Claim one-time encryption keys',
    auth: 'user',
    rateLimit: 'to-device',
    body: Type.Object(
      {
        one_time_keys: Type.Record(Type.String(), Type.Record(Type.String(), Type.String())),
        timeout: Type.Optional(Type.Integer()),
      },
      { title: 'KeyClaim' },
    ),
    response: Type.Object(
      {
        one_time_keys: Type.Record(
          Type.String(),
          Type.Record(Type.String(), Type.Record(Type.String(), Type.Unknown())),
        ),
        failures: Type.Record(Type.String(), jsonObject),
      },
      { title: 'ClaimedKeys' },
    ),
  },
  ({ keys }: { keys: Keys }) =>
    async (request) =>
      rawJson(await keys.claim(keyAsker(request), request.body.one_time_keys, request.body.timeout)),
);
