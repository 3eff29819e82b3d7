import { MatrixError } from '../../errors/matrix-error.ts';

const maxLength = 2000;

/**
 * Where a link in an email leads on to, as a client wants it. HTTPS only, so that it starts no other program and no script; and
 * only hosts that the operator allows, where they say which.
 *
 * > The user must be redirected to the URL provided by the `next_link` parameter.
 *
 * {@link https://spec.matrix.org/v1.19/identity-service-api/#get_matrixidentityv2validateemailsubmittoken}
 */
export function checkNextLink(text: string, hosts: readonly string[] | undefined): string {
  const url = text.length <= maxLength ? URL.parse(text) : null;
  if (url?.protocol !== 'https:' || url.username !== '' || url.password !== '') {
    throw new MatrixError('request.invalid-param', { message: 'next_link is no plain HTTPS address.' });
  }
  if (hosts !== undefined && !hosts.some((host) => host.toLowerCase() === url.hostname)) {
    throw new MatrixError('request.invalid-param', { message: 'next_link leads to a host that is not allowed.' });
  }
  return url.href;
}
