import { randomBytes } from 'node:crypto';
import { type CookieBrowser, createCookieBrowser, type Shown } from './cookie-browser.ts';
import { startIdentityProvider, type TestIdentityProvider } from './identity-provider.ts';
import { freePort } from './server-process.ts';
import { startTestServer, type TestServer } from './server.ts';
import type { TestClient } from './test-client.ts';

const v3 = '/_matrix/client/v3';

/** Where clients of tests are: nobody listens there. */
export const clientAddress = 'https://client.test/app?theme=dark#/home';
export const trustedAddress = 'https://trusted.test/app/';

export type SsoServer = {
  readonly server: TestServer;
  readonly idp: TestIdentityProvider;
  readonly base: string;
  /** For another process of it. */
  readonly settings: Readonly<Record<string, string>>;
  /** A browser that goes no further than to `stopAt`, or to a client. */
  newBrowser(stopAt?: (url: string) => boolean): CookieBrowser;
  redirectOf(redirectUrl?: string, idp?: string): string;
  /** The token in the address of a client. */
  tokenIn(shown: Shown): string;
  logInByToken(token: string): Promise<TestClient>;
  /** The whole way of somebody who is at the provider, to a client that is trusted. */
  logIn(browser?: CookieBrowser): Promise<TestClient>;
  close(): Promise<void>;
};

type Options = {
  readonly engine?: 'sqlite' | 'postgres';
  /**
   * Instead of a single provider with new accounts for everybody: what differs from that, for each. The provider tells the first of them
   * that wants to know whom it has logged out.
   */
  readonly providers?: readonly ({ readonly id?: string } & Record<string, unknown>)[];
  readonly settings?: Readonly<Record<string, string>>;
  readonly now?: () => number;
  readonly authMethod?: string;
};

export function newSubject(): string {
  return `sub-${randomBytes(5).toString('hex')}`;
}

/** Whether an address is where the provider leads people back to. */
export function isCallback(url: string): boolean {
  return url.includes('/_portico/client/v1/sso/callback/');
}

/** A server whose people log in by way of a provider. */
export async function startSsoServer(options: Options = {}): Promise<SsoServer> {
  const { engine, providers = [{}], settings, now, authMethod } = options;
  const port = await freePort();
  const base = `http://127.0.0.1:${port}`;
  const ids = providers.map((given, index) => given.id ?? (index === 0 ? 'test' : `test-${index}`));
  const logsOut = ids.find((_id, index) => providers[index]?.['backchannel_logout_enabled'] === true);
  const idp = await startIdentityProvider(
    ids.map((id) => `${base}/_portico/client/v1/sso/callback/${id}`),
    {
      ...(authMethod !== undefined && { authMethod }),
      ...(logsOut !== undefined && { logoutUri: `${base}/_portico/client/v1/sso/logout/${logsOut}` }),
    },
  );
  const configured = providers.map((given, index) => ({
    id: ids[index],
    name: `Provider <${ids[index]}>`,
    issuer: idp.issuer,
    client_id: idp.clientId,
    client_secret: idp.clientSecret,
    new_accounts: 'everybody',
    ...given,
  }));
  const all = {
    LISTENERS: JSON.stringify([{ address: '127.0.0.1', port, serve: ['client', 'admin', 'web'] }]),
    PUBLIC_BASE_URL: base,
    SINGLE_SIGN_ON_PROVIDERS: JSON.stringify(configured),
    SINGLE_SIGN_ON_TRUSTED_CLIENTS: JSON.stringify([trustedAddress]),
    ...settings,
  };
  const server = await startTestServer({ ...(engine && { engine }), ...(now && { now }), settings: all });
  const newBrowser: SsoServer['newBrowser'] = (stopAt = () => false) =>
    createCookieBrowser((url) => stopAt(url) || (!url.startsWith(base) && !url.startsWith(idp.issuer)));

  function redirectOf(redirectUrl = trustedAddress, id?: string): string {
    const path = `${base}${v3}/login/sso/redirect${id === undefined ? '' : `/${id}`}`;
    return `${path}?redirectUrl=${encodeURIComponent(redirectUrl)}`;
  }
  function tokenIn(shown: Shown): string {
    const token = shown.status === 0 ? new URL(shown.url).searchParams.get('loginToken') : null;
    if (token === null) throw new Error(`There is no token at ${shown.url}: ${shown.status} ${shown.html}`);
    return token;
  }
  async function logInByToken(token: string): Promise<TestClient> {
    const { status, body } = await server.anonymous.post(`${v3}/login`, { type: 'm.login.token', token });
    if (status !== 200) throw new Error(`The token was refused: ${JSON.stringify(body)}`);
    const { user_id: userId, access_token: accessToken, device_id: deviceId } = body as Record<string, string>;
    return server.as({ userId: userId ?? '', accessToken: accessToken ?? '', deviceId: deviceId ?? '' });
  }
  return {
    server,
    idp,
    base,
    settings: all,
    newBrowser,
    redirectOf,
    tokenIn,
    logInByToken,
    logIn: async (browser = newBrowser()) => logInByToken(tokenIn(await browser.open(redirectOf(undefined, ids[0])))),
    async close() {
      await server.close();
      await idp.close();
    },
  };
}
