import { Type } from 'typebox';
import type { Administering } from '../../../services/accounts/administering.ts';
import { endpoint } from '../../endpoint.ts';
import { emptyObject } from '../../schemas.ts';

type Services = { readonly administering: Administering };

export const deleteDeviceOfUser = endpoint(
  {
    method: 'DELETE',
    path: '/_synapse/admin/v2/users/:userId/devices/:deviceId',
    operationId: 'deleteDeviceOfUser',
    summary: 'Logs a device of somebody out, with all that belongs to it.',
    auth: 'admin',
    params: Type.Object({ userId: Type.String(), deviceId: Type.String() }),
    response: emptyObject,
  },
  ({ administering }: Services) =>
    async ({ sender, params: { userId, deviceId } }) => {
      await administering.logOut(sender.userId, userId, [deviceId]);
      return {};
    },
);

export const deleteDevicesOfUser = endpoint(
  {
    method: 'POST',
    path: '/_synapse/admin/v2/users/:userId/delete_devices',
    operationId: 'deleteDevicesOfUser',
    summary: 'Logs devices of somebody out, with all that belongs to them.',
    auth: 'admin',
    params: Type.Object({ userId: Type.String() }),
    body: Type.Object({ devices: Type.Array(Type.String(), { maxItems: 1000 }) }, { title: 'DevicesToDelete' }),
    response: emptyObject,
  },
  ({ administering }: Services) =>
    async ({ sender, params: { userId }, body }) => {
      await administering.logOut(sender.userId, userId, body.devices);
      return {};
    },
);
