import { randomBytes } from 'node:crypto';
import type { ServerName } from '@portico/protocol';
import type { Database } from '@portico/storage';
import type { Config } from '../config/config.ts';
import { MatrixError } from '../errors/matrix-error.ts';
import { oauthPath } from '../http/client/oauth/paths.ts';
import { ssoPath } from '../http/client/sso/way-back.ts';
import type { Logger } from '../observability/logger.ts';
import type { AccountServices } from '../services/accounts/account-services.ts';
import type { AppServices } from '../services/appservices/app-services.ts';
import type { Outbound } from '../services/outbound/outbound.ts';
import { createAnswers } from '../services/sso/answers.ts';
import { createArrivals } from '../services/sso/arrivals.ts';
import { createConfirmations } from '../services/sso/confirmations.ts';
import { createEntry } from '../services/sso/entry.ts';
import { createExternalLinks } from '../services/sso/external-links.ts';
import { createNewcomers } from '../services/sso/newcomers.ts';
import { createOidcClient } from '../services/sso/oidc-client.ts';
import { createProviderLogouts } from '../services/sso/provider-logouts.ts';
import { createRunningLogins } from '../services/sso/running-logins.ts';
import { createSso, type Sso } from '../services/sso/sso.ts';

export type SsoContext = {
  readonly config: Config;
  readonly serverName: ServerName;
  readonly db: Database;
  readonly accounts: AccountServices;
  readonly appServices: AppServices;
  readonly outbound: Outbound;
  readonly log: Logger;
  readonly now: () => number;
};

/** Logging in by way of other services: loaded only where there are any. */
export function createIdentityProviders(context: SsoContext): Sso {
  const { config, serverName, db, accounts, appServices, outbound, log, now } = context;
  const { identityProviders: providers, publicBaseUrl } = config;
  const { registration, loginTokens, uia, ownPassword } = accounts;
  const base = publicBaseUrl.replace(/\/+$/, '');
  const clients = providers.map((provider) =>
    createOidcClient({ provider, callbackUrl: `${base}${ssoPath}/callback/${provider.id}`, outbound, log, now }),
  );
  const logins = createRunningLogins({ db, now, randomBytes });
  const requiresEmail = config.registration.requireEmail;
  const newcomers = createNewcomers({ db, serverName, registration, appServices, requiresEmail, now });
  const links = createExternalLinks({ db, providers: providers.map(({ id }) => id), ownPassword, now });
  const ownPages = ['/account', '/_matrix/static/client/login/', `${oauthPath}/back`].map((path) => base + path);
  const trustedClients = [...config.singleSignOn.trustedClients, ...ownPages];
  const entry = createEntry({ db, trustedClients, logins, loginTokens });
  const confirmations = createConfirmations({ db, uia, ownPassword });
  return createSso({
    db,
    clients,
    logins,
    arrivals: createArrivals({ db, logins, newcomers, entry, links, confirmations }),
    answers: createAnswers({
      db,
      newcomers,
      entry,
      links,
      confirmations,
      getProvider(id) {
        const provider = providers.find((each) => each.id === id);
        if (provider === undefined) throw new MatrixError('sso.unknown-provider');
        return provider;
      },
    }),
    links,
    logouts: createProviderLogouts({ db, clients, log, now }),
    confirmations,
    now,
  });
}
