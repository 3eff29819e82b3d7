import { Type } from 'typebox';
import type { Devices } from '../../../services/devices/devices.ts';
import { endpoint } from '../../endpoint.ts';
import { device } from './schemas.ts';

export const getDevices = endpoint(
  {
    method: 'GET',
    path: '/_matrix/client/v3/devices',
    operationId: 'getDevices',
    summary: 'List registered devices for the current user',
    auth: 'user',
    rateLimit: 'devices',
    response: Type.Object({ devices: Type.Array(device) }, { title: 'Devices' }),
  },
  ({ devices }: { devices: Devices }) =>
    async ({ sender }) => ({ devices: await devices.list(sender.userId) }),
);
