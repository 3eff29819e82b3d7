import { Type } from 'typebox';
import { MatrixError } from '../../../errors/matrix-error.ts';
import { networkKey } from '../../../services/rate-limit/rate-limiter.ts';
import { escapeHtml } from '../../../services/mail/message.ts';
import { rawBody } from '../../bytes.ts';
import { documentOf } from '../../document.ts';
import { endpoint } from '../../endpoint.ts';
import { htmlPage, page, type Page, reply } from '../../result.ts';
import { orProblem } from '../sso/pages.ts';
import { stepPage } from './pages.ts';
import { oauthPagesFromLink, oauthPath, verificationPath } from './paths.ts';
import { readParameters, readStorableForm } from './read-parameters.ts';
import type { OAuthServices } from './services.ts';

/** {@link https://www.rfc-editor.org/rfc/rfc8628#section-3.1} */
export const startDeviceGrant = endpoint(
  {
    method: 'POST',
    path: `${oauthPath}/device`,
    operationId: 'startDeviceGrant',
    summary: 'Begins to let a client in that has no browser.',
    auth: 'none',
    rateLimit: 'oauth-client',
    body: rawBody,
    response: Type.Object(
      {
        device_code: Type.String(),
        user_code: Type.String(),
        verification_uri: Type.String(),
        verification_uri_complete: Type.String(),
        expires_in: Type.Integer(),
        interval: Type.Integer(),
      },
      { title: 'DeviceGrant' },
    ),
  },
  ({ oauth }: OAuthServices) =>
    async ({ body, ip }) => {
      const answer = await oauth.deviceGrants.start(await readParameters(body), networkKey(ip));
      return reply(answer, { headers: { 'Cache-Control': 'no-store' } });
    },
);

const link = { path: verificationPath, auth: 'none', response: htmlPage } as const;

export const openDeviceLink = endpoint(
  {
    ...link,
    method: 'GET',
    operationId: 'openDeviceLink',
    summary: 'Asks somebody for the code that their device shows.',
    rateLimit: 'oauth-page',
    query: Type.Object({ user_code: Type.Optional(Type.String()) }),
  },
  ({ browserCookie }: OAuthServices) =>
    ({ query: { user_code: userCode = '' }, cookies, ip }) => {
      const { cookie } = browserCookie.readOrMake({ cookies, ip });
      return codePage(userCode, { cookie });
    },
);

export const submitDeviceLink = endpoint(
  {
    ...link,
    method: 'POST',
    operationId: 'submitDeviceLink',
    summary: 'Takes that code, and asks who they are.',
    rateLimit: 'oauth-user-code',
    body: rawBody,
  },
  (services: OAuthServices) =>
    async ({ body, cookies, ip }) => {
      const { oauth } = services;
      return orProblem(async () => {
        const userCode = (await readStorableForm(body)).get('user_code') ?? '';
        // The form of a page elsewhere comes without it: nobody gets past this page who has not seen it.
        if (services.browserCookie.read({ cookies, ip }) === undefined) return backToCodePage(userCode);
        try {
          const wish = await oauth.deviceGrants.findWish(userCode);
          const { browser, cookie } = services.browserCookie.readOrMake({ cookies, ip });
          const next = await oauth.authorization.ask(wish, false, browser);
          return stepPage(next, services, cookie, oauthPagesFromLink);
        } catch (error) {
          if (!(error instanceof MatrixError) || error.reason !== 'oauth.wrong-user-code') throw error;
          return codePage(userCode, { problem: error.message });
        }
      });
    },
);

/** "the server MUST display the `user_code`": what a link has filled in is there for people to compare. */
function codePage(userCode: string, { problem, cookie }: { problem?: string; cookie?: string }): Page {
  const content =
    '<p>A device that wants to get in to your account shows a code. Go on only if you have it before you.</p>\n' +
    (problem === undefined ? '' : `<p role="alert"><strong>${escapeHtml(problem)}</strong></p>\n`) +
    '<form method="post"><label>The code<br>' +
    `<input name="user_code" value="${escapeHtml(userCode.slice(0, 20))}" required maxlength="20" autocapitalize="characters" autocomplete="off"></label>\n` +
    '<p><button type="submit">Go on</button></p></form>';
  return page(documentOf('Log in a device', content), {
    ...(problem !== undefined && { status: 403 }),
    ...(cookie !== undefined && { cookie }),
  });
}

function backToCodePage(userCode: string): Page {
  const location = `link?${new URLSearchParams({ user_code: userCode.slice(0, 20) }).toString()}`;
  return page(documentOf('On the way', '<p>You are being led on.</p>'), { status: 302, location });
}
