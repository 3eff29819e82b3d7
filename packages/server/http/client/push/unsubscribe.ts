import { Type } from 'typebox';
import { escapeHtml } from '../../../services/mail/message.ts';
import { type Unsubscribe, unsubscribePath } from '../../../services/push/unsubscribe.ts';
import { endpoint } from '../../endpoint.ts';
import { documentOf } from '../../document.ts';
import { htmlPage, page } from '../../result.ts';

const link = {
  path: unsubscribePath,
  auth: 'none',
  rateLimit: 'submit-token',
  query: Type.Object({ token: Type.Optional(Type.String()) }),
  response: htmlPage,
} as const;

type Services = { unsubscribe: Unsubscribe };

const wrongPage = () =>
  page(documentOf('This link does not work', '<p>It is not complete: copy all of it.</p>'), { status: 400 });

export const askToUnsubscribe = endpoint(
  {
    ...link,
    method: 'GET',
    operationId: 'askToUnsubscribe',
    summary: 'Asks whoever follows the link in an email notification whether they want no more of them.',
  },
  ({ unsubscribe }: Services) =>
    async ({ query: { token = '' } }) => {
      const address = unsubscribe.addressOf(token);
      if (address === undefined) return wrongPage();
      // Programs that look into emails follow links, and press no buttons.
      const content =
        `<p>${escapeHtml(address)} will not be written to any more about what is unread.</p>\n` +
        '<form method="post"><button type="submit">Write no more</button></form>';
      return page(documentOf('No more email notifications?', content));
    },
);

/** The form of the page, or a program that shows mail: {@link https://www.rfc-editor.org/rfc/rfc8058} */
export const unsubscribe = endpoint(
  {
    ...link,
    method: 'POST',
    operationId: 'unsubscribe',
    summary: 'Ends the email notifications that a link is about.',
  },
  ({ unsubscribe }: Services) =>
    async ({ query: { token = '' } }) => {
      const address = unsubscribe.addressOf(token);
      if (address === undefined) return wrongPage();
      await unsubscribe.end(token);
      const content = `<p>${escapeHtml(address)} is not written to any more. You can turn this on again in your client.</p>`;
      return page(documentOf('No more email notifications', content));
    },
);
