import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Socket } from 'node:net';
import type { ErrorReason } from '../errors/table.ts';
import { MatrixError } from '../errors/matrix-error.ts';
import { readUnwanted } from './counted-request.ts';
import { errorResponse } from './error-response.ts';
import type { HttpLog } from './log.ts';
import { isReadingRawBody } from './raw-body.ts';
import { corsHeaders, sendJsonText } from './respond.ts';

/** The client hung up before it had said all; nobody reads the answer. */
function isHangUp(error: unknown, { raw }: FastifyRequest): boolean {
  return raw.readableAborted && error instanceof Error && 'code' in error && error.code === 'ECONNRESET';
}

export type ErrorContext = {
  readonly log: HttpLog;
  /** What the operator wants people to read who need help. */
  readonly helpPage?: string | undefined;
};

export function sendError(
  { log, helpPage }: ErrorContext,
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  readUnwanted(request.raw);
  const response = errorResponse(error, helpPage);
  if (response.isDefect && !isHangUp(error, request)) {
    // The route's pattern, not the address: that may hold a token.
    const route = request.routeOptions.url;
    log.error({ err: error, requestId: request.id, method: request.method, route }, 'request failed');
  }
  if (response.retryAfter !== undefined) reply.header('Retry-After', String(response.retryAfter));
  return sendJsonText(reply, response.status, JSON.stringify(response.body));
}

type MethodsOf = (request: FastifyRequest) => ReadonlySet<string>;

/** Gives every error the spec's shape; what is not a refusal becomes an opaque 500 and a line in the log. */
export function addErrorPlugin(app: FastifyInstance, context: ErrorContext, methodsOf: MethodsOf): void {
  function sendNotFound(request: FastifyRequest, reply: FastifyReply): FastifyReply {
    const methods = methodsOf(request);
    if (methods.size === 0) return sendError(context, new MatrixError('request.unknown-path'), request, reply);
    reply.header('Allow', [...methods, 'OPTIONS'].join(', '));
    return sendError(context, new MatrixError('request.unknown-method'), request, reply);
  }
  app.setNotFoundHandler(sendNotFound);
  // Whatever else is wrong with a request that is one, that nothing is there matters more.
  app.setErrorHandler((error, request, reply) => {
    const isRequest = !(error instanceof MatrixError) || error.reason !== 'request.bad-http';
    return request.is404 && isRequest ? sendNotFound(request, reply) : sendError(context, error, request, reply);
  });
}

const parserReasons: Readonly<Record<string, ErrorReason>> = {
  HPE_HEADER_OVERFLOW: 'request.headers-too-large',
  ERR_HTTP_REQUEST_TIMEOUT: 'request.timeout',
};

const head = Object.entries(corsHeaders)
  .map(([name, value]) => `${name}: ${value}\r\n`)
  .join('');

/** Answers what Node's HTTP parser refuses, before there is a request. */
export function onClientError(error: Error & { code?: string }, socket: Socket): void {
  // Node says this once per request; from here on it is the body's own watch that ends it.
  if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT' && isReadingRawBody(socket)) return;
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const { status, body } = errorResponse(new MatrixError(parserReasons[error.code ?? ''] ?? 'request.bad-http'));
  const text = JSON.stringify(body);
  socket.end(
    `HTTP/1.1 ${status} ${reasonOf(status)}\r\n${head}Content-Type: application/json\r\n` +
      `Content-Length: ${Buffer.byteLength(text)}\r\nConnection: close\r\n\r\n${text}`,
  );
}

/** Not by an import: one of `node:http` makes all its exports, a web client among them, and that takes 35 ms of each start. */
function reasonOf(status: number): string {
  return process.getBuiltinModule('node:http').STATUS_CODES[status] ?? '';
}
