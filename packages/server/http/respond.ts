import { hash } from 'node:crypto';
import type { FastifyReply } from 'fastify';
import { Page, RawJson, Reply } from './result.ts';

/**
 * On every response, errors and unknown paths included, or web clients cannot read it.
 *
 * {@link https://spec.matrix.org/v1.19/client-server-api/#web-browser-clients}
 */
export const corsHeaders = {
  'Access-Control-Allow-Origin': '*',
  'Access-Control-Allow-Methods': 'GET, HEAD, POST, PUT, DELETE, PATCH, OPTIONS',
  'Access-Control-Allow-Headers': 'X-Requested-With, Content-Type, Authorization, Date',
} as const;

/** Without a charset: JSON has none, and some clients and suites compare the whole header. */
const jsonHeaders = { ...corsHeaders, 'Content-Type': 'application/json' } as const;

export function sendJsonText(reply: FastifyReply, status: number, text: string): FastifyReply {
  // Without a serializer of its own a reply gets a charset.
  return reply.code(status).headers(jsonHeaders).serializer(asIs).send(text);
}

function asIs(text: string): string {
  return text;
}

/** Answers a preflight without touching the endpoint behind it. A browser may remember the answer for a day. */
export function sendPreflight(reply: FastifyReply, allowed: readonly string[] = []): FastifyReply {
  const headers = [corsHeaders['Access-Control-Allow-Headers'], ...allowed].join(', ');
  return reply
    .code(204)
    .headers({ ...corsHeaders, 'Access-Control-Allow-Headers': headers, 'Access-Control-Max-Age': '86400' })
    .send();
}

/**
 * Pages that are no part of the client-server API are for people alone: the page of somebody else reads none of them.
 *
 * > CORS MUST NOT be supported at the authorization endpoint
 *
 * {@link https://www.rfc-editor.org/rfc/rfc9700#section-2.6}
 */
function readersOf({ request }: FastifyReply): typeof corsHeaders | undefined {
  return request.routeOptions.url?.startsWith('/_matrix/') === true ? corsHeaders : undefined;
}

/** A page runs no script but the one it is made with, and loads nothing; its address, which may hold a secret, is told to nobody. */
function sendPage(reply: FastifyReply, { html, options }: Page): FastifyReply {
  const { status = 200, location, cookie, formTargets = [], script } = options;
  if (location !== undefined) reply.header('Location', location);
  if (cookie !== undefined) reply.header('Set-Cookie', cookie);
  const scripts =
    script === undefined ? '' : `; script-src 'sha256-${hash('sha256', script, 'base64')}'; connect-src 'self'`;
  const forms = ["'self'", ...formTargets].join(' ');
  return reply
    .code(status)
    .headers({
      ...readersOf(reply),
      'Content-Type': 'text/html; charset=utf-8',
      'Content-Security-Policy': `default-src 'none'; style-src 'unsafe-inline'${scripts}; base-uri 'none'; frame-ancestors 'none'; form-action ${forms}`,
      'X-Content-Type-Options': 'nosniff',
      'X-Frame-Options': 'DENY',
      'Referrer-Policy': 'no-referrer',
      'Cache-Control': 'no-store',
    })
    .send(html);
}

export function sendResult(reply: FastifyReply, result: unknown): FastifyReply {
  if (result instanceof Page) return sendPage(reply, result);
  if (result instanceof RawJson) return sendJsonText(reply, 200, result.text);
  if (result instanceof Reply) {
    if (result.headers !== undefined) reply.headers(result.headers);
    return sendJsonText(reply, result.status, bodyText(result.body));
  }
  return sendJsonText(reply, 200, JSON.stringify(result));
}

function bodyText(body: unknown): string {
  return body instanceof RawJson ? body.text : JSON.stringify(body);
}
