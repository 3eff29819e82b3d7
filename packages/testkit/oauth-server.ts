import { createHash, randomBytes } from 'node:crypto';
import { type CookieBrowser, createCookieBrowser, type Shown } from './cookie-browser.ts';
import { freePort } from './server-process.ts';
import { startTestServer, type TestServer } from './server.ts';
import type { TestClient } from './test-client.ts';

export const oauthPath = '/_portico/client/v1/oauth';

/** Where clients of tests are: nobody listens there. */
export const appUri = 'https://app.test/';
export const callback = 'https://app.test/callback';

export type Fields = Readonly<Record<string, string>>;
export type TokenReply = { readonly status: number; readonly body: Record<string, unknown>; readonly headers: Headers };

export type OAuthServer = {
  readonly server: TestServer;
  readonly base: string;
  /** A browser that goes no further than to a client. */
  newBrowser(): CookieBrowser;
  /** Registers a client; answers its ID. */
  registerClient(metadata?: Readonly<Record<string, unknown>>): Promise<string>;
  /** Sends a form as clients do. */
  post(path: string, fields: Fields | URLSearchParams): Promise<TokenReply>;
  /** What a client that begins anew asks a browser to open, and what it keeps for itself. */
  newRequest(clientId: string, changes?: Readonly<Record<string, string | undefined>>): AuthorizationRequest;
  /** Fills in the login page and the question after it; answers where the browser is led. */
  letIn(browser: CookieBrowser, url: string, user: string, answer?: 'yes' | 'no'): Promise<Shown>;
  /** What the address of a client says in the end. */
  parametersOf(shown: Shown): URLSearchParams;
  redeem(request: AuthorizationRequest, code: string, changes?: Fields): Promise<TokenReply>;
  /** The whole way of somebody with the usual password. */
  logIn(user: string, clientId?: string, deviceId?: string): Promise<OAuthSession>;
  close(): Promise<void>;
};

export type AuthorizationRequest = {
  readonly url: string;
  readonly clientId: string;
  readonly deviceId: string;
  readonly verifier: string;
  readonly state: string;
};

export type OAuthSession = { readonly client: TestClient; readonly clientId: string; readonly refreshToken: string };

type Options = {
  readonly engine?: 'sqlite' | 'postgres';
  readonly settings?: Readonly<Record<string, string>>;
  readonly now?: () => number;
  /** Instead of a server of its own. */
  readonly of?: { readonly server: TestServer; readonly base: string };
};

export const scopeOf = (deviceId: string): string => `urn:matrix:client:api:* urn:matrix:client:device:${deviceId}`;

/** A server that lets clients in as OAuth 2.0 has it. */
export async function startOAuthServer(options: Options = {}): Promise<OAuthServer> {
  const { server, base } = options.of ?? (await startServer(options));

  const newBrowser = (): CookieBrowser => createCookieBrowser((url) => !url.startsWith(base));
  async function post(path: string, fields: Fields | URLSearchParams): Promise<TokenReply> {
    const response = await fetch(path.startsWith('/') ? base + path : path, {
      method: 'POST',
      body: new URLSearchParams(fields),
    });
    if (response.headers.get('access-control-allow-origin') !== '*') throw new Error('An answer without CORS headers');
    const body = (await response.json()) as TokenReply['body'];
    return { status: response.status, body, headers: response.headers };
  }
  async function registerClient(metadata = {}): Promise<string> {
    const { status, body } = await server.anonymous.post(`${oauthPath}/clients`, {
      client_name: 'An App',
      client_uri: appUri,
      redirect_uris: [callback],
      grant_types: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
      ...metadata,
    });
    if (status !== 201) throw new Error(`The client was refused: ${JSON.stringify(body)}`);
    return String(body['client_id']);
  }
  const newRequest: OAuthServer['newRequest'] = (clientId, changes = {}) => {
    const deviceId = `DEV${randomBytes(4).toString('hex')}`;
    const verifier = randomBytes(48).toString('base64url');
    const state = randomBytes(9).toString('base64url');
    const query = {
      response_type: 'code',
      response_mode: 'fragment',
      client_id: clientId,
      redirect_uri: callback,
      scope: scopeOf(deviceId),
      state,
      code_challenge: createHash('sha256').update(verifier).digest('base64url'),
      code_challenge_method: 'S256',
      ...changes,
    };
    const said = Object.entries(query).filter((entry): entry is [string, string] => entry[1] !== undefined);
    const url = `${base}${oauthPath}/authorize?${new URLSearchParams(said).toString()}`;
    return { url, clientId, deviceId, verifier, state };
  };
  const letIn: OAuthServer['letIn'] = async (browser, url, user, answer = 'yes') => {
    const asked = await browser.submit(await browser.open(url), { user, password: 'a password' });
    return browser.submit(asked, { answer });
  };
  function parametersOf(shown: Shown): URLSearchParams {
    if (shown.status !== 0) throw new Error(`Nobody is led to a client by ${shown.url}: ${shown.status} ${shown.html}`);
    const { hash, search } = new URL(shown.url);
    return new URLSearchParams(hash === '' ? search : hash.slice(1));
  }
  const redeem: OAuthServer['redeem'] = ({ clientId, verifier }, code, changes = {}) =>
    post(`${oauthPath}/token`, {
      grant_type: 'authorization_code',
      code,
      redirect_uri: callback,
      client_id: clientId,
      code_verifier: verifier,
      ...changes,
    });
  return {
    server,
    base,
    newBrowser,
    registerClient,
    post,
    newRequest,
    letIn,
    parametersOf,
    redeem,
    async logIn(user, given, deviceId) {
      const clientId = given ?? (await registerClient());
      const request = newRequest(clientId, deviceId === undefined ? {} : { scope: scopeOf(deviceId) });
      const code = parametersOf(await letIn(newBrowser(), request.url, user)).get('code') ?? '';
      const { status, body } = await redeem(request, code);
      if (status !== 200) throw new Error(`The code was refused: ${JSON.stringify(body)}`);
      const client = server.as({
        userId: user,
        deviceId: deviceId ?? request.deviceId,
        accessToken: String(body['access_token']),
      });
      return { client, clientId, refreshToken: String(body['refresh_token']) };
    },
    close: () => server.close(),
  };
}

async function startServer({ engine, settings, now }: Options): Promise<{ server: TestServer; base: string }> {
  const port = await freePort();
  const base = `http://127.0.0.1:${port}`;
  const server = await startTestServer({
    ...(engine && { engine }),
    ...(now && { now }),
    settings: {
      LISTENERS: JSON.stringify([{ address: '127.0.0.1', port, serve: ['client', 'admin', 'web'] }]),
      PUBLIC_BASE_URL: base,
      OAUTH_ENABLED: 'true',
      ...settings,
    },
  });
  return { server, base };
}
