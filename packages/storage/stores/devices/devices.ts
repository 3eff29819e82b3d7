import type { Reader, WriteSet } from '../../database.ts';
import { sql } from '../../sql.ts';

export type DeviceRow = {
  readonly device_id: string;
  readonly display_name: string | null;
  readonly created_at: number;
  readonly last_seen_at: number | null;
  readonly last_seen_ip: string | null;
};

const selectDevices = sql<DeviceRow, [userId: string]>(
  'devices.of-user',
  `select device_id, display_name, created_at, last_seen_at, last_seen_ip from devices
   where user_id = $1 order by device_id limit 1000`,
);

/** At most a thousand devices, by ID. */
export function listDevices(reader: Reader, userId: string): Promise<DeviceRow[]> {
  return reader.all(selectDevices, [userId]);
}

const selectDevice = sql<DeviceRow, [userId: string, deviceId: string]>(
  'devices.get',
  `select device_id, display_name, created_at, last_seen_at, last_seen_ip from devices
   where user_id = $1 and device_id = $2`,
);

export function findDevice(reader: Reader, userId: string, deviceId: string): Promise<DeviceRow | undefined> {
  return reader.get(selectDevice, [userId, deviceId]);
}

const selectIds = sql<{ device_id: string }, [userId: string]>(
  'devices.ids',
  'select device_id from devices where user_id = $1 order by coalesce(last_seen_at, created_at), device_id',
);

const selectShortestUsed = sql<{ device_id: string }, [userId: string, kept: number, newest: number]>(
  'devices.shortest-used',
  `select device_id from (
     select device_id, created_at, coalesce(last_seen_at, created_at) - created_at as used_for,
       row_number() over (order by created_at desc, device_id) as newest
     from devices where user_id = $1) as d
   order by case when newest <= cast($3 as integer) or exists (
       select 1 from dehydrated_devices h where h.user_id = $1 and h.device_id = d.device_id
     ) then 0 else 1 end, used_for desc, created_at desc, device_id
   limit 100 offset $2`,
);

/**
 * Those of somebody's devices, a hundred at most, that are not among so many to keep. Kept are the newest ones, a tenth of all,
 * the one that takes messages while nobody is logged in, and those that were used for the longest time: what logs in anew for
 * whatever it does, and never comes back to what it logged in on, is not to log out somebody's phone.
 */
export async function listShortestUsed(reader: Reader, userId: string, kept: number): Promise<string[]> {
  const rows = await reader.all(selectShortestUsed, [userId, kept, Math.ceil(kept / 10)]);
  return rows.map((row) => row.device_id);
}

/** All of them, those first that were not used for the longest time. */
export async function listDeviceIds(reader: Reader, userId: string): Promise<string[]> {
  return (await reader.all(selectIds, [userId])).map((row) => row.device_id);
}

const insertDevice = sql<void, [userId: string, deviceId: string, name: string | null, createdAt: number]>(
  'devices.add',
  `insert into devices (user_id, device_id, display_name, created_at)
   select user_id, cast($2 as text), cast($3 as text), cast($4 as bigint) from accounts
   where user_id = $1 and deactivated_at is null
   on conflict do nothing`,
);

/** Adds a device that has no access token. Fails on the guard `device.there` if there is one of that ID. */
export function addDevice(
  set: WriteSet,
  device: {
    readonly userId: string;
    readonly deviceId: string;
    readonly name: string | undefined;
    readonly createdAt: number;
  },
): void {
  const { userId, deviceId, name, createdAt } = device;
  set.guard('device.there', 1, insertDevice, [userId, deviceId, name ?? null, createdAt]);
  set.change('devices', userId);
}

const updateName = sql<void, [userId: string, deviceId: string, name: string]>(
  'devices.rename',
  'update devices set display_name = $3 where user_id = $1 and device_id = $2',
);

/** Fails on the guard `device.not-found`. */
export function renameDevice(set: WriteSet, userId: string, deviceId: string, name: string): void {
  set.guard('device.not-found', 1, updateName, [userId, deviceId, name]);
  set.change('devices', userId);
}

const updateSeen = sql<void, [userId: string, deviceId: string, at: number, ip: string, unlessAfter: number]>(
  'devices.seen',
  `update devices set last_seen_at = $3, last_seen_ip = $4
   where user_id = $1 and device_id = $2 and (last_seen_at is null or last_seen_at <= $5)`,
);

/** Unless it was seen after `unlessAfter` already. */
export function setDeviceSeen(
  set: WriteSet,
  device: { readonly userId: string; readonly deviceId: string; readonly at: number; readonly ip: string },
  unlessAfter: number,
): void {
  set.add(updateSeen, [device.userId, device.deviceId, device.at, device.ip, unlessAfter]);
}

const deleteTokens = sql<void, [userId: string, deviceIds: string]>(
  'access-tokens.delete-of-devices',
  'delete from access_tokens where user_id = $1 and device_id in (select value from json_each(cast($2 as text)))',
);
const deleteRefreshTokens = sql<void, [userId: string, deviceIds: string]>(
  'refresh-tokens.delete-of-devices',
  'delete from refresh_tokens where user_id = $1 and device_id in (select value from json_each(cast($2 as text)))',
);
const deleteDevices = sql<void, [userId: string, deviceIds: string]>(
  'devices.delete',
  'delete from devices where user_id = $1 and device_id in (select value from json_each(cast($2 as text)))',
);

/** What lets somebody in on devices. */
export function removeTokens(set: WriteSet, userId: string, deviceIds: readonly string[]): void {
  const ids = JSON.stringify(deviceIds);
  set.add(deleteTokens, [userId, ids]);
  set.add(deleteRefreshTokens, [userId, ids]);
  set.change('access_tokens', userId);
}

/** Devices and their tokens; those that do not exist are no matter. */
export function removeDevices(set: WriteSet, userId: string, deviceIds: readonly string[]): void {
  removeTokens(set, userId, deviceIds);
  set.add(deleteDevices, [userId, JSON.stringify(deviceIds)]);
  set.change('devices', userId);
}

const touchOthers = sql<void, [userId: string, deviceIds: string]>(
  'devices.touch-others',
  `update devices set device_id = device_id
   where user_id = $1 and device_id not in (select value from json_each(cast($2 as text)))`,
);

/** Fails on the guard `devices.changed` if somebody has devices besides these. */
export function requireNoOtherDevices(set: WriteSet, userId: string, deviceIds: readonly string[]): void {
  set.guard('devices.changed', 0, touchOthers, [userId, JSON.stringify(deviceIds)]);
}
