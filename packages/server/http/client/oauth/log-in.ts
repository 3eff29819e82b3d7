import { Type } from 'typebox';
import { rawBody } from '../../bytes.ts';
import { endpoint } from '../../endpoint.ts';
import { htmlPage } from '../../result.ts';
import { clientWellKnown } from '../discovery/base-url.ts';
import { departurePage, orProblem } from '../sso/pages.ts';
import { requireSso } from '../sso/services.ts';
import { stepPage } from './pages.ts';
import { oauthPath } from './paths.ts';
import { readStorableForm } from './read-parameters.ts';
import type { OAuthServices } from './services.ts';

const text = Type.Optional(Type.String());

/** {@link https://spec.matrix.org/v1.19/client-server-api/#authorisation-code-grant} */
export const authorizeOAuthClient = endpoint(
  {
    method: 'GET',
    path: `${oauthPath}/authorize`,
    operationId: 'authorizeOAuthClient',
    summary: 'Where a client opens a browser, for somebody to log in to it.',
    auth: 'none',
    rateLimit: 'oauth-page',
    query: Type.Object({
      client_id: text,
      redirect_uri: text,
      response_type: text,
      response_mode: text,
      scope: text,
      state: text,
      code_challenge: text,
      code_challenge_method: text,
      prompt: text,
    }),
    response: htmlPage,
  },
  (services: OAuthServices) =>
    async ({ query, cookies, ip }) => {
      const { oauth } = services;
      return orProblem(async () => {
        const { browser, cookie } = services.browserCookie.readOrMake({ cookies, ip });
        return stepPage(await oauth.authorization.begin(query, browser), services, cookie);
      });
    },
);

const step = {
  auth: 'none',
  query: Type.Object({ request: text }),
  response: htmlPage,
} as const;

export const showOAuthLogin = endpoint(
  {
    ...step,
    method: 'GET',
    path: `${oauthPath}/login`,
    operationId: 'showOAuthLogin',
    summary: 'Asks somebody who they are.',
    rateLimit: 'oauth-page',
  },
  (services: OAuthServices) =>
    async ({ query: { request = '' }, cookies, ip }) => {
      const { oauth } = services;
      return orProblem(async () => {
        const browser = services.browserCookie.read({ cookies, ip });
        return stepPage(await oauth.authorization.showLogin(request, browser), services);
      });
    },
);

export const answerOAuthLogin = endpoint(
  {
    ...step,
    method: 'POST',
    path: `${oauthPath}/login`,
    operationId: 'answerOAuthLogin',
    summary: 'Takes a user name and a password.',
    rateLimit: 'login',
    body: rawBody,
  },
  (services: OAuthServices) =>
    async ({ query: { request = '' }, body, cookies, ip }) => {
      const { oauth } = services;
      return orProblem(async () => {
        const form = await readStorableForm(body);
        const given = { user: form.get('user')?.trim() ?? '', password: form.get('password') ?? '' };
        const { browser, cookie } = services.browserCookie.readOrMake({ cookies, ip });
        return stepPage(await oauth.authorization.logIn(request, browser, given), services, cookie);
      });
    },
);

export const leaveForProvider = endpoint(
  {
    ...step,
    method: 'GET',
    path: `${oauthPath}/provider/:idpId`,
    operationId: 'leaveForProvider',
    summary: 'Leads somebody to another service, to log in by way of it.',
    rateLimit: 'sso',
    params: Type.Object({ idpId: Type.String() }),
    query: Type.Object({ request: text, action: text }),
  },
  (services: OAuthServices) =>
    async ({ params: { idpId }, query: { request = '', action }, cookies, ip }) => {
      const { oauth } = services;
      const sso = requireSso(services.sso);
      return orProblem(async () => {
        const { browser, cookie } = services.browserCookie.readOrMake({ cookies, ip });
        await oauth.requests.find(request, browser, 'log-in');
        const base = clientWellKnown(services.discovery)['m.homeserver'].base_url;
        const back = `${base}${oauthPath}/back?request=${encodeURIComponent(request)}`;
        const intent = action === 'register' ? 'register' : 'log-in';
        return departurePage(await sso.begin(idpId, back, { intent, browser }), cookie);
      });
    },
);

export const comeBackFromProvider = endpoint(
  {
    ...step,
    method: 'GET',
    path: `${oauthPath}/back`,
    operationId: 'comeBackFromProvider',
    summary: 'Where somebody is led back to who has logged in by way of another service.',
    rateLimit: 'sso',
    query: Type.Object({ request: text, loginToken: text }),
  },
  (services: OAuthServices) =>
    async ({ query: { request = '', loginToken = '' }, cookies, ip }) => {
      const { oauth } = services;
      return orProblem(async () => {
        const { browser, cookie } = services.browserCookie.readOrMake({ cookies, ip });
        return stepPage(await oauth.authorization.logInByToken(request, browser, loginToken), services, cookie);
      });
    },
);
