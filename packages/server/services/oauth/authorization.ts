import type { Database, WriteSet } from '@portico/storage';
import type { ProviderSession } from '@portico/storage/stores/accounts/provider-sessions.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import { isGuardFailure } from '../accounts/guards.ts';
import type { Login } from '../accounts/login.ts';
import type { AppServices } from '../appservices/app-services.ts';
import { redeemLoginToken } from '../accounts/redeem-login-token.ts';
import { requireOpenAccount } from '../sso/standing.ts';
import { type AuthorizationQuery, readAuthorizationRequest } from './authorization-request.ts';
import type { OAuthClients } from './clients.ts';
import type { Consents } from './consents.ts';
import type { OAuthRequests } from './requests.ts';
import type { BackToClient, OAuthStep } from './steps.ts';
import { showClient, type Wish } from './wish.ts';
import type { Browser } from '../sso/browser.ts';

/**
 * The way of a person through the pages: who they are, and whether they let the client in. Each step belongs to the browser that
 * began, by a secret that it keeps in a cookie.
 */
export interface Authorization {
  /** Throws `oauth.unknown-client` and `oauth.bad-redirect`. */
  begin(query: AuthorizationQuery, browser: Browser): Promise<OAuthStep | BackToClient>;
  /** Begins with what a client wants that has said so elsewhere. */
  ask(wish: Wish, wantsAccount: boolean, browser: Browser): Promise<OAuthStep>;
  showLogin(request: string, browser: Browser | undefined): Promise<OAuthStep>;
  logIn(request: string, browser: Browser | undefined, given: Credentials): Promise<OAuthStep>;
  /** They have logged in by way of another service, which has led them back with a token of this server. */
  logInByToken(request: string, browser: Browser | undefined, token: string): Promise<OAuthStep>;
  showConsent(request: string, browser: Browser | undefined): Promise<OAuthStep>;
  answer(request: string, browser: Browser | undefined, isLetIn: boolean): Promise<OAuthStep>;
}

export type Credentials = { readonly user: string; readonly password: string };

type Dependencies = {
  readonly db: Database;
  readonly clients: OAuthClients;
  readonly requests: OAuthRequests;
  readonly consents: Consents;
  readonly login: Login;
  readonly appServices: Pick<AppServices, 'ownsUser'>;
  readonly issuer: string;
  readonly newDeviceId: () => string;
  /** Whether people can make accounts here, be it by way of another service. */
  readonly offersAccounts: boolean;
  readonly now: () => number;
};

export function createAuthorization(dependencies: Dependencies): Authorization {
  const { db, clients, requests, consents, login, appServices, issuer, newDeviceId, offersAccounts, now } =
    dependencies;

  async function ask(wish: Wish, wantsAccount: boolean, browser: Browser): Promise<OAuthStep> {
    const isNew = wantsAccount && offersAccounts;
    const request = await requests.start({ step: 'log-in', wish, wantsAccount: isNew }, browser);
    return { kind: 'go-on', page: isNew ? 'register' : 'login', request };
  }

  async function showLogin(request: string, browser: Browser | undefined): Promise<OAuthStep & { kind: 'log-in' }> {
    const { asked } = await requests.find(request, browser, 'log-in');
    const client = await clients.find(asked.wish.clientId);
    if (client === undefined) throw new MatrixError('oauth.unknown-client');
    return { kind: 'log-in', client: showClient(client), request, offersAccounts };
  }

  /** They are somebody: asks them whether the client is to get in. */
  async function enter(request: string, by: Browser | undefined, who: Who): Promise<OAuthStep> {
    const { asked, browser, useUp } = await requests.find(request, by, 'log-in');
    const { userId, cameWith, also } = await who();
    await requireOpenAccount(db, userId);
    if (appServices.ownsUser(userId)) throw new MatrixError('oauth.not-a-person');
    const next = {
      step: 'consent',
      wish: asked.wish,
      userId,
      ...(cameWith !== undefined && { cameWith }),
    } as const;
    const consent = await requests.start(next, browser, (set) => {
      useUp(set);
      also?.(set);
    });
    return { kind: 'go-on', page: 'consent', request: consent };
  }

  async function checkPassword({ user, password }: Credentials) {
    const identifier =
      user.indexOf('@') > 0 ? { type: 'm.id.thirdparty', medium: 'email', address: user } : { type: 'm.id.user', user };
    const userId = (await login.findUser({ identifier })) ?? '';
    return { userId, also: await login.checkPassword(userId, password) };
  }

  return {
    ask,
    showLogin,
    async begin(query, browser) {
      const client = query.client_id === undefined ? undefined : await clients.find(query.client_id);
      if (client === undefined) throw new MatrixError('oauth.unknown-client');
      const decision = readAuthorizationRequest(client, query, { issuer, newDeviceId });
      if (decision.kind === 'ok') return ask(decision.wish, decision.wantsAccount, browser);
      return { kind: 'back', client: showClient(client), problem: decision.message, to: decision.to };
    },
    async logIn(request, browser, given) {
      try {
        return await enter(request, browser, () => checkPassword(given));
      } catch (error) {
        if (isGuardFailure(error, 'password.changed')) {
          return { ...(await showLogin(request, browser)), problem: new MatrixError('login.forbidden').message };
        }
        if (!(error instanceof MatrixError) || error.reason !== 'login.forbidden') throw error;
        return { ...(await showLogin(request, browser)), problem: error.message };
      }
    },
    logInByToken: (request, browser, token) =>
      enter(request, browser, async () => {
        const { userId, cameWith, useUp: also } = await redeemLoginToken({ db, now }, token);
        return { userId, cameWith, also };
      }),
    async showConsent(request, browser) {
      return consents.show((await requests.find(request, browser, 'consent')).asked);
    },
    async answer(request, browser, isLetIn) {
      const { asked, useUp } = await requests.find(request, browser, 'consent');
      return consents.answer(asked, useUp, isLetIn);
    },
  };
}

type Who = () => Promise<{
  readonly userId: string;
  readonly cameWith?: ProviderSession | undefined;
  readonly also?: (set: WriteSet) => void;
}>;
