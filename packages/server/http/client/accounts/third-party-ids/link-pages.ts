import { escapeHtml } from '../../../../services/mail/message.ts';
import type { FollowedLink } from '../../../../services/third-party-ids/validations.ts';
import { documentOf } from '../../../document.ts';
import { page, type Page } from '../../../result.ts';

export function overPage(): Page {
  const content =
    '<p>The link is not complete, has been used, or is too old. If you have asked for several emails, use the link in the newest one.</p>';
  return page(documentOf('This link does not work', content), { status: 400 });
}

/** Leads on to where the client wanted, or tells what to do next. */
export function donePage({ purpose, address, nextLink }: FollowedLink, status: 302 | 303): Page {
  const next = purpose === 'reset' ? 'and choose the new password' : 'to go on';
  const content = `<p>${escapeHtml(address)} is confirmed. Go back to where you began ${next}. You can close this page.</p>`;
  const html = documentOf('Email address confirmed', content);
  return nextLink === undefined ? page(html) : page(html, { status, location: nextLink });
}

/** A link alone opens nobody's account: programs that look into emails follow links, and press no buttons. */
export function askPage({ address, nextLink }: FollowedLink): Page {
  const content =
    `<p>Somebody wants to set a new password for the account of ${escapeHtml(address)}. Confirm only if it was you.</p>\n` +
    '<form method="post"><button type="submit">Confirm</button></form>';
  const target = nextLink === undefined ? undefined : URL.parse(nextLink)?.origin;
  return page(documentOf('Reset your password?', content), target === undefined ? {} : { formTargets: [target] });
}
