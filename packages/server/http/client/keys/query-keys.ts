import { Type } from 'typebox';
import type { Keys } from '../../../services/keys/keys.ts';
import { endpoint } from '../../endpoint.ts';
import { keyAsker } from './key-asker.ts';
import { rawJson } from '../../result.ts';
import { jsonObject } from '../../schemas.ts';

const byUser = Type.Record(Type.String(), jsonObject);

export const queryKeys = endpoint(
  {
    method: 'POST',
    path: '/_matrix/client/v3/keys/query',
    operationId: 'queryKeys',
    summary: 'Download device identity keys',
    auth: 'user',
    rateLimit: 'to-device',
    body: Type.Object(
      {
        device_keys: Type.Record(Type.String(), Type.Array(Type.String())),
        timeout: Type.Optional(Type.Integer()),
      },
      { title: 'KeyQuery' },
    ),
    response: Type.Object(
      {
        device_keys: Type.Record(Type.String(), byUser),
        master_keys: byUser,
        self_signing_keys: byUser,
        user_signing_keys: byUser,
        failures: byUser,
      },
      { title: 'QueriedKeys' },
    ),
  },
  ({ keys }: { keys: Keys }) =>
    async (request) =>
      rawJson(await keys.query(keyAsker(request), request.body.device_keys, request.body.timeout)),
);
