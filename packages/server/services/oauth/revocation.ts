import type { Reader } from '@portico/storage';
import { findRefreshToken } from '@portico/storage/stores/accounts/accounts-refresh.ts';
import { findAccessToken } from '@portico/storage/stores/accounts/accounts.ts';
import { hashToken } from '../accounts/access-tokens.ts';
import type { Devices } from '../devices/devices.ts';
import { type Parameters, requireParameter } from './parameters.ts';

type Dependencies = { readonly db: Reader; readonly devices: Devices };

/**
 * Logs out the device of a token, whichever of its two it is, and whoever has it.
 *
 * > If the `client_id` is not provided, or does not match the client associated with the token, the server SHOULD still revoke the
 * > token.
 *
 * {@link https://spec.matrix.org/v1.19/client-server-api/#token-revocation}
 */
export function createRevocation({ db, devices }: Dependencies) {
  return async (parameters: Parameters): Promise<void> => {
    const hash = hashToken(requireParameter(parameters, 'token'));
    const [access, refresh] = await Promise.all([findAccessToken(db, hash), findRefreshToken(db, hash)]);
    const found = access ?? (refresh?.revoked_at === null ? refresh : undefined);
    if (found !== undefined) await devices.remove(found.user_id, [found.device_id]);
  };
}
