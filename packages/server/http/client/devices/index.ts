import type { DeviceDeletion } from '../../../services/accounts/device-deletion.ts';
import type { Devices } from '../../../services/devices/devices.ts';
import type { WhoIs } from '../../../services/devices/who-is.ts';
import type { DehydratedDevices } from '../../../services/keys/dehydrated-devices.ts';
import type { Endpoint } from '../../endpoint.ts';
import { deleteDevice } from './delete-device.ts';
import { deleteDevices } from './delete-devices.ts';
import { getDevice } from './get-device.ts';
import { getDevices } from './get-devices.ts';
import { dehydratedDeviceEndpoints } from './dehydrated-device.ts';
import { getWhoIs } from './get-who-is.ts';
import { updateDevice } from './update-device.ts';

type Services = {
  devices: Devices;
  deviceDeletion: DeviceDeletion;
  whoIs: WhoIs;
  dehydratedDevices: DehydratedDevices;
};

/** People's own devices, and who may know when they were used. */
export const deviceEndpoints: readonly Endpoint<Services>[] = [
  getDevices,
  getDevice,
  updateDevice,
  deleteDevice,
  deleteDevices,
  getWhoIs,
  ...dehydratedDeviceEndpoints,
];
