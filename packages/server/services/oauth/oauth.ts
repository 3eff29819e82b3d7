import type { Database } from '@portico/storage';
import type { AccountServices } from '../accounts/account-services.ts';
import { newDeviceId } from '../accounts/sessions.ts';
import type { AppServices } from '../appservices/app-services.ts';
import type { RegistrationMode } from '../accounts/registration.ts';
import { type Authorization, createAuthorization } from './authorization.ts';
import { createOAuthClients, type OAuthClients } from './clients.ts';
import { createCodeGrant } from './code-grant.ts';
import { createConsents } from './consents.ts';
import { createDeviceGrants, type DeviceGrants, deviceGrantType } from './device-grants.ts';
import { createNewAccounts, type NewAccounts } from './new-accounts.ts';
import { createOpenSession, type TokenAnswer } from './open-session.ts';
import type { Parameters } from './parameters.ts';
import { createRefreshGrant } from './refresh-grant.ts';
import { createOAuthRequests, type OAuthRequests } from './requests.ts';
import { createRevocation } from './revocation.ts';
import { createTokens } from './tokens.ts';
import { createUserCodes } from './user-codes.ts';

/**
 * Logging in as OAuth 2.0 has it: as much of that as the Matrix specification asks for. What comes of it are sessions and devices
 * like all others.
 *
 * {@link https://spec.matrix.org/v1.19/client-server-api/#oauth-20-api}
 */
export interface OAuth {
  /** By what this server is called as one that lets clients in. */
  readonly issuer: string;
  /** Whether people can make accounts on its pages. */
  readonly offersAccounts: boolean;
  /** Whether people look after their account in a browser here. */
  readonly hasAccountPage: boolean;
  /** By what clients call them. */
  readonly grantTypes: readonly string[];
  readonly clients: OAuthClients;
  readonly requests: OAuthRequests;
  readonly authorization: Authorization;
  readonly newAccounts: NewAccounts;
  readonly deviceGrants: DeviceGrants;
  /** Throws what OAuth 2.0 has a code for. */
  giveTokens(parameters: Parameters): Promise<TokenAnswer>;
  revoke(parameters: Parameters): Promise<void>;
}

type Options = {
  readonly issuer: string;
  readonly hasAccountPage: boolean;
  /** Where people type in the codes that devices show. */
  readonly verificationUri: string;
  readonly registrationMode: RegistrationMode;
  /** Whether another service makes accounts here for those who come from it. */
  readonly othersMakeAccounts: boolean;
};

type Dependencies = {
  readonly db: Database;
  readonly accounts: Pick<
    AccountServices,
    'devices' | 'login' | 'refresh' | 'registration' | 'sessions' | 'stageFallback'
  >;
  readonly appServices: Pick<AppServices, 'ownsUser'>;
  readonly now: () => number;
  readonly randomBytes: (count: number) => Uint8Array;
  /** Known to this server alone, and the same for all its processes. */
  readonly userCodeSecret: Uint8Array;
};

export function createOAuth(options: Options, dependencies: Dependencies): OAuth {
  const { db, accounts, appServices, now, randomBytes, userCodeSecret: secret } = dependencies;
  const { issuer, hasAccountPage, verificationUri, registrationMode: mode, othersMakeAccounts } = options;
  const { devices, login, refresh, registration, sessions, stageFallback } = accounts;
  const offersAccounts = mode !== 'closed' || othersMakeAccounts;
  const clients = createOAuthClients({ db, now });
  const requests = createOAuthRequests({ db, now, randomBytes });
  const consents = createConsents({ db, clients, issuer, now, randomBytes });
  const openSession = createOpenSession({ db, sessions, now });
  const userCodes = createUserCodes({ randomBytes, secret });
  const deviceGrants = createDeviceGrants({ db, clients, openSession, userCodes, verificationUri, now, randomBytes });
  const grants = new Map([
    ['authorization_code', createCodeGrant({ db, clients, openSession, now })],
    ['refresh_token', createRefreshGrant({ db, clients, refresh })],
    [deviceGrantType, deviceGrants.redeem],
  ]);
  return {
    issuer,
    offersAccounts,
    hasAccountPage,
    grantTypes: [...grants.keys()],
    clients,
    requests,
    authorization: createAuthorization({
      db,
      clients,
      requests,
      consents,
      login,
      appServices,
      issuer,
      newDeviceId: () => newDeviceId(randomBytes),
      offersAccounts,
      now,
    }),
    newAccounts: createNewAccounts({ clients, requests, registration, stageFallback, mode }),
    deviceGrants,
    giveTokens: createTokens(grants),
    revoke: createRevocation({ db, devices }),
  };
}
