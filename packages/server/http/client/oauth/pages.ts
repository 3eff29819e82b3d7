import { escapeHtml } from '../../../services/mail/message.ts';
import type { BackToClient, OAuthStep } from '../../../services/oauth/steps.ts';
import type { ShownClient } from '../../../services/oauth/wish.ts';
import type { OfferedProvider } from '../../../services/sso/sso.ts';
import { documentOf } from '../../document.ts';
import { page, type Page } from '../../result.ts';
import { stagePage } from '../accounts/fallback/stage-pages.ts';
import { consentPage } from './consent-page.ts';
import { linkTo, showClientName, strong } from './words.ts';
import type { OAuthServices } from './services.ts';

export function stepPage(
  step: OAuthStep | BackToClient,
  { sso, serverName }: Pick<OAuthServices, 'sso' | 'serverName'>,
  cookie?: string,
  /** Where the other pages are, from this one. */
  beside = '',
): Page {
  switch (step.kind) {
    case 'go-on':
      return leadOn(`${beside}${step.page}?request=${step.request}`, cookie);
    case 'leave':
      return leadOn(step.to, cookie);
    case 'log-in':
      return logInPage(step, sso?.providers ?? []);
    case 'new-account':
      return newAccountPage(step, sso?.providers ?? [], serverName);
    case 'stage':
      return stagePage(step.asked, '');
    case 'consent':
      return consentPage(step);
    case 'settled':
      return settledPage(step);
    case 'back':
      return backPage(step);
    default:
      return step satisfies never;
  }
}

/** For whom another address is: nothing of it is shown. */
function leadOn(location: string, cookie?: string): Page {
  const html = documentOf('On the way', '<p>You are being led on.</p>');
  return page(html, { status: 302, location, ...(cookie !== undefined && { cookie }) });
}

/** Links, not forms: providers lead on to places that no policy for forms could name. */
function waysOut(providers: readonly OfferedProvider[], request: string, action?: 'register'): string {
  if (providers.length === 0) return '';
  const links = providers.map(({ id, name }) => {
    const query = new URLSearchParams({ request, ...(action && { action }) });
    return `<li>${linkTo(`provider/${encodeURIComponent(id)}?${query.toString()}`, `Go on at ${name}`)}</li>`;
  });
  return `<ul>${links.join('')}</ul>\n`;
}

const problemOf = (problem: string | undefined): string =>
  problem === undefined ? '' : `<p role="alert"><strong>${escapeHtml(problem)}</strong></p>\n`;

function comesFrom(client: ShownClient): string {
  return `<p>${showClientName(client)} wants to get in to your account. You are asked about that in a moment: first, who are you?</p>\n`;
}

function logInPage(
  { client, request, offersAccounts, problem }: Extract<OAuthStep, { kind: 'log-in' }>,
  providers: readonly OfferedProvider[],
): Page {
  const content =
    comesFrom(client) +
    waysOut(providers, request) +
    `${problemOf(problem)}<form method="post">` +
    '<label>User name or email address<br><input name="user" required maxlength="255" autocapitalize="none" autocomplete="username"></label>\n' +
    '<label>Password<br><input name="password" type="password" required autocomplete="current-password"></label>\n' +
    '<p><button type="submit">Log in</button></p></form>' +
    (offersAccounts
      ? `\n<p>${linkTo(`register?request=${encodeURIComponent(request)}`, 'I have no account yet')}</p>`
      : '');
  return page(documentOf('Log in', content), problem === undefined ? {} : { status: 403 });
}

function newAccountPage(
  { client, request, isOpen, name = '', problem }: Extract<OAuthStep, { kind: 'new-account' }>,
  providers: readonly OfferedProvider[],
  serverName: string,
): Page {
  const form =
    `<p>What do you want to be called? Others see it as part of ${strong(`@name:${serverName}`)}, and it never changes.</p>\n` +
    `${problemOf(problem)}<form method="post">` +
    `<label>User name<br><input name="username" value="${escapeHtml(name)}" required maxlength="255" autocapitalize="none" autocomplete="username"></label>\n` +
    '<label>Password<br><input name="password" type="password" required autocomplete="new-password"></label>\n' +
    '<label>The password once more<br><input name="again" type="password" required autocomplete="new-password"></label>\n' +
    '<p><button type="submit">Go on</button></p></form>\n';
  const content =
    `<p>${showClientName(client)} has led you here. You are asked in a moment whether it gets in to your new account.</p>\n` +
    waysOut(providers, request, 'register') +
    (isOpen ? form : '') +
    `<p>${linkTo(`login?request=${encodeURIComponent(request)}`, 'I have an account already')}</p>`;
  return page(documentOf('Your new account', content), problem === undefined ? {} : { status: 400 });
}

function settledPage({ isLetIn, client }: Extract<OAuthStep, { kind: 'settled' }>): Page {
  const what = isLetIn ? 'is let in. Go on there' : 'is not let in';
  return page(
    documentOf(
      isLetIn ? 'Done' : 'Nobody got in',
      `<p>${showClientName(client)} ${what}; you can close this page.</p>`,
    ),
  );
}

/**
 * > The authorization server MUST always authenticate the user first and […] prompt the user for credentials when needed, before
 * > redirecting the user.
 *
 * Anybody can register a client: nobody is led to one's address who has not seen where that is.
 *
 * {@link https://www.rfc-editor.org/rfc/rfc9700#section-4.11.2}
 */
function backPage({ client, problem, to }: BackToClient): Page {
  const content =
    `<p>${showClientName(client)} has asked for something that it cannot have. ${escapeHtml(problem)}</p>\n` +
    `<p>${linkTo(to, 'Go back to it')}</p>`;
  return page(documentOf('This does not work', content), { status: 400 });
}
