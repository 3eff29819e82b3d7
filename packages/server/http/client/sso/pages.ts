import { escapeHtml } from '../../../services/mail/message.ts';
import type { OfferedProvider } from '../../../services/sso/sso.ts';
import type { SsoStep } from '../../../services/sso/steps.ts';
import { documentOf } from '../../document.ts';
import { errorResponse } from '../../error-response.ts';
import { page, type Page } from '../../result.ts';
import { donePage } from '../accounts/fallback/stage-pages.ts';

/** For whom another address is: nothing of it is shown. */
function leadOn(location: string, cookie?: string): Page {
  const html = documentOf('On the way', '<p>You are being led on.</p>');
  return page(html, { status: 302, location, ...(cookie !== undefined && { cookie }) });
}

/** To a provider. */
export function departurePage(to: string, cookie: string): Page {
  return leadOn(to, cookie);
}

export function choicePage(providers: readonly OfferedProvider[], query: string): Page {
  const links = providers.map(({ id, name }) => {
    const address = `redirect/${encodeURIComponent(id)}?${query}`;
    return `<li><a href="${escapeHtml(address)}">${escapeHtml(name)}</a></li>`;
  });
  return page(documentOf('Log in', `<p>Where do you want to log in?</p>\n<ul>${links.join('')}</ul>`));
}

/** Runs what answers with a page, and says on one what is refused. Defects stay what they are. */
export async function orProblem(make: () => Page | Promise<Page>): Promise<Page> {
  try {
    return await make();
  } catch (error) {
    const { status, body, isDefect } = errorResponse(error);
    if (isDefect) throw error;
    const content = `<p>${escapeHtml(typeof body.error === 'string' ? body.error : '')}</p>`;
    return page(documentOf('Logging in did not work', content), { status });
  }
}

type NamesOf = { readonly providers: readonly OfferedProvider[]; readonly serverName: string };

export function stepPage(step: SsoStep, { providers, serverName }: NamesOf): Page {
  const nameOf = (id: string): string => escapeHtml(providers.find((provider) => provider.id === id)?.name ?? id);
  switch (step.kind) {
    case 'go-on':
      return leadOn(`../continue?login=${step.login}`);
    case 'leave':
      return leadOn(step.to);
    case 'confirmed':
      return donePage();
    case 'choose-name':
      return namePage(step, serverName);
    case 'ask-hand-over':
      return askPage({
        title: 'Log in?',
        text: `You are about to log in to ${strong(step.client)} as ${strong(step.userId)}. It gets access to your account. Go on only if that is where you began.`,
        button: 'Log in',
        formTargets: [step.target],
      });
    case 'ask-confirm':
      return askPage({
        title: 'Do you want this?',
        text: `An app that is logged in to your account ${strong(step.userId)} wants to ${escapeHtml(step.wanted)}. If that is not you, close this page.`,
        button: 'Yes, go on',
      });
    case 'ask-link':
      return askPage({
        title: 'Link your account?',
        text: `From now on, who you are at <strong>${nameOf(step.provider)}</strong> logs in to the account ${strong(step.userId)}. Go on only if that account is yours.`,
        button: 'Link them',
      });
    case 'linked':
      return page(
        documentOf(
          'Your account is linked',
          `<p>From now on you can log in to ${strong(step.userId)} by way of ${nameOf(step.provider)}. You can close this page.</p>`,
        ),
      );
    default:
      return step satisfies never;
  }
}

function strong(text: string): string {
  return `<strong>${escapeHtml(text)}</strong>`;
}

type Question = {
  readonly title: string;
  readonly text: string;
  readonly button: string;
  readonly formTargets?: readonly string[];
};

function askPage({ title, text, button, formTargets = [] }: Question): Page {
  const content = `<p>${text}</p>\n<form method="post"><button type="submit">${button}</button></form>`;
  return page(documentOf(title, content), { formTargets });
}

function namePage(
  { suggestion, client, target, problem }: Extract<SsoStep, { kind: 'choose-name' }>,
  serverName: string,
): Page {
  const said = problem === undefined ? '' : `<p role="alert"><strong>${escapeHtml(problem)}</strong></p>\n`;
  const content =
    `<p>You are new here. What do you want to be called? Others see it as part of ` +
    `${strong(`@name:${serverName}`)}, and it never changes.</p>\n${said}` +
    `<form method="post"><label>User name<br><input name="username" value="${escapeHtml(suggestion)}" required ` +
    `maxlength="255" autocapitalize="none" autocomplete="username"></label>\n` +
    `<p>With that you log in to ${strong(client)}, which gets access to your account.</p>\n` +
    '<p><button type="submit">Make my account, and log in</button></p></form>';
  return page(documentOf('Your new account', content), { formTargets: [target] });
}
