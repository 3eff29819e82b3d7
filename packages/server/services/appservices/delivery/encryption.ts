import { emptyJsonObject } from '@portico/protocol';
import type { Reader } from '@portico/storage';
import {
  type AddressedToDevice,
  readAddressedToDevice,
  readKeyCountsOf,
  readKeyDevicesOf,
  readListsForAppService,
  readMovesForAppService,
  readToDeviceUsers,
} from '@portico/storage/stores/app-services/app-service-extras.ts';
import type { Range } from '@portico/storage/stores/app-services/app-service-log.ts';
import type { AppService } from '../app-service.ts';

type Context = { readonly db: Reader; readonly service: AppService };

export type ToDeviceFor = { readonly users: readonly string[]; readonly messages: readonly AddressedToDevice[] };

/** Messages to the devices of a service's own users. Of users that others may have as well, they are nobody else's business. */
export async function toDeviceFor({ db, service }: Context, range: Range): Promise<ToDeviceFor> {
  const users = (await readToDeviceUsers(db, range)).filter(service.ownsUser);
  return { users, messages: await readAddressedToDevice(db, range, users) };
}

export function toDeviceText({
  user_id: userId,
  device_id: deviceId,
  sender,
  type,
  content,
}: AddressedToDevice): string {
  const to = `"to_device_id":${JSON.stringify(deviceId)},"to_user_id":${JSON.stringify(userId)}`;
  return `{"content":${content},"sender":${JSON.stringify(sender)},${to},"type":${JSON.stringify(type)}}`;
}

/** Whose keys have changed for a service, all its users taken together. */
export async function deviceListsFor({ db, service }: Context, range: Range) {
  const [updated, moves] = await Promise.all([
    readListsForAppService(db, service.id, range),
    readMovesForAppService(db, service.id, range),
  ]);
  const changed = new Set(updated);
  const left = new Set<string>();
  for (const { user_id: userId, shares, membership } of moves) {
    if (shares === 1 && membership === 'join') changed.add(userId);
    if (shares === 0) left.add(userId);
  }
  return { changed: [...changed], left: [...left] };
}

type Counts = { [userId: string]: { [deviceId: string]: { [algorithm: string]: number } } };
type Types = { [userId: string]: { [deviceId: string]: string[] } };

/**
 * How many one-time keys some users' devices have left, and which fallback keys are unused. People choose what devices and algorithms
 * are called: `__proto__` is a name like any other.
 */
export async function keyCountsFor(db: Reader, userIds: readonly string[]): Promise<{ counts: Counts; unused: Types }> {
  const counts = emptyJsonObject() as Counts;
  const unused = emptyJsonObject() as Types;
  if (userIds.length === 0) return { counts, unused };
  const [rows, devices] = await Promise.all([readKeyCountsOf(db, userIds), readKeyDevicesOf(db, userIds)]);
  for (const { user_id: userId, device_id: deviceId } of devices) {
    const ofDevice = emptyJsonObject() as Counts[string][string];
    ofDevice['signed_curve25519'] = 0;
    (counts[userId] ??= emptyJsonObject() as Counts[string])[deviceId] = ofDevice;
    (unused[userId] ??= emptyJsonObject() as Types[string])[deviceId] = [];
  }
  for (const { user_id: userId, device_id: deviceId, algorithm, waiting, unused: isUnused } of rows) {
    const ofDevice = counts[userId]?.[deviceId];
    if (ofDevice === undefined) continue;
    if (waiting > 0) ofDevice[algorithm] = waiting;
    if (isUnused === 1) unused[userId]?.[deviceId]?.push(algorithm);
  }
  return { counts, unused };
}
