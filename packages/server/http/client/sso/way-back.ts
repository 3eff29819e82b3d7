import { Type } from 'typebox';
import { rawBody } from '../../bytes.ts';
import { endpoint } from '../../endpoint.ts';
import { htmlPage } from '../../result.ts';
import { readForm } from '../accounts/fallback/read-form.ts';
import { departurePage, orProblem, stepPage } from './pages.ts';
import { requireSso, type SsoServices } from './services.ts';

export const ssoPath = '/_portico/client/v1/sso';

const text = Type.Optional(Type.String());

/** {@link https://openid.net/specs/openid-connect-core-1_0.html#AuthResponse} */
export const takeSsoCallback = endpoint(
  {
    method: 'GET',
    path: `${ssoPath}/callback/:idpId`,
    operationId: 'takeSsoCallback',
    summary: 'Where a provider leads people back to who log in by way of it.',
    auth: 'none',
    rateLimit: 'sso',
    params: Type.Object({ idpId: Type.String() }),
    query: Type.Object({ state: text, code: text, iss: text, error: text }),
    response: htmlPage,
  },
  (services: SsoServices) =>
    async ({ params: { idpId }, query, cookies, ip }) => {
      const sso = requireSso(services.sso);
      return orProblem(async () => {
        const said = Object.entries(query).filter((entry): entry is [string, string] => entry[1] !== undefined);
        const answer = new URLSearchParams(said).toString();
        const step = await sso.takeBack(idpId, answer, services.browserCookie.read({ cookies, ip }));
        return stepPage(step, { providers: sso.providers, serverName: services.serverName });
      });
    },
);

const going = {
  path: `${ssoPath}/continue`,
  auth: 'none',
  rateLimit: 'sso',
  query: Type.Object({ login: text }),
  response: htmlPage,
} as const;

export const showSsoQuestion = endpoint(
  {
    ...going,
    method: 'GET',
    operationId: 'showSsoQuestion',
    summary: 'Asks somebody who is back from a provider what they want to be called, or whether to go on.',
  },
  (services: SsoServices) =>
    async ({ query: { login = '' }, cookies, ip }) => {
      const sso = requireSso(services.sso);
      return orProblem(async () => {
        const step = await sso.show(login, services.browserCookie.read({ cookies, ip }));
        return stepPage(step, { providers: sso.providers, serverName: services.serverName });
      });
    },
);

export const answerSsoQuestion = endpoint(
  {
    ...going,
    method: 'POST',
    operationId: 'answerSsoQuestion',
    summary: 'Goes on with what that page has asked.',
    body: rawBody,
  },
  (services: SsoServices) =>
    async ({ query: { login = '' }, body, cookies, ip }) => {
      const sso = requireSso(services.sso);
      return orProblem(async () => {
        const name = (await readForm(body)).get('username') ?? undefined;
        const step = await sso.goOn(login, services.browserCookie.read({ cookies, ip }), name);
        return stepPage(step, { providers: sso.providers, serverName: services.serverName });
      });
    },
);

export const confirmBySso = endpoint(
  {
    method: 'GET',
    path: `${ssoPath}/confirm/:idpId`,
    operationId: 'confirmBySso',
    summary: 'Leads to a provider, to show there who is confirming what an app wants.',
    auth: 'none',
    rateLimit: 'sso',
    params: Type.Object({ idpId: Type.String() }),
    query: Type.Object({ session: text }),
    response: htmlPage,
  },
  (services: SsoServices) =>
    async ({ params: { idpId }, query: { session = '' }, cookies, ip }) => {
      const sso = requireSso(services.sso);
      return orProblem(async () => {
        const { browser, cookie } = services.browserCookie.readOrMake({ cookies, ip });
        return departurePage(await sso.beginConfirming(idpId, session, browser), cookie);
      });
    },
);
