import { Type } from 'typebox';
import type { Keys } from '../../../services/keys/keys.ts';
import { endpoint } from '../../endpoint.ts';
import { rawJson } from '../../result.ts';
import { jsonObject } from '../../schemas.ts';

export const uploadSignatures = endpoint(
  {
    method: 'POST',
    path: '/_matrix/client/v3/keys/signatures/upload',
    unstablePaths: ['/_matrix/client/unstable/keys/signatures/upload'],
    operationId: 'uploadCrossSigningSignatures',
    summary: 'Upload cross-signing signatures',
    auth: 'user',
    rateLimit: 'to-device',
    body: Type.Record(Type.String(), Type.Record(Type.String(), jsonObject)),
    response: Type.Object(
      { failures: Type.Record(Type.String(), Type.Record(Type.String(), jsonObject)) },
      { title: 'SignatureFailures' },
    ),
  },
  ({ keys }: { keys: Keys }) =>
    async ({ sender, body }) =>
      rawJson(JSON.stringify({ failures: await keys.uploadSignatures(sender.userId, body) })),
);
