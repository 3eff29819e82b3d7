import type { Configuration } from 'openid-client';
import type { Logger } from '../../observability/logger.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import type { Outbound } from '../outbound/outbound.ts';
import type { IdentityProvider } from '../../config/identity-provider.ts';
import { checkLoggedInAnew } from './logged-in-anew.ts';
import { createLogoutTokens, type LogoutToken } from './logout-tokens.ts';
import { describeFailure, isErrorCode, WrongAnswer } from './provider-failure.ts';
import { checkEndpoint, createProviderFetch } from './provider-fetch.ts';
import { isSubject, parseSessionId } from './provider-names.ts';

/** What only the browser that began a login, and the provider, can know. */
export type Proof = { readonly state: string; readonly nonce: string; readonly verifier: string };

export type Claims = Readonly<Record<string, unknown>> & {
  readonly sub: string;
  /** Of the ID token alone: what the provider calls the session that it has with the person. */
  readonly sid: string | undefined;
};

/** What the person is there for: it changes what a provider shows first, where it knows the difference. */
export type Intent = 'log-in' | 'register' | 'confirm';

/** A provider, asked by the code flow of OpenID Connect with PKCE. Throws `sso.provider-failed`. */
export interface OidcClient {
  readonly provider: IdentityProvider;
  /** Where the browser goes, so that somebody says there who they are. */
  authorizationUrl(proof: Proof, intent: Intent): Promise<string>;
  /**
   * Who came back with an answer, its query as it came. Throws `sso.denied` where the provider has let nobody in, and
   * `sso.not-anew` where they have not logged in there `since` then, in milliseconds.
   */
  redeem(query: string, proof: Proof, since?: number): Promise<Claims>;
  /** Whom the provider has logged out. Throws `sso.bad-logout-token`. */
  readLogoutToken(token: string): Promise<LogoutToken>;
}

type Dependencies = {
  readonly provider: IdentityProvider;
  /** Where the provider leads back to: an address of its own, so that no provider can pass on what another one said. */
  readonly callbackUrl: string;
  readonly outbound: Outbound;
  readonly log: Logger;
  readonly now: () => number;
};

/** How long it is believed what a provider said about itself. */
const knownFor = 60 * 60 * 1000;
const askedAnewAfter = 60 * 1000;

export function createOidcClient({ provider, callbackUrl, outbound, log, now }: Dependencies): OidcClient {
  const issuer = new URL(provider.issuer);
  const ask = createProviderFetch(outbound, issuer);
  const logoutTokens = createLogoutTokens({ provider, ask, log, now });
  let known: { readonly configuration: Promise<Configuration>; readonly since: number } | undefined;

  async function discover(): Promise<Configuration> {
    const oidc = await import('openid-client');
    const { clientId, clientSecret } = provider;
    const secret = clientSecret === undefined ? {} : { client_secret: clientSecret };
    const configuration = await oidc.discovery(issuer, clientId, secret, clientAuthentication, {
      [oidc.customFetch]: ask,
      timeout: 10,
      execute: [
        // Whatever brought it here, an ID token has to be signed.
        oidc.enableNonRepudiationChecks,
        ...(issuer.protocol === 'http:' ? [oidc.allowInsecureRequests] : []),
      ],
    });
    const metadata = configuration.serverMetadata();
    // The library lets some providers speak for others: whoever they are for all of them, they are not the one that was meant.
    if (URL.parse(metadata.issuer)?.href !== issuer.href) throw new WrongAnswer('WRONG_ISSUER');
    checkEndpoint(metadata.authorization_endpoint ?? '', issuer);
    return configuration;

    function clientAuthentication(...request: Parameters<ReturnType<typeof oidc.None>>): void {
      const [{ token_endpoint_auth_methods_supported: methods = ['client_secret_basic'] }] = request;
      if (clientSecret === undefined) oidc.None()(...request);
      else if (methods.includes('client_secret_basic')) oidc.ClientSecretBasic(clientSecret)(...request);
      else oidc.ClientSecretPost(clientSecret)(...request);
    }
  }

  function configure(): Promise<Configuration> {
    if (known !== undefined && known.since + knownFor > now()) return known.configuration;
    const entry = { configuration: discover(), since: now() };
    known = entry;
    entry.configuration.catch(() => {
      if (known === entry) known = undefined;
    });
    return entry.configuration;
  }

  function failed(error: unknown, what = 'a login by way of another service failed'): MatrixError {
    if (error instanceof MatrixError) return error;
    log.warn({ provider: provider.id, ...describeFailure(error) }, what);
    // It may come of what the provider has changed meanwhile: that is asked anew, but not each time that somebody fails.
    if (known !== undefined && known.since + askedAnewAfter <= now()) known = undefined;
    return new MatrixError('sso.provider-failed');
  }

  return {
    provider,
    async authorizationUrl({ state, nonce, verifier }, intent) {
      try {
        const configuration = await configure();
        const oidc = await import('openid-client');
        const url = oidc.buildAuthorizationUrl(configuration, {
          redirect_uri: callbackUrl,
          scope: provider.scopes.join(' '),
          state,
          nonce,
          code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
          code_challenge_method: 'S256',
          ...askingFor(intent, configuration),
        });
        return url.href;
      } catch (error) {
        throw failed(error);
      }
    },
    async redeem(query, { state, nonce, verifier }, since) {
      // What the provider said of itself is not forgotten between the two, or only that it changed.
      const denied = new URLSearchParams(query).get('error');
      if (denied !== null) {
        const said = isErrorCode(denied) ? denied : 'unknown';
        log.info({ provider: provider.id, said }, 'a provider let nobody in');
        throw new MatrixError('sso.denied');
      }
      try {
        const configuration = await configure();
        const oidc = await import('openid-client');
        const url = new URL(`${callbackUrl}?${query}`);
        const tokens = await oidc.authorizationCodeGrant(configuration, url, {
          expectedState: state,
          expectedNonce: nonce,
          pkceCodeVerifier: verifier,
          idTokenExpected: true,
        });
        const claims = tokens.claims();
        if (claims === undefined || !isSubject(claims.sub)) throw new WrongAnswer('WRONG_SUBJECT');
        const { userinfo_endpoint: userInfo, claims_supported: claimsSupported } = configuration.serverMetadata();
        if (since !== undefined) checkLoggedInAnew({ authTime: claims.auth_time, claimsSupported }, since);
        const sid = parseSessionId(claims['sid']);
        if (userInfo === undefined) return { ...claims, sid };
        const said = await oidc.fetchUserInfo(configuration, tokens.access_token, claims.sub);
        return { ...claims, ...said, sid };
      } catch (error) {
        throw failed(error);
      }
    },
    async readLogoutToken(token) {
      try {
        return await logoutTokens.read(token, (await configure()).serverMetadata());
      } catch (error) {
        throw failed(error, 'a logout by another service failed');
      }
    },
  };
}

/** `max_age` as well: it has the provider say when they have logged in. */
function askingFor(intent: Intent, configuration: Configuration): Record<string, string> {
  if (intent === 'confirm') return { prompt: 'login', max_age: '0' };
  const { prompt_values_supported: supported } = configuration.serverMetadata();
  return intent === 'register' && Array.isArray(supported) && supported.includes('create') ? { prompt: 'create' } : {};
}
