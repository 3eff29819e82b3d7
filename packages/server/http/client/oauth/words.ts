import { escapeHtml } from '../../../services/mail/message.ts';
import type { ShownClient } from '../../../services/oauth/wish.ts';

export function strong(text: string): string {
  // The text of others must not turn around what stands beside it.
  return `<strong><bdi>${escapeHtml(text)}</bdi></strong>`;
}

export function linkTo(address: string, text: string): string {
  return `<a href="${escapeHtml(address)}" rel="noreferrer nofollow">${escapeHtml(text)}</a>`;
}

/** The name is what the client says; whose it is tells the host. */
export function showClientName({ name, host }: ShownClient): string {
  return name === host ? strong(host) : `${strong(name)} of ${strong(host)}`;
}
