import fastify, { type FastifyInstance } from 'fastify';
import { maxCarriedDepth, maxJsonDepth } from '@portico/protocol/json/parse-json.ts';
import type { RateLimiter } from '../services/rate-limit/rate-limiter.ts';
import type { RequestAuth } from '../services/federation/signing/request-auth.ts';
import type { AppServiceAuthenticator, Authenticator, SenderLog } from './authenticate.ts';
import type { Endpoint } from './endpoint.ts';
import { CountedRequest } from './counted-request.ts';
import { addErrorPlugin, type ErrorContext, onClientError, sendError } from './error-plugin.ts';
import { parseJsonBody } from './json-body.ts';
import { requireOneHost } from './one-host.ts';
import { createOpenRequests } from './open-requests.ts';
import { createPathMethods } from './path-methods.ts';
import { createRepeatedBodies, type RepeatedBodies } from './repeated-bodies.ts';
import { openRawBody, rawBodyType } from './raw-body.ts';
import { sendPreflight } from './respond.ts';
import { admission, routeHandler, type RouteContext, type UnparsedQuery } from './route.ts';

export type AppOptions = ErrorContext & {
  readonly authenticator: Authenticator;
  /** Authenticates application services, where there are any. */
  readonly appServices?: AppServiceAuthenticator;
  /** Authenticates other servers; needed where endpoints are for them. */
  readonly requestAuth?: RequestAuth;
  readonly rateLimiter: RateLimiter;
  readonly catchUp?: RouteContext['catchUp'];
  /** Told whose requests come from where. */
  readonly senderLog?: SenderLog;
  /** Addresses and networks whose `X-Forwarded-For` is believed. From anybody else it is ignored. */
  readonly trustedProxies?: readonly string[];
  /** Names requests in the log. */
  readonly newRequestId?: () => string;
  readonly tls?: { readonly certificate: string | Buffer; readonly key: string | Buffer };
  /**
   * Milliseconds for a whole request to arrive; an answer may take as long as it takes, and so may a raw body, as long as
   * it keeps coming.
   */
  readonly requestTimeout?: number;
  /** Milliseconds after which a connection is cut on which nothing passes: what nobody reads would stay in memory. */
  readonly idleTimeout?: number;
  /** Told about every answered request, by operation ID. */
  readonly observe?: (operationId: string, method: string, status: number, milliseconds: number) => void;
  readonly checkResponse?: RouteContext['checkResponse'];
};

const defaultBodyLimit = 1024 * 1024;

function createFastify(options: AppOptions): FastifyInstance {
  const { trustedProxies = [], newRequestId, tls, requestTimeout = 60_000, idleTimeout = 300_000 } = options;
  const serving = {
    // Of the two times, Node takes the shorter one for the headers.
    headersTimeout: requestTimeout,
    // As often as Node looks by default, or often enough for a shorter time.
    connectionsCheckingInterval: Math.min(30_000, requestTimeout / 2),
    IncomingMessage: CountedRequest,
  };
  return fastify({
    logger: false,
    trustProxy: trustedProxies.length === 0 ? false : [...trustedProxies],
    bodyLimit: defaultBodyLimit,
    // Longer than any address that Node's header limit lets through.
    routerOptions: { maxParamLength: 16_384, querystringParser: (text): UnparsedQuery => ({ text }) },
    // r0 was the version of every endpoint before v3; clients and suites in use still call it.
    rewriteUrl: ({ url = '/' }) => (url.startsWith(r0) ? `${v3}${url.slice(r0.length)}` : url),
    requestTimeout,
    // Longer than clients and servers wait for an answer.
    connectionTimeout: idleTimeout,
    clientErrorHandler: onClientError,
    frameworkErrors: (error, request, reply) => {
      void sendError(options, error, request, reply);
    },
    ...(newRequestId === undefined ? {} : { genReqId: newRequestId }),
    ...(tls === undefined ? { http: serving } : { https: { ...serving, cert: tls.certificate, key: tls.key } }),
  });
}

const r0 = '/_matrix/client/r0/';
const v3 = '/_matrix/client/v3/';

function pathOf(url: string): string {
  const end = url.search(/[?#]/);
  return end === -1 ? url : url.slice(0, end);
}

/** Serves endpoints; listening is the caller's. Closing it answers open long polls first. */
export function buildApp<Deps>(endpoints: readonly Endpoint<Deps>[], deps: Deps, options: AppOptions): FastifyInstance {
  const app = createFastify(options);
  const openRequests = createOpenRequests();
  const paths = createPathMethods();
  const context: RouteContext = {
    authenticator: options.authenticator,
    appServices: options.appServices,
    requestAuth: options.requestAuth,
    rateLimiter: options.rateLimiter,
    openRequests,
    catchUp: options.catchUp,
    senderLog: options.senderLog,
    checkResponse: options.checkResponse,
  };

  app.decorateRequest('admitted');
  app.addHook('onRequest', requireOneHost);
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, bytes: Buffer, done) => {
    try {
      const { repeatedBodies, bodyDepth } = request.routeOptions.config;
      if (request.is404) return done(null);
      const parsed = repeatedBodies?.parse(bytes) ?? parseJsonBody(bytes, bodyDepth);
      if (parsed instanceof Promise) void finish(parsed, done);
      else done(null, parsed);
    } catch (error) {
      done(error as Error);
    }
  });
  app.addContentTypeParser(rawBodyType, (request, _payload, done) => {
    done(null, request.is404 ? undefined : openRawBody(request.raw, request.admitted.contentType));
  });
  // Endpoints without a body ignore one.
  app.addContentTypeParser('*', (_request, payload, done) => {
    payload.resume();
    done(null);
  });

  const preflights = new Set<string>();
  for (const { declaration, create } of endpoints) {
    const handle = create(deps);
    const repeatedBodies = declaration.isRepeated === true ? createRepeatedBodies() : undefined;
    for (const path of [declaration.path, ...(declaration.unstablePaths ?? [])]) {
      paths.add(declaration.method, path);
      const { allowedHeaders } = declaration;
      if (allowedHeaders !== undefined && !preflights.has(path)) {
        preflights.add(path);
        app.options(path, (_request, reply) => sendPreflight(reply, allowedHeaders));
      }
      app.route({
        method: declaration.method,
        url: path,
        bodyLimit: declaration.bodyLimit ?? defaultBodyLimit,
        config: {
          operationId: declaration.operationId,
          bodyDepth: declaration.auth === 'server' ? maxCarriedDepth : maxJsonDepth,
          ...(repeatedBodies && { repeatedBodies }),
        },
        onRequest: admission(declaration, context),
        handler: routeHandler(declaration, handle, context, repeatedBodies),
      });
    }
  }

  app.options('*', (_request, reply) => sendPreflight(reply));
  addErrorPlugin(app, options, (request) => paths.methodsOf(pathOf(request.url)));
  addObserver(app, options);
  app.addHook('preClose', async () => openRequests.shutDown());
  return app;
}

async function finish(parsed: Promise<unknown>, done: (error: Error | null, body?: unknown) => void): Promise<void> {
  let body: unknown;
  try {
    body = await parsed;
  } catch (error) {
    done(error as Error);
    return;
  }
  done(null, body);
}

function addObserver(app: FastifyInstance, { observe, log }: AppOptions): void {
  const logsRequests = log.isLevelEnabled('debug');
  if (observe === undefined && !logsRequests) return;
  app.addHook('onResponse', (request, reply, done) => {
    const operationId = request.routeOptions.config.operationId ?? 'unknown';
    const milliseconds = reply.elapsedTime;
    observe?.(operationId, request.method, reply.statusCode, milliseconds);
    if (logsRequests) {
      const { id: requestId, method, ip } = request;
      log.debug({ requestId, operationId, method, status: reply.statusCode, milliseconds, ip }, 'request');
    }
    done();
  });
}

declare module 'fastify' {
  interface FastifyContextConfig {
    operationId?: string;
    /** How deep a body may nest. */
    bodyDepth?: number;
    repeatedBodies?: RepeatedBodies;
  }
}
