import { Type } from 'typebox';
import { rawBody } from '../../bytes.ts';
import { endpoint } from '../../endpoint.ts';
import { htmlPage } from '../../result.ts';
import { orProblem } from '../sso/pages.ts';
import { stepPage } from './pages.ts';
import { oauthPath } from './paths.ts';
import { readStorableForm } from './read-parameters.ts';
import type { OAuthServices } from './services.ts';

const step = {
  path: `${oauthPath}/consent`,
  auth: 'none',
  rateLimit: 'oauth-page',
  query: Type.Object({ request: Type.Optional(Type.String()) }),
  response: htmlPage,
} as const;

export const showOAuthConsent = endpoint(
  {
    ...step,
    method: 'GET',
    operationId: 'showOAuthConsent',
    summary: 'Asks somebody whether a client is to get in to their account.',
  },
  (services: OAuthServices) =>
    async ({ query: { request = '' }, cookies, ip }) => {
      const { oauth } = services;
      return orProblem(async () => {
        const browser = services.browserCookie.read({ cookies, ip });
        return stepPage(await oauth.authorization.showConsent(request, browser), services);
      });
    },
);

export const answerOAuthConsent = endpoint(
  {
    ...step,
    method: 'POST',
    operationId: 'answerOAuthConsent',
    summary: 'Lets a client in, or does not.',
    body: rawBody,
  },
  (services: OAuthServices) =>
    async ({ query: { request = '' }, body, cookies, ip }) => {
      const { oauth } = services;
      return orProblem(async () => {
        const isLetIn = (await readStorableForm(body)).get('answer') === 'yes';
        const browser = services.browserCookie.read({ cookies, ip });
        return stepPage(await oauth.authorization.answer(request, browser, isLetIn), services);
      });
    },
);
