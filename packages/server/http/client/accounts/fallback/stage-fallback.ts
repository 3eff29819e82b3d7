import { Type } from 'typebox';
import type { StageFallback } from '../../../../services/accounts/stage-fallback.ts';
import { rawBody } from '../../../bytes.ts';
import { endpoint } from '../../../endpoint.ts';
import { htmlPage } from '../../../result.ts';
import { readForm } from './read-form.ts';
import { stagePage } from './stage-pages.ts';

const fallback = {
  path: '/_matrix/client/v3/auth/:authType/fallback/web',
  auth: 'none',
  params: Type.Object({ authType: Type.String() }),
  query: Type.Object({ session: Type.Optional(Type.String()) }),
  response: htmlPage,
} as const;

type Services = { stageFallback: StageFallback };

export const openStageFallback = endpoint(
  {
    ...fallback,
    method: 'GET',
    operationId: 'openStageFallback',
    summary: 'A page for a stage of user-interactive authentication that a client does not know.',
    rateLimit: 'probe-name',
  },
  ({ stageFallback }: Services) =>
    async ({ params, query: { session = '' } }) =>
      stagePage(await stageFallback.open(session, params.authType), session),
);

export const submitStageFallback = endpoint(
  {
    ...fallback,
    method: 'POST',
    operationId: 'submitStageFallback',
    summary: 'Takes what was filled in on that page.',
    rateLimit: 'login',
    body: rawBody,
  },
  ({ stageFallback }: Services) =>
    async ({ params, query: { session = '' }, body }) => {
      const form = await readForm(body);
      const field = (name: string) => form.get(name) ?? undefined;
      const step = await stageFallback.submit(session, params.authType, {
        password: field('password'),
        token: field('token'),
        email: field('email'),
        sid: field('sid'),
        client_secret: field('client_secret'),
      });
      return stagePage(step, session);
    },
);
