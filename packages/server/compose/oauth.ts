import { randomBytes } from 'node:crypto';
import type { Database } from '@portico/storage';
import type { Config } from '../config/config.ts';
import { verificationPath } from '../http/client/oauth/paths.ts';
import type { AccountServices } from '../services/accounts/account-services.ts';
import type { Rendezvous } from '../services/rendezvous/rendezvous.ts';
import type { OAuth } from '../services/oauth/oauth.ts';
import { secretFor } from './secret-for.ts';

type Context = {
  readonly config: Config;
  readonly signingKey: { readonly seed: Uint8Array };
  readonly db: Database;
  readonly accounts: AccountServices;
  readonly now: () => number;
};

type OAuthParts = { readonly oauth: OAuth | undefined; readonly rendezvous: Rendezvous | undefined };

/** Logging in as OAuth 2.0 has it: loaded only where the operator wants it. */
export async function createOAuthParts(context: Context): Promise<OAuthParts> {
  const { config, signingKey, db, accounts, now } = context;
  if (!config.oauth.enabled) return { oauth: undefined, rendezvous: undefined };
  const { createOAuth } = await import('../services/oauth/oauth.ts');
  const base = config.publicBaseUrl.replace(/\/+$/, '');
  const options = {
    issuer: `${base}/`,
    hasAccountPage: config.listeners.some(({ serve }) => serve.includes('web')),
    verificationUri: `${base}${verificationPath}`,
    registrationMode: config.registration.mode,
    othersMakeAccounts: config.identityProviders.some(({ newAccounts }) => newAccounts === 'everybody'),
  };
  const { createRendezvous } = await import('../services/rendezvous/rendezvous.ts');
  const userCodeSecret = secretFor(signingKey, 'codes that devices show');
  return {
    oauth: createOAuth(options, { db, accounts, now, randomBytes, userCodeSecret }),
    rendezvous: createRendezvous({ db, now, randomBytes }),
  };
}
