import type { JsonObject } from '@portico/protocol';
import type { Reader } from '@portico/storage';
import { queryKeys } from '@portico/storage/stores/devices/device-keys.ts';
import { listDeviceIds } from '@portico/storage/stores/devices/devices.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import { publicKeyOf } from './cross-signing-key.ts';
import { verifyKeyOf } from './parse-keys.ts';

/*
 * "While servers MUST not allow devices to have the same IDs as cross-signing keys, a malicious server could construct such
 * a situation": whoever signs one of the two seems to have signed the other as well.
 *
 * https://spec.matrix.org/v1.19/client-server-api/#key-and-signature-security
 */
const refuse = (): never => {
  throw new MatrixError('request.invalid-param', {
    message: 'A device and a cross-signing key must not share a name.',
  });
};

/** Throws `request.invalid-param` for the ID of a device that is the name of one of the person's cross-signing keys. */
export async function requireNoSigningKey(reader: Reader, userId: string, deviceId: string): Promise<void> {
  if (verifyKeyOf(deviceId) === undefined) return;
  const { keys } = await queryKeys(reader, [[userId, deviceId]], userId);
  const names = keys
    .filter(({ kind }) => kind !== 'device')
    .map((row) => publicKeyOf(JSON.parse(row.keys) as JsonObject)?.value);
  if (names.includes(deviceId)) refuse();
}

/** Throws `request.invalid-param` if one of these public keys is the ID of a device. */
export async function requireNoDevice(reader: Reader, userId: string, keys: Iterable<JsonObject>): Promise<void> {
  const devices = new Set(await listDeviceIds(reader, userId));
  for (const key of keys) if (devices.has(publicKeyOf(key)?.value ?? '')) refuse();
}
