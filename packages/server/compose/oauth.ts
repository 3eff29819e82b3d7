import { randomBytes } from 'node:crypto';
import type { Database } from '@portico/storage';
import type { Config } from '../config/config.ts';
import type { AccountServices } from '../services/accounts/account-services.ts';
import type { OAuth } from '../services/oauth/oauth.ts';

type Context = {
  readonly config: Config;
  readonly db: Database;
  readonly accounts: AccountServices;
  readonly now: () => number;
};

/** Logging in as OAuth 2.0 has it: loaded only where the operator wants it. */
export async function createOAuthParts({ config, db, accounts, now }: Context): Promise<{ oauth: OAuth | undefined }> {
  if (!config.oauth.enabled) return { oauth: undefined };
  const { createOAuth } = await import('../services/oauth/oauth.ts');
  const options = {
    issuer: `${config.publicBaseUrl.replace(/\/+$/, '')}/`,
    registrationMode: config.registration.mode,
    othersMakeAccounts: config.identityProviders.some(({ newAccounts }) => newAccounts === 'everybody'),
  };
  return { oauth: createOAuth(options, { db, accounts, now, randomBytes }) };
}
