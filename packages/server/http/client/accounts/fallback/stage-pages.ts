import type { FilledStage, StageStep } from '../../../../services/accounts/stage-fallback.ts';
import { escapeHtml } from '../../../../services/mail/message.ts';
import { documentOf } from '../../../document.ts';
import { page, type Page } from '../../../result.ts';

/** "This page must use the following JavaScript when the authentication has been completed" */
const script = `
if (window.onAuthDone) {
  window.onAuthDone();
} else if (window.opener && window.opener.postMessage) {
  window.opener.postMessage("authDone", "*");
}
`;

const email = '<label>Email address<br><input name="email" type="email" required autocomplete="email"></label>';
const password =
  '<label>Password<br><input name="password" type="password" required autocomplete="current-password"></label>';
const token = '<label>Registration token<br><input name="token" required maxlength="64" autocomplete="off"></label>';

const inputs: Readonly<Record<FilledStage, string>> = {
  'm.login.dummy': '<p>Nothing more is needed.</p>',
  'm.login.password': password,
  'm.login.registration_token': token,
  'm.login.email.identity': email,
};

/** {@link https://spec.matrix.org/v1.19/client-server-api/#fallback} */
export function stagePage(step: StageStep, session: string): Page {
  switch (step.kind) {
    case 'over':
      return page(documentOf('This does not work', '<p>Go back to where you came from, and begin again.</p>'), {
        status: 400,
      });
    case 'done':
      return donePage();
    case 'log-in-there':
      return page(documentOf('Authentication', `${whatIsWanted(step.wanted)}${waysOut(step, session)}`));
    case 'confirm': {
      const links = step.providers.length === 0 ? '' : waysOut(step, session);
      const byPassword = step.hasPassword ? form(step.problem, password) : '';
      return page(documentOf('Confirm what an app wants', `${whatIsWanted(step.wanted)}${links}${byPassword}`));
    }
    case 'ask':
      return page(documentOf('Authentication', form(step.problem, inputs[step.stage])));
    case 'follow-link': {
      const { sid, client_secret: secret } = step.credentials;
      const fields =
        '<p>An email is on its way. Follow its link, and then go on here.</p>' +
        `<input type="hidden" name="sid" value="${escapeHtml(sid)}">` +
        `<input type="hidden" name="client_secret" value="${escapeHtml(secret)}">`;
      return page(documentOf('Authentication', form(step.problem, fields)));
    }
    default:
      return step satisfies never;
  }
}

/** Tells the client that it can go on. */
export function donePage(): Page {
  const content = `<p>You can close this page.</p>\n<script>${script}</script>`;
  return page(documentOf('Thank you', content), { script });
}

/** Links, not forms: providers lead on to places that no policy for forms could name. */
function waysOut({ providers }: Extract<StageStep, { kind: 'log-in-there' | 'confirm' }>, session: string): string {
  const links = providers.map(({ id, name }) => {
    const address = `${confirmPath}/${encodeURIComponent(id)}?session=${encodeURIComponent(session)}`;
    return `<li><a href="${escapeHtml(address)}">Go on at ${escapeHtml(name)}</a></li>`;
  });
  return `<ul>${links.join('')}</ul>`;
}

function whatIsWanted(wanted: string): string {
  return (
    `<p>An app that is logged in to your account wants to ${escapeHtml(wanted)}. If that is not you, close this page. ` +
    'If it is, show who you are:</p>\n'
  );
}

/** From where this page is. */
const confirmPath = '../../../../../../../_portico/client/v1/sso/confirm';

function form(problem: string | undefined, fields: string): string {
  const said = problem === undefined ? '' : `<p role="alert"><strong>${escapeHtml(problem)}</strong></p>\n`;
  return `${said}<form method="post">${fields}<p><button type="submit">Continue</button></p></form>`;
}
