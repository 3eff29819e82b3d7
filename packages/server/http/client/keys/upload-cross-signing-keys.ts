import { Type } from 'typebox';
import type { Keys } from '../../../services/keys/keys.ts';
import { endpoint } from '../../endpoint.ts';
import { emptyObject, jsonObject } from '../../schemas.ts';
import { authData } from '../accounts/schemas.ts';

export const uploadCrossSigningKeys = endpoint(
  {
    method: 'POST',
    path: '/_matrix/client/v3/keys/device_signing/upload',
    unstablePaths: ['/_matrix/client/unstable/keys/device_signing/upload'],
    operationId: 'uploadCrossSigningKeys',
    summary: 'Upload cross-signing keys',
    auth: 'user',
    rateLimit: 'own-password',
    body: Type.Object(
      {
        master_key: Type.Optional(jsonObject),
        self_signing_key: Type.Optional(jsonObject),
        user_signing_key: Type.Optional(jsonObject),
        auth: Type.Optional(authData),
      },
      { title: 'CrossSigningUpload' },
    ),
    response: emptyObject,
  },
  ({ keys }: { keys: Keys }) =>
    async ({ sender, body }) => {
      await keys.uploadCrossSigning(sender, body);
      return {};
    },
);
