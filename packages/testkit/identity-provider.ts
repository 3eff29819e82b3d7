import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Context } from 'oidc-provider';

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
  close(): Promise<void>;
};

const clientId = 'portico';
const clientSecret = 'a secret that the provider and the server share';

function listen(server: Server): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port));
  });
}

/** A real OpenID provider on loopback, at which people log in by being there. */
export async function startIdentityProvider(
  redirectUris: readonly string[],
  options: { readonly authMethod?: string } = {},
): Promise<TestIdentityProvider> {
  const { Provider } = await import('oidc-provider');
  const server = createServer();
  const port = await listen(server);
  const issuer = `http://127.0.0.1:${port}`;
  const authorizations: Readonly<Record<string, unknown>>[] = [];
  const known = new Map<string, KnownPerson>();

  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: clientId,
        client_secret: clientSecret,
        redirect_uris: redirectUris,
        token_endpoint_auth_method: options.authMethod ?? 'client_secret_basic',
      },
    ],
    claims: {
      openid: ['sub'],
      email: ['email', 'email_verified', 'contact', 'contact_verified'],
      profile: ['name', 'preferred_username', 'groups'],
    },
    pkce: { required: () => true },
    features: { devInteractions: { enabled: false } },
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
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
  return running;
}
