import { Type } from 'typebox';
import type { Keys } from '../../../services/keys/keys.ts';
import { endpoint } from '../../endpoint.ts';
import { jsonObject } from '../../schemas.ts';

export const uploadKeys = endpoint(
  {
    method: 'POST',
    path: '/_matrix/client/v3/keys/upload',
    operationId: 'uploadKeys',
    summary: 'Upload end-to-end encryption keys',
    auth: 'user',
    rateLimit: 'to-device',
    body: Type.Object(
      {
        device_keys: Type.Optional(jsonObject),
        one_time_keys: Type.Optional(jsonObject),
        fallback_keys: Type.Optional(jsonObject),
        'org.matrix.msc2732.fallback_keys': Type.Optional(jsonObject),
      },
      { title: 'KeyUpload' },
    ),
    response: Type.Object(
      { one_time_key_counts: Type.Record(Type.String(), Type.Integer()) },
      { title: 'OneTimeKeyCounts' },
    ),
  },
  ({ keys }: { keys: Keys }) =>
    async ({ sender, body }) => ({ one_time_key_counts: await keys.upload(sender, body) }),
);
