import { caseFold } from '../case-fold.ts';
import { utf8Length } from '../json/code-points.ts';

/** In UTF-8: what fits between the angle brackets of a path, {@link https://www.rfc-editor.org/rfc/rfc5321#section-4.5.3.1}. */
const maxBytes = 254;
const maxLocalBytes = 64;

/**
 * The local part without quotes ({@link https://www.rfc-editor.org/rfc/rfc5322#section-3.2.3}, and letters of other scripts by
 * RFC 6532), and a domain name. Neither white space nor anything that means something in a header or a command passes.
 */
const atom = String.raw`[\p{L}\p{N}\p{M}!#$%&'*+/=?^_\x60{|}~-]+`;
const label = String.raw`[\p{L}\p{N}](?:[\p{L}\p{N}\p{M}-]{0,61}[\p{L}\p{N}\p{M}])?`;
const form = new RegExp(String.raw`^(${atom}(?:\.${atom})*)@${label}(?:\.${label})*$`, 'u');

/**
 * An email address in the form in which addresses are compared, kept and written to, or `undefined` if it is none: addresses
 * that differ in case are the same one.
 *
 * > implementations are expected to apply the unicode case-folding algorithm
 *
 * {@link https://spec.matrix.org/v1.19/appendices/#e-mail}
 */
export function parseEmailAddress(text: string): string | undefined {
  // Before anything that takes longer for longer ones.
  if (text.length > maxBytes) return undefined;
  const address = caseFold(text);
  const localPart = form.exec(address)?.[1];
  if (localPart === undefined) return undefined;
  return utf8Length(address) <= maxBytes && utf8Length(localPart) <= maxLocalBytes ? address : undefined;
}
