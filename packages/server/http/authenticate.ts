import type { FastifyRequest } from 'fastify';
import { MatrixError } from '../errors/matrix-error.ts';
import type { AuthKind, Sender } from './endpoint.ts';
import type { RawQuery } from './query-string.ts';

export interface Authenticator {
  /** Whose access token this is. Answers at once where it can: the hot path must not wait for a promise. */
  findSender(token: string): Sender | undefined | Promise<Sender | undefined>;
}

/** Told about every authenticated request, so it must cost next to nothing. */
export interface SenderLog {
  note(sender: Sender, request: { readonly ip: string }): void;
}

/**
 * {@link https://spec.matrix.org/v1.19/client-server-api/#using-access-tokens}
 */
export function findToken(request: FastifyRequest, query: RawQuery): string | undefined {
  const header = request.headers.authorization;
  if (header === undefined) return query.get('access_token')?.[0];
  // The name of the scheme is case-insensitive: RFC 9110, section 11.1.
  const scheme = header.slice(0, 7);
  if (scheme !== 'Bearer ' && scheme.toLowerCase() !== 'bearer ') throw new MatrixError('token.missing');
  return header.slice(7).trim();
}

export function authenticate(
  kind: Exclude<AuthKind, 'server'>,
  authenticator: Authenticator,
  request: FastifyRequest,
  query: RawQuery,
): Sender | undefined | Promise<Sender | undefined> {
  if (kind === 'none') return undefined;
  const token = findToken(request, query);
  if (token === undefined || token === '') {
    if (kind === 'optional') return undefined;
    throw new MatrixError('token.missing');
  }
  const found = authenticator.findSender(token);
  return found instanceof Promise ? found.then((sender) => permit(kind, sender)) : permit(kind, found);
}

function permit(kind: AuthKind, sender: Sender | undefined): Sender {
  if (sender === undefined) throw new MatrixError('token.unknown', { fields: { soft_logout: false } });
  if (kind === 'admin' && !sender.isAdmin) throw new MatrixError('user.not-admin');
  return sender;
}
