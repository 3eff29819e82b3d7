import { Type } from 'typebox';
import { type EmailValidations, linkPath } from '../../../../services/third-party-ids/validations.ts';
import { endpoint } from '../../../endpoint.ts';
import { htmlPage } from '../../../result.ts';
import { askPage, donePage, overPage } from './link-pages.ts';

const link = {
  path: linkPath,
  auth: 'none',
  rateLimit: 'submit-token',
  // Whatever is wrong with a link is said on a page.
  query: Type.Object({ sid: Type.Optional(Type.String()), token: Type.Optional(Type.String()) }),
  response: htmlPage,
} as const;

type Services = { emailValidations: EmailValidations };

/** {@link https://spec.matrix.org/v1.19/identity-service-api/#get_matrixidentityv2validateemailsubmittoken} */
export const followEmailLink = endpoint(
  {
    ...link,
    method: 'GET',
    operationId: 'followEmailLink',
    summary: 'Proves that an email address belongs to whoever follows the link in an email, or asks whether it should.',
  },
  ({ emailValidations }: Services) =>
    async ({ query: { sid = '', token = '' } }) => {
      const followed = await emailValidations.follow(sid, token);
      if (followed?.purpose === 'reset' && !followed.isValidated) return askPage(followed);
      const confirmed = followed && (await emailValidations.confirm(sid, token));
      return confirmed === undefined ? overPage() : donePage(confirmed, 302);
    },
);

export const confirmEmailLink = endpoint(
  {
    ...link,
    method: 'POST',
    operationId: 'confirmEmailLink',
    summary: 'Proves that an email address belongs to whoever has followed the link in an email.',
  },
  ({ emailValidations }: Services) =>
    async ({ query: { sid = '', token = '' } }) => {
      const confirmed = await emailValidations.confirm(sid, token);
      return confirmed === undefined ? overPage() : donePage(confirmed, 303);
    },
);
