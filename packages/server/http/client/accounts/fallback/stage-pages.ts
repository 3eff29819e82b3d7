import type { StageStep } from '../../../../services/accounts/stage-fallback.ts';
import type { Stage } from '../../../../services/accounts/uia.ts';
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

const inputs: Readonly<Record<Stage, string>> = {
  'm.login.dummy': '<p>Nothing more is needed.</p>',
  'm.login.password': password,
  'm.login.registration_token': token,
  'm.login.email.identity': email,
};

/** {@link https://spec.matrix.org/v1.19/client-server-api/#fallback} */
export function stagePage(step: StageStep): Page {
  switch (step.kind) {
    case 'over':
      return page(documentOf('This does not work', '<p>Go back to where you came from, and begin again.</p>'), {
        status: 400,
      });
    case 'done': {
      const content = `<p>You can close this page.</p>\n<script>${script}</script>`;
      return page(documentOf('Thank you', content), { script });
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

function form(problem: string | undefined, fields: string): string {
  const said = problem === undefined ? '' : `<p role="alert"><strong>${escapeHtml(problem)}</strong></p>\n`;
  return `${said}<form method="post">${fields}<p><button type="submit">Continue</button></p></form>`;
}
