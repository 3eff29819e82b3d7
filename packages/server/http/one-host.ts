import type { onRequestHookHandler } from 'fastify';
import { MatrixError } from '../errors/matrix-error.ts';

/**
 * > A server MUST respond with a 400 (Bad Request) status code to any HTTP/1.1 request message that lacks a Host header field and to
 * > any request message that contains more than one Host header field line
 *
 * Node does the first, and takes the first of several, where a proxy before it may have taken another.
 *
 * {@link https://www.rfc-editor.org/rfc/rfc9112.html#section-3.2}
 */
export const requireOneHost: onRequestHookHandler = ({ raw }, _reply, done) => {
  if (hasManyHosts(raw.rawHeaders)) done(new MatrixError('request.bad-http'));
  else done();
};

/** Of names and values in turn. */
function hasManyHosts(headers: readonly string[]): boolean {
  let hosts = 0;
  for (let at = 0; at < headers.length; at += 2) {
    const name = headers[at];
    if (name?.length === 4 && name.toLowerCase() === 'host') hosts += 1;
  }
  return hosts > 1;
}
