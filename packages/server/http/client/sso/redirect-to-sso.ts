import { Type } from 'typebox';
import { endpoint } from '../../endpoint.ts';
import { htmlPage } from '../../result.ts';
import { choicePage, departurePage, orProblem } from './pages.ts';
import { requireSso, type SsoServices } from './services.ts';

const query = Type.Object({ redirectUrl: Type.String(), action: Type.Optional(Type.String()) });
const intentOf = (action: string | undefined) => (action === 'register' ? 'register' : 'log-in');

export const redirectToSso = endpoint(
  {
    method: 'GET',
    path: '/_matrix/client/v3/login/sso/redirect',
    operationId: 'redirectToSSO',
    summary: "Redirect the user's browser to the SSO interface.",
    auth: 'none',
    rateLimit: 'sso',
    query,
    response: htmlPage,
  },
  (services: SsoServices) =>
    async ({ query: { redirectUrl, action }, cookies, ip }) => {
      const sso = requireSso(services.sso);
      return orProblem(async () => {
        const [first, ...more] = sso.providers;
        sso.checkRedirect(redirectUrl);
        if (first === undefined || more.length > 0) {
          const again = new URLSearchParams({ redirectUrl, ...(action !== undefined && { action }) });
          return choicePage(sso.providers, again.toString());
        }
        const { browser, cookie } = services.browserCookie.readOrMake({ cookies, ip });
        return departurePage(await sso.begin(first.id, redirectUrl, { intent: intentOf(action), browser }), cookie);
      });
    },
);

export const redirectToIdp = endpoint(
  {
    method: 'GET',
    path: '/_matrix/client/v3/login/sso/redirect/:idpId',
    operationId: 'redirectToIdP',
    summary: "Redirect the user's browser to the SSO interface for an IdP.",
    auth: 'none',
    rateLimit: 'sso',
    params: Type.Object({ idpId: Type.String() }),
    query,
    response: htmlPage,
  },
  (services: SsoServices) =>
    async ({ params: { idpId }, query: { redirectUrl, action }, cookies, ip }) => {
      const sso = requireSso(services.sso);
      return orProblem(async () => {
        const { browser, cookie } = services.browserCookie.readOrMake({ cookies, ip });
        return departurePage(await sso.begin(idpId, redirectUrl, { intent: intentOf(action), browser }), cookie);
      });
    },
);
