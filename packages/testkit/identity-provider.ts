import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Context } from 'oidc-provider';
import type { CookieBrowser } from './cookie-browser.ts';

/** Somebody whom the provider knows. */
export type KnownPerson = { readonly sub: string; readonly [claim: string]: unknown };

export type TestIdentityProvider = {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** Who sits before every browser that comes; `undefined`: nobody wants to log in. */
  person: KnownPerson | undefined;
  /** What came of a browser's request at the endpoint for authorisations. */
  readonly authorizations: readonly Readonly<Record<string, unknown>>[];
  /** Answers instead of the provider, where it says true. */
  intercept: ((request: IncomingMessage, response: ServerResponse) => boolean) | undefined;
  /** What it could not tell a server that it wanted to log somebody out there. */
  readonly logoutErrors: readonly unknown[];
  /** Whoever sits before the browser logs out there, and the provider tells the server. */
  logOut(browser: CookieBrowser): Promise<void>;
  /** A token that says this, signed as the provider's are. */
  signToken(claims: object, header?: object): string;
  close(): Promise<void>;
};

/** One for all of a process: it takes a while to make. */
const key = generateKeyPairSync('rsa', { modulusLength: 2048 });
const keyId = 'the key of the tests';
const clientId = 'portico';
const clientSecret = 'a secret that the provider and the server share';

function listen(server: Server): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port));
  });
}

type Options = {
  readonly authMethod?: string;
  /** Where servers want to be told that somebody has logged out. */
  readonly logoutUri?: string;
};

/** As a JWT with the signature of the key, of whatever algorithm it says to be. */
export function signToken(key: KeyObject, claims: object, header: object): string {
  const parts = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'));
  const text = parts.join('.');
  return `${text}.${sign('sha256', Buffer.from(text), key).toString('base64url')}`;
}

/** A real OpenID provider on loopback, at which people log in by being there. */
export async function startIdentityProvider(
  redirectUris: readonly string[],
  { authMethod, logoutUri }: Options = {},
): Promise<TestIdentityProvider> {
  const { Provider } = await import('oidc-provider');
  const server = createServer();
  const port = await listen(server);
  const issuer = `http://127.0.0.1:${port}`;
  const authorizations: Readonly<Record<string, unknown>>[] = [];
  const logoutErrors: unknown[] = [];
  const known = new Map<string, KnownPerson>();

  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: clientId,
        client_secret: clientSecret,
        redirect_uris: redirectUris,
        token_endpoint_auth_method: authMethod ?? 'client_secret_basic',
        ...(logoutUri !== undefined && {
          backchannel_logout_uri: logoutUri,
          backchannel_logout_session_required: true,
        }),
      },
    ],
    claims: {
      openid: ['sub'],
      email: ['email', 'email_verified', 'contact', 'contact_verified'],
      profile: ['name', 'preferred_username', 'groups'],
    },
    pkce: { required: () => true },
    features: { devInteractions: { enabled: false }, backchannelLogout: { enabled: logoutUri !== undefined } },
    jwks: { keys: [{ ...key.privateKey.export({ format: 'jwk' }), kid: keyId, use: 'sig' }] },
    // Servers of tests are on loopback, where the library sends nothing by itself.
    fetch: (url: string, options: object) =>
      fetch(url, Object.fromEntries(Object.entries(options).filter(([name]) => name !== 'dispatcher'))),
    cookies: { keys: ['for tests'] },
    interactions: { url: (_context: Context, { uid }: { uid: string }) => `/interaction/${uid}` },
    findAccount: (_context: Context, id: string) => ({
      accountId: id,
      claims: () => known.get(id) ?? { sub: id },
    }),
    async loadExistingGrant({ oidc: { session, client, params } }: Context) {
      const grant = new provider.Grant({ accountId: session.accountId, clientId: client.clientId });
      grant.addOIDCScope(String(params['scope']));
      await grant.save();
      return grant;
    },
  });
  provider.on('backchannel.error', (_context, error) => void logoutErrors.push(error));
  const handle = provider.callback();

  async function interact(request: IncomingMessage, response: ServerResponse): Promise<void> {
    authorizations.push((await provider.interactionDetails(request, response)).params);
    const { person } = running;
    if (person !== undefined) known.set(person.sub, person);
    const result =
      person === undefined
        ? { error: 'access_denied', error_description: 'Nobody is there.' }
        : { login: { accountId: person.sub, remember: false } };
    await provider.interactionFinished(request, response, result);
  }

  server.on('request', (request, response) => {
    if (running.intercept?.(request, response) === true) return;
    const isInteraction = request.url?.startsWith('/interaction/') === true;
    void (isInteraction ? interact(request, response) : handle(request, response));
  });

  const running: TestIdentityProvider = {
    issuer,
    clientId,
    clientSecret,
    person: undefined,
    authorizations,
    intercept: undefined,
    logoutErrors,
    async logOut(browser) {
      const asked = await browser.open(`${issuer}/session/end`);
      const [, xsrf = ''] = /name="xsrf" value="([^"]+)"/.exec(asked.html) ?? [];
      const done = await browser.submit({ ...asked, url: `${issuer}/session/end/confirm` }, { xsrf, logout: 'yes' });
      if (done.status !== 200) throw new Error(`The provider logs nobody out: ${done.status} ${done.html}`);
    },
    signToken: (claims, header = { alg: 'RS256', kid: keyId, typ: 'logout+jwt' }) =>
      signToken(key.privateKey, claims, header),
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
  return running;
}
