import type { FastifyRequest } from 'fastify';
import { MatrixError } from '../errors/matrix-error.ts';
import { requireAdmin } from '../services/accounts/require-admin.ts';
import type { AppServiceClaim, AuthKind, Sender } from './endpoint.ts';
import type { RateClass } from '../services/rate-limit/rate-classes.ts';
import type { RawQuery } from './query-string.ts';

export interface Authenticator {
  /** Whose access token this is. Answers at once where it can: the hot path must not wait for a promise. */
  findSender(token: string): Sender | undefined | Promise<Sender | undefined>;
}

/** Authenticates application services, which act as others than themselves. */
export interface AppServiceAuthenticator<Service = unknown> {
  findByToken(token: string): Service | undefined;
  act(
    service: Service,
    token: string,
    mask: { readonly userId: string | undefined; readonly deviceId: string | undefined },
  ): Sender | Promise<Sender>;
  claim(service: Service): AppServiceClaim;
}

/** Told about every authenticated request, so it must cost next to nothing. */
export interface SenderLog {
  note(sender: Sender, request: { readonly ip: string }, rateLimit: RateClass | undefined): void;
}

export type Authenticators = {
  readonly authenticator: Authenticator;
  /** Absent where there are no application services. */
  readonly appServices: AppServiceAuthenticator | undefined;
};

/** Endpoints that are for application services, or treat them in a way of their own, whoever they act as. */
export type AppServiceKind = 'app-service' | 'optional-app-service';

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
  kind: Exclude<AuthKind, 'server' | AppServiceKind>,
  { authenticator, appServices }: Authenticators,
  request: FastifyRequest,
  query: RawQuery,
): Sender | undefined | Promise<Sender | undefined> {
  if (kind === 'none') return undefined;
  const token = kind === 'anyone' ? findAnyToken(request, query) : findToken(request, query);
  if (token === undefined || token === '') {
    if (kind === 'optional' || kind === 'anyone') return undefined;
    throw new MatrixError('token.missing');
  }
  if (kind === 'anyone') return findIfValid(async () => findSender(token, { authenticator, appServices }, query));
  const found = findSender(token, { authenticator, appServices }, query);
  return found instanceof Promise ? found.then((sender) => permit(kind, sender)) : permit(kind, found);
}

function findSender(
  token: string,
  { authenticator, appServices }: Authenticators,
  query: RawQuery,
): Sender | undefined | Promise<Sender | undefined> {
  const service = appServices?.findByToken(token);
  return service === undefined ? authenticator.findSender(token) : appServices?.act(service, token, maskOf(query));
}

async function findIfValid(find: () => Promise<Sender | undefined>): Promise<Sender | undefined> {
  try {
    return await find();
  } catch (error) {
    if (error instanceof MatrixError && error.reason === 'token.unknown') return undefined;
    throw error;
  }
}

/** {@link https://spec.matrix.org/v1.19/application-service-api/#identity-assertion} */
function maskOf(query: RawQuery): { userId: string | undefined; deviceId: string | undefined } {
  const deviceId = query.get('device_id') ?? query.get('org.matrix.msc3202.device_id');
  return { userId: query.get('user_id')?.[0], deviceId: deviceId?.[0] };
}

function permit(kind: AuthKind, sender: Sender | undefined): Sender {
  if (sender === undefined) throw new MatrixError('token.unknown', { fields: { soft_logout: false } });
  if (kind === 'admin') requireAdmin(sender);
  return sender;
}

/** Which application service a request is from, whoever it acts as. Throws where only those may ask. */
export function authenticateAppService(
  kind: AppServiceKind,
  { authenticator, appServices }: Authenticators,
  request: FastifyRequest,
  query: RawQuery,
): AppServiceClaim | Promise<never> {
  const token = kind === 'app-service' ? findToken(request, query) : findAnyToken(request, query);
  if (token === undefined || token === '') {
    if (kind === 'app-service') throw new MatrixError('token.missing');
    return { kind: 'no-token' };
  }
  const service = appServices?.findByToken(token);
  if (service !== undefined && appServices !== undefined) return appServices.claim(service);
  if (kind === 'app-service') return refuseOther(authenticator.findSender(token));
  return { kind: 'other-token' };
}

/** Who has the token of a person is told something else than who has none that is known here. */
function refuseOther(found: Sender | undefined | Promise<Sender | undefined>): Promise<never> {
  if (found instanceof Promise) return found.then(refuseOther);
  permit('user', found);
  throw new MatrixError('app-service.required');
}

/** What is no token does not matter to who needs none. */
function findAnyToken(request: FastifyRequest, query: RawQuery): string | undefined {
  try {
    return findToken(request, query);
  } catch {
    return undefined;
  }
}
