import { checkDeviceId, cutDeviceName } from '../devices/devices.ts';
import type { DeviceRequest } from './sessions.ts';

/** What somebody who registers has asked for, without their password. */
export type RememberedRequest = DeviceRequest & {
  readonly username?: string;
  readonly inhibit_login?: boolean;
  readonly passwordHash?: string;
};

/**
 * Clients send a request once more with `auth` added, says the spec, but some in use, as Element for phones, go on with
 * nothing but `auth`, since other servers remember the rest. The text is bounded, as anybody may have it stored.
 */
export function rememberRequest(request: RememberedRequest): string {
  const { username, inhibit_login, refresh_token, device_id, passwordHash } = request;
  if (device_id !== undefined) checkDeviceId(device_id);
  const initial_device_display_name = cutDeviceName(request.initial_device_display_name);
  const kept: RememberedRequest = {
    ...(username !== undefined && { username }),
    ...(inhibit_login !== undefined && { inhibit_login }),
    ...(refresh_token !== undefined && { refresh_token }),
    ...(device_id !== undefined && { device_id }),
    ...(initial_device_display_name !== undefined && { initial_device_display_name }),
    ...(passwordHash !== undefined && { passwordHash }),
  };
  return JSON.stringify(kept);
}

/** Reads back what `rememberRequest` gave. */
export function recallRequest(text: string | undefined): RememberedRequest {
  return text === undefined ? {} : (JSON.parse(text) as RememberedRequest);
}
