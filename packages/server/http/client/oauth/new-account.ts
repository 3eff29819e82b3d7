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
  path: `${oauthPath}/register`,
  auth: 'none',
  query: Type.Object({ request: Type.Optional(Type.String()) }),
  response: htmlPage,
} as const;

/** {@link https://spec.matrix.org/v1.19/client-server-api/#user-registration} */
export const showNewAccount = endpoint(
  {
    ...step,
    method: 'GET',
    operationId: 'showNewAccount',
    summary: 'Asks somebody who is new what they want to be called, and what else an account takes.',
    rateLimit: 'oauth-page',
  },
  (services: OAuthServices) =>
    async ({ query: { request = '' }, cookies, ip }) => {
      const { oauth } = services;
      return orProblem(async () => {
        const browser = services.browserCookie.read({ cookies, ip });
        return stepPage(await oauth.newAccounts.show(request, browser), services);
      });
    },
);

export const makeNewAccount = endpoint(
  {
    ...step,
    method: 'POST',
    operationId: 'makeNewAccount',
    summary: 'Makes an account, or goes on with it.',
    rateLimit: 'register',
    body: rawBody,
  },
  (services: OAuthServices) =>
    async ({ query: { request = '' }, body, cookies, ip }) => {
      const { oauth } = services;
      return orProblem(async () => {
        const form = await readStorableForm(body);
        const field = (name: string): string | undefined => form.get(name) ?? undefined;
        const { browser, cookie } = services.browserCookie.readOrMake({ cookies, ip });
        const next = await oauth.newAccounts.submit(request, browser, {
          username: field('username')?.trim(),
          password: field('password'),
          again: field('again'),
          token: field('token'),
          email: field('email'),
          sid: field('sid'),
          client_secret: field('client_secret'),
        });
        return stepPage(next, services, cookie);
      });
    },
);
