import type { Devices } from '../../../services/devices/devices.ts';
import { endpoint } from '../../endpoint.ts';
import { device, deviceParams } from './schemas.ts';

export const getDevice = endpoint(
  {
    method: 'GET',
    path: '/_matrix/client/v3/devices/:deviceId',
    operationId: 'getDevice',
    summary: 'Get a single device',
    auth: 'user',
    rateLimit: 'devices',
    params: deviceParams,
    response: device,
  },
  ({ devices }: { devices: Devices }) =>
    ({ sender, params }) =>
      devices.get(sender.userId, params.deviceId),
);
