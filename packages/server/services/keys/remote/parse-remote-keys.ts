import { isJsonObject, type JsonObject, type JsonValue } from '@portico/protocol';
import type { PublicKeyRow } from '@portico/storage/stores/devices/device-keys.ts';
import { MatrixError } from '../../../errors/matrix-error.ts';
import { checkCrossSigningKey } from '../cross-signing-key.ts';
import { parseDeviceKeys, withoutUnsigned } from '../parse-keys.ts';
import { isStorable } from '../storable.ts';

/** Devices of one person that are kept; whoever has more is shown without any. */
export const maxRemoteDevices = 1000;
/** Characters of all keys of one person. */
const maxKeys = 1_000_000;
const maxName = 255;

/** The keys of a device as they are kept, or nothing for what is not as it should be. */
export function parseRemoteDevice(
  userId: string,
  deviceId: JsonValue | undefined,
  keys: JsonValue | undefined,
  name: JsonValue | undefined,
): PublicKeyRow | undefined {
  if (typeof deviceId !== 'string' || !isDeviceId(deviceId) || !isJsonObject(keys)) return undefined;
  const text = unlessRefused(() => parseDeviceKeys(userId, deviceId, keys));
  return text === undefined
    ? undefined
    : { kind: 'device', user_id: userId, id: deviceId, keys: text, display_name: parseDeviceName(name) };
}

export function isDeviceId(value: JsonValue | undefined): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= 255 && isStorable(value);
}

export function parseDeviceName(name: JsonValue | undefined): string | null {
  return typeof name === 'string' && name.length <= maxName && isStorable(name) ? name : null;
}

type GivenSigningKeys = { readonly master: JsonValue | undefined; readonly self_signing: JsonValue | undefined };

/** Public cross-signing keys as they are kept, without those that are not as they should be. */
export function parseRemoteSigningKeys(userId: string, given: GivenSigningKeys): PublicKeyRow[] {
  const rows: PublicKeyRow[] = [];
  for (const kind of ['master', 'self_signing'] as const) {
    const key = given[kind];
    if (!isJsonObject(key)) continue;
    const keys = unlessRefused(() => checkCrossSigningKey(userId, kind, withoutUnsigned(key)));
    if (keys !== undefined) rows.push({ kind, user_id: userId, id: '', keys, display_name: null });
  }
  return rows;
}

type GivenDevice = {
  readonly id: JsonValue | undefined;
  readonly keys: JsonValue | undefined;
  readonly name: JsonValue | undefined;
};

/**
 * All keys of somebody, each device once whatever their server says, or nothing if they are more than anybody has. A thousand
 * signatures take a while to check: `pace` lets others have their turn.
 */
export async function parseRemoteKeys(
  userId: string,
  devices: readonly GivenDevice[],
  signing: GivenSigningKeys,
  pace: () => Promise<void> | undefined,
): Promise<readonly PublicKeyRow[]> {
  if (devices.length > maxRemoteDevices) return [];
  const found = new Map<string, PublicKeyRow>();
  for (const { id, keys, name } of devices) {
    const row = parseRemoteDevice(userId, id, keys, name);
    if (row !== undefined) found.set(row.id, row);
    await pace();
  }
  const all = [...found.values(), ...parseRemoteSigningKeys(userId, signing)];
  return all.reduce((sum, row) => sum + row.keys.length, 0) > maxKeys ? [] : all;
}

/** What a parser makes of something, or nothing if it refuses it. */
export function unlessRefused<T>(parse: () => T): T | undefined {
  try {
    return parse();
  } catch (error) {
    if (error instanceof MatrixError) return undefined;
    throw error;
  }
}

/** What is in an answer to a query under a name, if it is an object. */
export function memberOf(object: JsonObject | undefined, name: string): JsonObject | undefined {
  const value = object !== undefined && Object.hasOwn(object, name) ? object[name] : undefined;
  return isJsonObject(value) ? value : undefined;
}
