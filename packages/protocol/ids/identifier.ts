import { exceedsUtf8 } from '../json/code-points.ts';
import { isServerName } from './server-name.ts';

/** User IDs, room IDs, room aliases and event IDs are limited to this many bytes, sigil and server name included. */
export const maxIdentifierBytes = 255;

/**
 * Whether this is `&localpart:domain`.
 *
 * > any legal non-surrogate Unicode code points except for `:` and `NUL`
 *
 * {@link https://spec.matrix.org/v1.19/appendices/#common-identifier-format}
 */
export function isNamespacedIdentifier(text: string, sigil: string): boolean {
  if (!isOpaqueIdentifier(text, sigil)) return false;
  const colon = text.indexOf(':');
  return colon !== -1 && isServerName(text.slice(colon + 1));
}

/** Whether this has the sigil, is Unicode without NUL, and is not too long. */
export function isOpaqueIdentifier(text: string, sigil: string): boolean {
  return (
    text.startsWith(sigil) && !exceedsUtf8(text, maxIdentifierBytes) && !text.includes('\0') && text.isWellFormed()
  );
}

/** The part after the first colon, where the identifier has one; not checked to be a server name. */
export function domainOf(identifier: string): string | undefined {
  const colon = identifier.indexOf(':');
  return colon === -1 ? undefined : identifier.slice(colon + 1);
}
