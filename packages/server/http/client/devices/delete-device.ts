import { Type } from 'typebox';
import type { DeviceDeletion } from '../../../services/accounts/device-deletion.ts';
import { endpoint } from '../../endpoint.ts';
import { emptyObject } from '../../schemas.ts';
import { authData } from '../accounts/schemas.ts';
import { deviceParams } from './schemas.ts';

export const deleteDevice = endpoint(
  {
    method: 'DELETE',
    path: '/_matrix/client/v3/devices/:deviceId',
    operationId: 'deleteDevice',
    summary: 'Delete a device',
    auth: 'user',
    rateLimit: 'own-password',
    params: deviceParams,
    body: Type.Object({ auth: Type.Optional(authData) }, { title: 'DeviceDeletion' }),
    response: emptyObject,
  },
  ({ deviceDeletion }: { deviceDeletion: DeviceDeletion }) =>
    async ({ sender, params, body }) => {
      await deviceDeletion.delete(sender, [params.deviceId], body.auth);
      return {};
    },
);
