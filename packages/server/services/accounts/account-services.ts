import type { ServerName } from '@portico/protocol/ids/server-name.ts';
import type { Database } from '@portico/storage';
import type { WatchCache } from '../../observability/cache-metrics.ts';
import type { BeforeAccountData } from '../privacy/shown-invites.ts';
import type { RateLimiter } from '../rate-limit/rate-limiter.ts';
import type { AppServices } from '../appservices/app-services.ts';
import { createAccountCare, type AccountCare } from './account-care.ts';
import { type Administering, createAdministering } from './administering.ts';
import { type AppDevices, createAppDevices } from './app-devices.ts';
import { createAppServiceAccounts } from './app-service-accounts.ts';
import { createAccessTokens, type AccessTokens } from './access-tokens.ts';
import { createAccountData, type AccountData } from './account-data.ts';
import { createFilters, type Filters } from './filters.ts';
import {
  createDevices,
  type Devices,
  type OnDeviceAdded,
  type OnDeviceRenamed,
  type OnDevicesDeleted,
} from '../devices/devices.ts';
import { createWhoIs, type WhoIs } from '../devices/who-is.ts';
import { createProfiles, type Profiles } from '../profile/profiles.ts';
import { createDeviceDeletion, type DeviceDeletion } from './device-deletion.ts';
import { createDeactivation, type Deactivation } from './deactivation.ts';
import { createLoginWays, type LoginProvider, type LoginWays } from './login-ways.ts';
import { createLogin, type Login } from './login.ts';
import { createLoginTokens, type LoginTokens } from './login-tokens.ts';
import { createModeration, type Moderation } from './moderation.ts';
import { createOwnPassword, type OwnPassword } from './own-password.ts';
import { createPasswordReset, type PasswordReset } from './password-reset.ts';
import { createPasswordChange, type PasswordChange } from './password-change.ts';
import { createRefresh, type Refresh } from './refresh.ts';
import { createPasswordHasher, type Argon2Cost } from './password-hasher.ts';
import { createRegistration, type Registration, type RegistrationMode } from './registration.ts';
import { createRegistrationTokens, type RegistrationTokens } from './registration-tokens.ts';
import { createStageFallback, type StageFallback } from './stage-fallback.ts';
import { createSessions, type Sessions } from './sessions.ts';
import { createSharedSecretRegistration, type SharedSecretRegistration } from './shared-secret.ts';
import { createBindings, type Bindings } from '../third-party-ids/bindings.ts';
import { createThirdPartyIds, type ThirdPartyIds } from '../third-party-ids/third-party-ids.ts';
import type { EmailValidations } from '../third-party-ids/validations.ts';
import type { IdentityClient } from '../identity/identity-client.ts';
import { createUia, type Uia } from './uia.ts';

export type AccountServices = {
  readonly administering: Administering;
  readonly accessTokens: AccessTokens;
  readonly accountData: AccountData;
  readonly appDevices: AppDevices;
  readonly bindings: Bindings;
  readonly care: AccountCare;
  readonly deactivation: Deactivation;
  readonly devices: Devices;
  readonly deviceDeletion: DeviceDeletion;
  readonly filters: Filters;
  readonly login: Login;
  readonly loginTokens: LoginTokens;
  readonly loginWays: LoginWays;
  readonly moderation: Moderation;
  readonly ownPassword: OwnPassword;
  readonly emailValidations: EmailValidations;
  readonly passwordChange: PasswordChange;
  readonly passwordReset: PasswordReset;
  readonly profiles: Profiles;
  readonly refresh: Refresh;
  readonly registration: Registration;
  readonly registrationTokens: RegistrationTokens;
  readonly sessions: Sessions;
  readonly sharedSecret: SharedSecretRegistration;
  readonly stageFallback: StageFallback;
  readonly thirdPartyIds: ThirdPartyIds;
  readonly uia: Uia;
  readonly whoIs: WhoIs;
};

export type AccountOptions = {
  readonly serverName: ServerName;
  readonly registrationMode: RegistrationMode;
  readonly requiresEmail: boolean;
  readonly sharedSecret: string | undefined;
  readonly argon2: Argon2Cost;
  /** Whether apps log in with OAuth 2.0. */
  readonly hasOAuth: boolean;
  readonly publicBaseUrl: string;
  /** By way of which people log in. */
  readonly providers: readonly LoginProvider[];
};

type Dependencies = {
  readonly db: Database;
  readonly rateLimiter: RateLimiter;
  readonly validations: EmailValidations;
  readonly identity: IdentityClient;
  readonly now: () => number;
  readonly randomBytes: (count: number) => Uint8Array;
  readonly watch?: WatchCache | undefined;
  readonly uiaSecret: Uint8Array;
  /** What else goes with a device that is deleted. */
  readonly onDevicesDeleted: readonly OnDevicesDeleted[];
  readonly appServices: AppServices;
  readonly onDeviceAdded?: OnDeviceAdded;
  readonly beforeAccountData?: BeforeAccountData | undefined;
  readonly onDeviceRenamed?: OnDeviceRenamed;
};

/** Everything about accounts, wired together. */
export function createAccountServices(options: AccountOptions, dependencies: Dependencies): AccountServices {
  const { serverName, registrationMode: mode, sharedSecret: secret, argon2: cost } = options;
  const { db, rateLimiter, validations, now, randomBytes, watch, appServices } = dependencies;
  const hasher = createPasswordHasher({ cost, randomBytes, watch });
  const devices = createDevices({
    db,
    onDeleted: dependencies.onDevicesDeleted,
    onAdded: dependencies.onDeviceAdded,
    onRenamed: dependencies.onDeviceRenamed,
    now,
  });
  const sessions = createSessions({ devices, now, randomBytes });
  const appServiceAccounts = createAppServiceAccounts({ db, serverName, appServices, sessions, now });
  const login = createLogin({ db, serverName, sessions, hasher, rateLimiter, appServiceAccounts, now });
  const uia = createUia({ db, now, randomBytes, secret: dependencies.uiaSecret });
  const loginWays = createLoginWays({ db, providers: options.providers });
  const { hasOAuth: enabled, publicBaseUrl } = options;
  const appDevices = createAppDevices({ db, enabled, publicBaseUrl });
  const ownPassword = createOwnPassword({ db, uia, login, loginWays, appDevices });
  const bindings = createBindings({ db, identity: dependencies.identity });
  const registrationTokens = createRegistrationTokens({ db, now, randomBytes });
  const registration = createRegistration({
    db,
    mode,
    serverName,
    requiresEmail: options.requiresEmail,
    validations,
    uia,
    sessions,
    tokens: registrationTokens,
    hasher,
    appServices,
    appServiceAccounts,
    now,
    randomBytes,
  });
  const deactivation = createDeactivation({ db, ownPassword, devices, bindings, now });
  const thirdPartyIds = createThirdPartyIds({ db, ownPassword, validations, bindings, now });
  const passwordReset = createPasswordReset({ db, uia, validations, hasher, devices });
  const care = createAccountCare({ db, hasher, devices, thirdPartyIds, deactivation, now });
  const moderation = createModeration({ db, serverName, deactivation });
  const profiles = createProfiles({ db, serverName, now });
  return {
    administering: createAdministering({
      db,
      serverName,
      providers: options.providers.map(({ id }) => id),
      bindings,
      care,
      devices,
      hasher,
      moderation,
      profiles,
      registration,
      thirdPartyIds,
      now,
    }),
    accessTokens: createAccessTokens({ db, now, watch }),
    accountData: createAccountData({ db, beforeSet: dependencies.beforeAccountData }),
    appDevices,
    bindings,
    care,
    deactivation,
    devices,
    deviceDeletion: createDeviceDeletion({ ownPassword, devices }),
    filters: createFilters({ db }),
    login,
    loginTokens: createLoginTokens({ db, ownPassword, now, randomBytes }),
    loginWays,
    moderation,
    ownPassword,
    emailValidations: validations,
    passwordReset,
    passwordChange: createPasswordChange({ db, ownPassword, hasher, devices }),
    profiles,
    refresh: createRefresh({ db, now, randomBytes }),
    registration,
    registrationTokens,
    sessions,
    stageFallback: createStageFallback({
      uia,
      registration,
      passwordReset,
      ownPassword,
      loginWays,
      validations,
      randomBytes,
    }),
    sharedSecret: createSharedSecretRegistration({ db, secret, serverName, registration, sessions, now, randomBytes }),
    thirdPartyIds,
    uia,
    whoIs: createWhoIs({ db, devices }),
  };
}
