import { randomBytes } from 'node:crypto';
import { createBrowserCookie } from '../http/client/sso/browser-cookie.ts';
import type { SsoServices } from '../http/client/sso/services.ts';
import type { SsoContext } from './identity-providers.ts';

/** Logging in by way of other services. Most servers have none, and need not load what it takes. */
export async function createSingleSignOn(context: SsoContext): Promise<Omit<SsoServices, 'ownPassword'>> {
  const { config, serverName } = context;
  return {
    serverName,
    browserCookie: createBrowserCookie({ publicBaseUrl: config.publicBaseUrl, randomBytes }),
    sso:
      config.identityProviders.length === 0
        ? undefined
        : (await import('./identity-providers.ts')).createIdentityProviders(context),
  };
}
