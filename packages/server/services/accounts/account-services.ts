import type { ServerName } from '@portico/protocol/ids/server-name.ts';
import type { Database } from '@portico/storage';
import type { WatchCache } from '../../observability/cache-metrics.ts';
import type { RateLimiter } from '../rate-limit/rate-limiter.ts';
import { createAccessTokens, type AccessTokens } from './access-tokens.ts';
import { createAccountData, type AccountData } from './account-data.ts';
import { createFilters, type Filters } from './filters.ts';
import { createLogin, type Login } from './login.ts';
import { createPasswordHasher, type Argon2Cost } from './password-hasher.ts';
import { createProfiles, type Profiles } from './profiles.ts';
import { createRegistration, type Registration, type RegistrationMode } from './registration.ts';
import { createRegistrationTokens, type RegistrationTokens } from './registration-tokens.ts';
import { createSessions, type Sessions } from './sessions.ts';
import { createSharedSecretRegistration, type SharedSecretRegistration } from './shared-secret.ts';
import { createUia, type Uia } from './uia.ts';

export type AccountServices = {
  readonly accessTokens: AccessTokens;
  readonly accountData: AccountData;
  readonly filters: Filters;
  readonly login: Login;
  readonly profiles: Profiles;
  readonly registration: Registration;
  readonly registrationTokens: RegistrationTokens;
  readonly sessions: Sessions;
  readonly sharedSecret: SharedSecretRegistration;
  readonly uia: Uia;
};

export type AccountOptions = {
  readonly serverName: ServerName;
  readonly registrationMode: RegistrationMode;
  readonly sharedSecret: string | undefined;
  readonly argon2: Argon2Cost;
};

type Dependencies = {
  readonly db: Database;
  readonly rateLimiter: RateLimiter;
  readonly now: () => number;
  readonly randomBytes: (count: number) => Uint8Array;
  readonly watch?: WatchCache | undefined;
};

/** Everything about accounts, wired together. */
export function createAccountServices(options: AccountOptions, dependencies: Dependencies): AccountServices {
  const { serverName, registrationMode: mode, sharedSecret: secret, argon2: cost } = options;
  const { db, rateLimiter, now, randomBytes, watch } = dependencies;
  const hasher = createPasswordHasher({ cost, randomBytes, watch });
  const sessions = createSessions({ db, now, randomBytes });
  const uia = createUia({ db, now, randomBytes });
  const registrationTokens = createRegistrationTokens({ db, now, randomBytes });
  const registration = createRegistration({
    db,
    mode,
    serverName,
    uia,
    sessions,
    tokens: registrationTokens,
    hasher,
    now,
    randomBytes,
  });
  return {
    accessTokens: createAccessTokens({ db, now, watch }),
    accountData: createAccountData({ db }),
    filters: createFilters({ db }),
    login: createLogin({ db, serverName, sessions, hasher, rateLimiter }),
    profiles: createProfiles(db),
    registration,
    registrationTokens,
    sessions,
    sharedSecret: createSharedSecretRegistration({ db, secret, serverName, registration, sessions, now, randomBytes }),
    uia,
  };
}
