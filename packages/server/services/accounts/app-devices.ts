import type { Reader } from '@portico/storage';
import { findOAuthSession } from '@portico/storage/stores/oauth/oauth-sessions.ts';
import type { Sender } from './sender.ts';

/** Which devices are logged in with OAuth 2.0: by an app that has never seen a password. */
export interface AppDevices {
  has(device: Pick<Sender, 'userId' | 'deviceId'>): Promise<boolean>;
  /** Where people confirm what such an app wants, for a session of user-interactive authentication. */
  confirmationUrl(session: string): string;
}

type Dependencies = {
  readonly db: Reader;
  /** Whether there are any. */
  readonly enabled: boolean;
  /** Where people reach the pages of the server. */
  readonly publicBaseUrl: string;
};

export function createAppDevices({ db, enabled, publicBaseUrl }: Dependencies): AppDevices {
  return {
    has: async ({ userId, deviceId }) => enabled && (await findOAuthSession(db, userId, deviceId)) !== undefined,
    // "Servers SHOULD use this action in the URL".
    confirmationUrl: (session) =>
      `${publicBaseUrl.replace(/\/+$/, '')}/_matrix/client/v3/auth/m.oauth/fallback/web` +
      `?action=org.matrix.cross_signing_reset&session=${encodeURIComponent(session)}`,
  };
}
