import { escapeHtml } from '../../../../services/mail/message.ts';
import type { OfferedProvider, Sso } from '../../../../services/sso/sso.ts';
import { documentOf } from '../../../document.ts';
import { endpoint } from '../../../endpoint.ts';
import { htmlPage, page } from '../../../result.ts';
import { loginScript } from './login-script.ts';

const form =
  '<form method="post">' +
  '<label>User name or email address<br><input name="user" required autocomplete="username"></label>' +
  '<label>Password<br><input name="password" type="password" required autocomplete="current-password"></label>' +
  '<p><button type="submit">Log in</button></p></form>\n' +
  '<p role="alert"></p>\n';

/** Where the links lead, the script knows: they name the page as it was opened. */
function waysOut(providers: readonly OfferedProvider[]): string {
  return providers
    .map(({ id, name }) => `<p><a data-provider="${escapeHtml(id)}">Log in with ${escapeHtml(name)}</a></p>\n`)
    .join('');
}

/** {@link https://spec.matrix.org/v1.19/client-server-api/#login-fallback} */
export const openLoginFallback = endpoint(
  {
    method: 'GET',
    path: '/_matrix/static/client/login/',
    operationId: 'openLoginFallback',
    summary: 'A page that logs in, for clients that know none of the ways to do it.',
    auth: 'none',
    response: htmlPage,
  },
  ({ sso }: { readonly sso: Sso | undefined }) => {
    const content = `${form}${waysOut(sso?.providers ?? [])}<script>${loginScript}</script>`;
    const loginPage = page(documentOf('Log in', content), { script: loginScript });
    return () => loginPage;
  },
);
