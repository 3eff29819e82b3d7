import { isJsonObject, type JsonValue, parseJson } from '@portico/protocol';
import type { Outbound, OutboundAnswer } from '../outbound/outbound.ts';
import type { Route } from '../outbound/route.ts';
import { createSmallCache } from '../reading/small-cache.ts';
import type { AppService } from './app-service.ts';

export type AppServiceRequest = {
  readonly method: 'GET' | 'PUT' | 'POST';
  /** Behind `/_matrix/app/v1`, or wherever else the request is known. */
  readonly path: string;
  /** Where earlier drafts had it; nowhere if absent. */
  readonly legacyPath?: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly timeout: number;
  readonly signal?: AbortSignal | undefined;
};

export type AppServiceAnswer = {
  readonly isSuccess: boolean;
  /** The status, for messages and logs. */
  readonly code: number;
  readonly text: string;
  readonly json: JsonValue | undefined;
};

/** Asks application services. Rejects with `OutboundError` where there is no answer. */
export interface AppServiceClient {
  request(service: AppService, request: AppServiceRequest): Promise<AppServiceAnswer>;
}

const answerLimit = 1024 * 1024;
/** How long a service that knew only an older path is asked there first. */
const legacyFor = 10 * 60_000;
const maxRemembered = 1000;

export function createAppServiceClient(outbound: Outbound, now: () => number): AppServiceClient {
  /** Until when requests of a kind go to the older path. */
  const legacyUntil = createSmallCache<string, number>(maxRemembered);

  async function ask(service: AppService, request: AppServiceRequest, path: string): Promise<AppServiceAnswer> {
    const { route, base } = routeOf(service.url ?? '');
    const query = new URLSearchParams(request.query).toString();
    const answer = await outbound.request({
      route,
      method: request.method,
      path: `${base}${path}${query === '' ? '' : `?${query}`}`,
      headers: {
        authorization: `Bearer ${service.hsToken}`,
        ...(request.body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(request.body !== undefined && { body: request.body }),
      answerLimit,
      timeout: request.timeout,
      signal: request.signal,
      purpose: 'app-service',
    });
    return toAnswer(answer);
  }

  return {
    async request(service, request) {
      const { path, legacyPath } = request;
      const kind = `${service.id} ${path.split('/', 2).join('/')}`;
      const current = `/_matrix/app/v1${path}`;
      if (legacyPath === undefined) return ask(service, request, current);
      if ((legacyUntil.get(kind) ?? 0) > now()) return ask(service, request, legacyPath);
      const answer = await ask(service, request, current);
      if (!isUnknownPath(answer)) return answer;
      const older = await ask(service, request, legacyPath);
      // "Homeservers should periodically try again for the newer endpoints"
      if (older.isSuccess) legacyUntil.set(kind, now() + legacyFor);
      return older.isSuccess ? older : answer;
    },
  };
}

/**
 * > if the application service receives an HTTP status code that does not indicate success (i.e.: 404, 500, 501, etc) then the
 * > homeserver should fall back to the older endpoints
 *
 * Only where the service does not know the path: another failure would be the same at the older one.
 *
 * {@link https://spec.matrix.org/v1.19/application-service-api/#legacy-routes}
 */
function isUnknownPath({ code, json }: AppServiceAnswer): boolean {
  if (code === notImplemented || code === unknownMethod) return true;
  if (code !== notFound) return false;
  const errcode = isJsonObject(json) ? json['errcode'] : undefined;
  return errcode === undefined || errcode === 'M_UNRECOGNIZED';
}

const [notFound, unknownMethod, notImplemented] = [404, 405, 501] as const;

function toAnswer({ status: code, body }: OutboundAnswer): AppServiceAnswer {
  const text = body.toString('utf8');
  return { isSuccess: code >= 200 && code < 300, code, text, json: parseJson(text, 'lenient') };
}

const defaultPorts: Readonly<Record<string, number>> = { 'http:': 80, 'https:': 443 };

function routeOf(url: string): { readonly route: Route; readonly base: string } {
  const { protocol, hostname, host, port, pathname } = new URL(url);
  const name = hostname.replace(/^\[|\]$/g, '');
  return {
    route: {
      targets: [{ host: name, port: port === '' ? (defaultPorts[protocol] ?? 443) : Number(port) }],
      host,
      certificateName: protocol === 'https:' ? name : undefined,
      // Operators run bridges beside the server; the address comes from them.
      mayBePrivate: true,
    },
    base: pathname.replace(/\/+$/, ''),
  };
}
