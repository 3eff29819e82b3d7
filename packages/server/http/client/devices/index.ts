import type { DeviceDeletion } from '../../../services/accounts/device-deletion.ts';
import type { Devices } from '../../../services/devices/devices.ts';
import type { Endpoint } from '../../endpoint.ts';
import { deleteDevice } from './delete-device.ts';
import { deleteDevices } from './delete-devices.ts';
import { getDevice } from './get-device.ts';
import { getDevices } from './get-devices.ts';
import { updateDevice } from './update-device.ts';

/** A person's own devices. */
export const deviceEndpoints: readonly Endpoint<{ devices: Devices; deviceDeletion: DeviceDeletion }>[] = [
  getDevices,
  getDevice,
  updateDevice,
  deleteDevice,
  deleteDevices,
];
