import { randomBytes } from 'node:crypto';
import type { ServerName } from '@portico/protocol';
import type { Database } from '@portico/storage';
import { deleteLocalNotificationSettings } from '@portico/storage/stores/accounts/local-notification-settings.ts';
import { forgetProviderSessions } from '@portico/storage/stores/accounts/provider-sessions.ts';
import { forgetOAuthSessions } from '@portico/storage/stores/oauth/oauth-sessions.ts';
import { removePushersOfDevices } from '@portico/storage/stores/push/pushers.ts';
import { dropConnectionsOf } from '@portico/storage/stores/sync/sliding-connections.ts';
import type { Config } from '../config/config.ts';
import { type AccountServices, createAccountServices } from '../services/accounts/account-services.ts';
import type { AppServices } from '../services/appservices/app-services.ts';
import type { IdentityClient } from '../services/identity/identity-client.ts';
import type { BeforeAccountData } from '../services/privacy/shown-invites.ts';
import type { RateLimiter } from '../services/rate-limit/rate-limiter.ts';
import type { EmailValidations } from '../services/third-party-ids/validations.ts';
import type { Encryption } from './encryption.ts';
import { secretFor } from './secret-for.ts';

type Context = {
  readonly config: Pick<Config, 'registration' | 'passwords' | 'identityProviders' | 'oauth' | 'publicBaseUrl'>;
  readonly serverName: ServerName;
  readonly signingKey: { readonly seed: Uint8Array };
  readonly db: Database;
  readonly rateLimiter: RateLimiter;
  readonly validations: EmailValidations;
  readonly identity: IdentityClient;
  readonly deviceHooks: Encryption['deviceHooks'];
  readonly appServices: AppServices;
  readonly beforeAccountData: BeforeAccountData;
  readonly now: () => number;
};

/** Accounts and their devices, with all that goes when a device goes. */
export function createAccounts(context: Context): AccountServices {
  const { config, serverName, signingKey, deviceHooks } = context;
  const { db, rateLimiter, validations, identity, appServices, beforeAccountData, now } = context;
  return createAccountServices(
    {
      serverName,
      registrationMode: config.registration.mode,
      requiresEmail: config.registration.requireEmail,
      sharedSecret: config.registration.sharedSecret,
      argon2: config.passwords.argon2,
      providers: config.identityProviders,
      hasOAuth: config.oauth.enabled,
      publicBaseUrl: config.publicBaseUrl,
    },
    {
      db,
      rateLimiter,
      validations,
      identity,
      now,
      randomBytes,
      uiaSecret: secretFor(signingKey, 'what authentication sessions were opened for'),
      ...deviceHooks,
      onDevicesDeleted: [
        ...deviceHooks.onDevicesDeleted,
        dropConnectionsOf,
        removePushersOfDevices,
        deleteLocalNotificationSettings,
        forgetOAuthSessions,
        forgetProviderSessions,
      ],
      appServices,
      beforeAccountData,
    },
  );
}
