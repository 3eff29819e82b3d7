import { randomBytes } from 'node:crypto';
import type { Database } from '@portico/storage';
import type { Config } from '../config/config.ts';
import type { BaseUrl } from '../http/client/discovery/base-url.ts';
import { oauthEndpoints } from '../http/client/oauth/index.ts';
import { verificationPath } from '../http/client/oauth/paths.ts';
import { rendezvousEndpoints } from '../http/client/rendezvous/index.ts';
import type { SsoServices } from '../http/client/sso/services.ts';
import type { Endpoint } from '../http/endpoint.ts';
import type { AccountServices } from '../services/accounts/account-services.ts';
import type { AppServices } from '../services/appservices/app-services.ts';
import { createOAuth, type OAuth } from '../services/oauth/oauth.ts';
import { createRendezvous } from '../services/rendezvous/rendezvous.ts';
import { secretFor } from './secret-for.ts';

export type OAuthContext = {
  readonly config: Config;
  readonly signingKey: { readonly seed: Uint8Array };
  readonly db: Database;
  readonly accounts: AccountServices;
  readonly appServices: AppServices;
  readonly singleSignOn: Pick<SsoServices, 'browserCookie' | 'serverName' | 'sso'>;
  readonly discovery: BaseUrl;
  readonly now: () => number;
};

/** Logging in as OAuth 2.0 has it, with QR codes as well: endpoints that have what they are made of. */
export function createOAuthEndpoints(context: OAuthContext): readonly Endpoint<object>[] {
  const { db, singleSignOn, discovery, now } = context;
  const rendezvous = createRendezvous({ db, now, randomBytes });
  const services = { ...singleSignOn, discovery, rendezvous, now, oauth: createServer(context) };
  return [...oauthEndpoints, ...rendezvousEndpoints].map(({ declaration, create }) => ({
    declaration,
    create: () => create(services),
  }));
}

function createServer({ config, signingKey, db, accounts, appServices, now }: OAuthContext): OAuth {
  const base = config.publicBaseUrl.replace(/\/+$/, '');
  const options = {
    issuer: `${base}/`,
    hasAccountPage: config.listeners.some(({ serve }) => serve.includes('web')),
    verificationUri: `${base}${verificationPath}`,
    registrationMode: config.registration.mode,
    othersMakeAccounts: config.identityProviders.some(({ newAccounts }) => newAccounts === 'everybody'),
  };
  const userCodeSecret = secretFor(signingKey, 'codes that devices show');
  return createOAuth(options, { db, accounts, appServices, now, randomBytes, userCodeSecret });
}
