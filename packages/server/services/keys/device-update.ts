import { encodeCanonical, type JsonObject } from '@portico/protocol';
import type { DeviceUpdate } from '@portico/storage/stores/devices/device-list-sending.ts';

/** A device as others see it now. */
export type ChangedDevice = {
  readonly deviceId: string;
  /** With all signatures; `undefined` for a device that is gone, or has none yet. */
  readonly keys: JsonObject | undefined;
  readonly displayName?: string | null;
};

export const withoutName = ({ deviceId, keys }: ChangedDevice): ChangedDevice => ({ deviceId, keys });

/**
 * The content of an `m.device_list_update` as canonical JSON, in two parts: between them, where the order of the names has
 * them, come `prev_id` and `stream_id`, which only the commit gives.
 *
 * {@link https://spec.matrix.org/v1.19/server-server-api/#device-management}
 */
export function deviceUpdate(userId: string, device: ChangedDevice): DeviceUpdate {
  const before = encodeCanonical({ ...(device.keys === undefined && { deleted: true }), ...contentOf(device) });
  return { before: `${before.slice(0, -1)},`, behind: `,"user_id":${encodeCanonical(userId)}}` };
}

/**
 * What a server is told of a device that has not changed, and may have no keys. It names the update before the last one, so that a server that
 * lacks either asks for all devices.
 */
export function deviceAnnouncement(userId: string, device: ChangedDevice, streamId: number): string {
  const previous = streamId === 0 ? [] : [streamId - 1];
  return encodeCanonical({ ...contentOf(device), prev_id: previous, stream_id: streamId, user_id: userId });
}

function contentOf({ deviceId, keys, displayName }: ChangedDevice): JsonObject {
  return {
    ...(displayName !== undefined && displayName !== null && { device_display_name: displayName }),
    device_id: deviceId,
    ...(keys !== undefined && { keys }),
  };
}
