import type { Reader, WriteSet } from '../../database.ts';
import { sql } from '../../sql.ts';

export type DehydratedRow = { readonly device_id: string; readonly data: string };

const selectDevice = sql<DehydratedRow, [userId: string]>(
  'dehydrated-devices.get',
  'select device_id, data from dehydrated_devices where user_id = $1',
);

export function findDehydratedDevice(reader: Reader, userId: string): Promise<DehydratedRow | undefined> {
  return reader.get(selectDevice, [userId]);
}

const upsertDevice = sql<void, [userId: string, deviceId: string, data: string, previous: string]>(
  'dehydrated-devices.set',
  `insert into dehydrated_devices (user_id, device_id, data) values ($1, $2, $3)
   on conflict (user_id) do update set device_id = excluded.device_id, data = excluded.data
     where dehydrated_devices.device_id = $4`,
);

/** Fails on the guard `dehydrated-device.changed` if there is another one than `previous`. */
export function setDehydratedDevice(
  set: WriteSet,
  userId: string,
  device: DehydratedRow,
  previous: string | undefined,
): void {
  set.guard('dehydrated-device.changed', 1, upsertDevice, [userId, device.device_id, device.data, previous ?? '']);
}

const deleteOfDevices = sql<void, [userId: string, deviceIds: string]>(
  'dehydrated-devices.delete',
  `delete from dehydrated_devices
   where user_id = $1 and device_id in (select value from json_each(cast($2 as text)))`,
);

/** Drops what makes devices that are deleted dehydrated ones. */
export function dropDehydratedOf(set: WriteSet, userId: string, deviceIds: readonly string[]): void {
  set.add(deleteOfDevices, [userId, JSON.stringify(deviceIds)]);
}
