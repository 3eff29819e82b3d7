import { Type } from 'typebox';
import type { DeviceDeletion } from '../../../services/accounts/device-deletion.ts';
import { endpoint } from '../../endpoint.ts';
import { emptyObject } from '../../schemas.ts';
import { authData } from '../accounts/schemas.ts';

export const deleteDevices = endpoint(
  {
    method: 'POST',
    path: '/_matrix/client/v3/delete_devices',
    operationId: 'deleteDevices',
    summary: 'Bulk deletion of devices',
    auth: 'user',
    rateLimit: 'own-password',
    body: Type.Object(
      { devices: Type.Array(Type.String(), { maxItems: 1000 }), auth: Type.Optional(authData) },
      { title: 'DevicesDeletion' },
    ),
    response: emptyObject,
  },
  ({ deviceDeletion }: { deviceDeletion: DeviceDeletion }) =>
    async ({ sender, body }) => {
      await deviceDeletion.delete(sender, body.devices, body.auth);
      return {};
    },
);
