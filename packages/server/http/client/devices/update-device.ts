import { Type } from 'typebox';
import type { Devices } from '../../../services/devices/devices.ts';
import { endpoint } from '../../endpoint.ts';
import { reply } from '../../result.ts';
import { emptyObject } from '../../schemas.ts';
import { deviceParams } from './schemas.ts';

export const updateDevice = endpoint(
  {
    method: 'PUT',
    path: '/_matrix/client/v3/devices/:deviceId',
    operationId: 'updateDevice',
    summary: 'Create or update a device',
    auth: 'user',
    rateLimit: 'devices',
    params: deviceParams,
    body: Type.Object({ display_name: Type.Optional(Type.String()) }, { title: 'DeviceUpdate' }),
    response: emptyObject,
  },
  ({ devices }: { devices: Devices }) =>
    async ({ sender, params, body }) => {
      // "The ability to create new devices is only available to application services"
      if (sender.appService !== undefined) {
        const made = await devices.add(sender.userId, params.deviceId, body.display_name);
        if (made === 'added') return reply({}, { status: 201 });
      }
      if (body.display_name === undefined) await devices.get(sender.userId, params.deviceId);
      else await devices.rename(sender.userId, params.deviceId, body.display_name);
      return {};
    },
);
