import type { FastifyReply, FastifyRequest, RouteHandlerMethod, onRequestHookHandler } from 'fastify';
import type { JsonValue, ServerName } from '@portico/protocol';
import type { TObject, TSchema } from 'typebox';
import { MatrixError } from '../errors/matrix-error.ts';
import { addressKey, type RateLimiter } from '../services/rate-limit/rate-limiter.ts';
import type { Claim, RequestAuth } from '../services/federation/signing/request-auth.ts';
import { authenticate, authenticateAppService, type Authenticators, type SenderLog } from './authenticate.ts';
import { Bytes, ByteStream, rawBody } from './bytes.ts';
import { stepwiseCheck, type StepwiseCheck } from './check-in-steps.ts';
import type { AppServiceClaim, Declaration, ErasedHandler, Sender } from './endpoint.ts';
import { inSteps } from '../services/in-steps.ts';
import { shortEnough } from './json-body.ts';
import { readUnwanted } from './counted-request.ts';
import { HandlerRequest } from './handler-request.ts';
import type { OpenRequests } from './open-requests.ts';
import { isAllOptional } from './optional-body.ts';
import { parseQueryString, queryReader, type RawQuery } from './query-string.ts';
import { rawBodyType } from './raw-body.ts';
import type { RepeatedBodies } from './repeated-bodies.ts';
import { sendResult } from './respond.ts';
import { checkStanding } from './standing.ts';
import { sendBytes, sendByteStream } from './send-bytes.ts';
import { withStorable } from './storable.ts';
import { leaveOutUnsaid } from '../services/unsaid.ts';
import { checkValid, lazyValidator } from './validate.ts';

/** What the hook that runs before the body is read leaves for the handler. */
export type Admitted = {
  readonly sender: Sender | undefined;
  /** Throws if the sender may not do it any more; `undefined` where nothing has to come for that. */
  readonly checkAgain: (() => Promise<void>) | undefined;
  /** When it was admitted, by the clock of `performance`. */
  readonly at: number;
  /** Which server the request says it is from; that is proved when the body has come. */
  readonly claim: Claim | undefined;
  readonly appService: AppServiceClaim | undefined;
  readonly query: RawQuery;
  /** What the client calls its body. */
  readonly contentType: string | undefined;
};

export type RouteContext = Authenticators & {
  /** Absent where no endpoint is for servers. */
  readonly requestAuth: RequestAuth | undefined;
  readonly rateLimiter: RateLimiter;
  readonly openRequests: OpenRequests;
  /**
   * Awaited before a client is looked at, where it gives a promise: what one process has answered, the others know when they are
   * asked next.
   */
  readonly catchUp?: (() => Promise<void> | undefined) | undefined;
  readonly senderLog?: SenderLog | undefined;
  /** Called with every result of a handler, for tests that hold responses against their schemas. */
  readonly checkResponse: ((declaration: Declaration, result: unknown) => void) | undefined;
};

/** Fastify's own parser would run on every request; ours runs where a query is looked at, and may refuse. */
export type UnparsedQuery = { readonly text: string };

/** Authenticates and limits before the body is read: nobody makes us read what we refuse anyway. */
export function admission(declaration: Declaration, context: RouteContext): onRequestHookHandler {
  const { method, auth, rateLimit, body } = declaration;
  const { rateLimiter, senderLog } = context;
  // Whatever a client calls it, a body is JSON where one is wanted: clients in use send other types, or none. The
  // signature of a server covers its body, whether the endpoint wants one or not.
  const isRead = body !== undefined || auth === 'server';
  const bodyType = body === rawBody ? rawBodyType : isRead ? 'application/json' : 'application/octet-stream';
  const requestAuth = auth === 'server' ? requireRequestAuth(context) : undefined;
  const isAwaited = body !== undefined && body !== rawBody;

  async function checkAgain(request: FastifyRequest, query: RawQuery): Promise<void> {
    if (auth === 'server' || auth === 'app-service' || auth === 'optional-app-service') return;
    const sender = await authenticate(auth, context, request, query);
    if (sender !== undefined) checkStanding(declaration, sender);
  }

  function admit(
    request: FastifyRequest,
    query: RawQuery,
    sender: Sender | undefined,
    appService?: AppServiceClaim,
  ): void {
    if (rateLimit !== undefined && !isExempt(sender, appService)) {
      rateLimiter.take(rateLimit, sender?.userId ?? addressKey(request.ip));
    }
    if (sender !== undefined) {
      checkStanding(declaration, sender);
      senderLog?.note(sender, request, rateLimit);
    }
    const claim = requestAuth?.admit(request.raw.headersDistinct.authorization ?? []);
    request.admitted = {
      sender,
      claim,
      appService,
      query,
      contentType: request.headers['content-type'],
      checkAgain: sender !== undefined && isAwaited ? () => checkAgain(request, query) : undefined,
      at: performance.now(),
    };
    request.headers['content-type'] = bodyType;
  }

  async function admitLater(
    request: FastifyRequest,
    query: RawQuery,
    found: Promise<Sender | undefined>,
    done: (error?: Error) => void,
  ): Promise<void> {
    try {
      admit(request, query, await found);
    } catch (error) {
      done(error as Error);
      return;
    }
    done();
  }

  function admitNow(request: FastifyRequest, done: (error?: Error) => void): void {
    try {
      const query = parseQueryString((request.query as UnparsedQuery).text);
      if (auth === 'app-service' || auth === 'optional-app-service') {
        const claim = authenticateAppService(auth, context, request, query);
        if (claim instanceof Promise) {
          void admitLater(request, query, claim, done);
          return;
        }
        admit(request, query, undefined, claim);
        done();
        return;
      }
      const found = auth === 'server' ? undefined : authenticate(auth, context, request, query);
      if (found instanceof Promise) {
        void admitLater(request, query, found, done);
        return;
      }
      admit(request, query, found);
    } catch (error) {
      done(error as Error);
      return;
    }
    done();
  }

  // Fastify reads no body of these.
  const isUnread = method === 'GET';

  return (request, _reply, done) => {
    if (isUnread) readUnwanted(request.raw);
    const caughtUp = auth === 'server' ? undefined : context.catchUp?.();
    if (caughtUp === undefined) admitNow(request, done);
    else void caughtUp.then(() => admitNow(request, done));
  };
}

/**
 * > Whether requests from masqueraded users are rate-limited. The sender is excluded.
 *
 * Nor is a service limited in what it does as itself: it makes as many users as its network has.
 *
 * {@link https://spec.matrix.org/v1.19/application-service-api/#registration}
 */
function isExempt(sender: Sender | undefined, appService: AppServiceClaim | undefined): boolean {
  return sender?.appService?.isRateLimited === false || appService?.kind === 'app-service';
}

function requireRequestAuth({ requestAuth }: RouteContext): RequestAuth {
  if (requestAuth === undefined)
    throw new Error('There are endpoints for servers, and nothing that authenticates them');
  return requestAuth;
}

type ReadBody = (body: unknown, isLong: boolean) => unknown;

function bodyReader(
  schema: TSchema,
  missing: Declaration['missingBody'],
  repeated: RepeatedBodies | undefined,
): ReadBody {
  const validator = lazyValidator(() => withStorable(schema));
  let inPieces: StepwiseCheck | undefined;
  async function readLong(body: unknown): Promise<unknown> {
    inPieces ??= stepwiseCheck(withStorable(schema));
    await inSteps(inPieces(body, 'request.bad-json'));
    return body;
  }
  const isOptional = isAllOptional(schema);
  const said = leaveOutUnsaid(schema);
  return (given, isLong) => {
    if (given === undefined && missing === 'handled') return undefined;
    if (given === undefined && !isOptional) throw new MatrixError('request.not-json');
    // `null` passes only where an empty body would: what is written must be what was sent.
    const body = given === undefined || (given === null && isOptional) ? {} : said(given);
    if (repeated?.isChecked(body) === true) return body;
    if (isLong) return readLong(body);
    checkValid(validator(), body, 'request.bad-json');
    repeated?.noteChecked(body);
    return body;
  };
}

function parameterChecker(schema: TObject): (params: unknown) => void {
  const validator = lazyValidator(() => withStorable(schema));
  return (params) => checkValid(validator(), params, 'request.invalid-param');
}

/** A body that takes so many milliseconds to come may come when its sender has been logged out, or is gone altogether. */
const slowBody = 100;

const nothing = (): undefined => undefined;
const asItIs = (body: unknown): unknown => body;

/** Whether a body is worth being checked in steps; how long one is that comes in chunks is not known. */
const isLongBody = ({ headers }: FastifyRequest): boolean =>
  !(Number(headers['content-length'] ?? 0) <= shortEnough) || headers['transfer-encoding'] !== undefined;

export function routeHandler(
  declaration: Declaration,
  handle: ErasedHandler,
  context: RouteContext,
  repeatedBodies?: RepeatedBodies,
): RouteHandlerMethod {
  const { params, query, body, missingBody } = declaration;
  const { openRequests, checkResponse, requestAuth } = context;
  const checkParams = params === undefined ? nothing : parameterChecker(params);
  const readQuery = query === undefined ? nothing : queryReader(query);
  const checkQuery = query === undefined ? nothing : parameterChecker(query);
  const readBody =
    body === undefined ? nothing : body === rawBody ? asItIs : bodyReader(body, missingBody, repeatedBodies);

  function proveOrigin({ method, originalUrl, admitted, body, ip }: FastifyRequest): Promise<ServerName> | undefined {
    const content = body as JsonValue | undefined;
    return admitted.claim && requestAuth?.verify(admitted.claim, { method, uri: originalUrl, content, ip });
  }

  return async (request: FastifyRequest, reply: FastifyReply) => {
    const { sender, claim, appService, query: rawQuery, checkAgain, at } = request.admitted;
    if (checkAgain !== undefined && performance.now() - at > slowBody) await checkAgain();
    const origin = claim && (await proveOrigin(request));
    checkParams(request.params);
    const query = readQuery(rawQuery);
    checkQuery(query);
    const read = readBody(request.body, isLongBody(request));
    const body = read instanceof Promise ? ((await read) as unknown) : read;
    const result = await handle(
      new HandlerRequest(request, reply, openRequests, sender, origin, appService, query, body),
    );
    checkResponse?.(declaration, result);
    if (result instanceof ByteStream) return sendByteStream(request, reply, result);
    return result instanceof Bytes ? sendBytes(request, reply, result) : sendResult(reply, result);
  };
}

declare module 'fastify' {
  interface FastifyRequest {
    admitted: Admitted;
  }
}
