import type { CustomFetch, CustomFetchOptions } from 'openid-client';
import { routeOf } from '../outbound/fetch-url.ts';
import { OutboundError } from '../outbound/outbound-error.ts';
import type { Outbound } from '../outbound/outbound.ts';

/** Bytes of an answer that are read. */
const answerLimit = 256 * 1024;
/** Milliseconds for one of them. */
const timeout = 10_000;

/** Statuses whose answers have no body. */
const bodiless: ReadonlySet<number> = new Set([204, 205, 304]);

/**
 * Throws unless it is an address that a provider may name: an HTTPS one, or one of its own origin, which is HTTP in tests
 * alone.
 */
export function checkEndpoint(address: string, issuer: URL): URL {
  const url = URL.parse(address);
  if (url === null || url.username !== '' || url.password !== '') {
    throw new OutboundError('broken', 'The provider names something that is no plain address');
  }
  const isAllowed = url.protocol === 'https:' || (url.protocol === 'http:' && url.origin === issuer.origin);
  if (!isAllowed) throw new OutboundError('broken', `The provider names an address that is not HTTPS: ${url.origin}`);
  return url;
}

/**
 * How a provider is asked: with the limits of everything that this server asks. The operator has named the issuer, which may
 * have a private address; what else it names may have none.
 */
export function createProviderFetch(outbound: Outbound, issuer: URL): CustomFetch {
  return async (address, { method, headers, body, signal }) => {
    const url = checkEndpoint(address, issuer);
    const text = textOf(body);
    const answer = await outbound.request({
      route: { ...routeOf(url), mayBePrivate: url.origin === issuer.origin },
      method: method === 'POST' ? 'POST' : 'GET',
      path: `${url.pathname}${url.search}`,
      headers,
      ...(text !== undefined && { body: text }),
      answerLimit,
      timeout,
      signal,
      purpose: 'single-sign-on',
    });
    const fields = Object.entries(answer.headers).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, typeof value === 'string' ? value : value.join(', ')] as [string, string]],
    );
    const content = bodiless.has(answer.status) ? null : new Uint8Array(answer.body);
    return new Response(content, { status: answer.status, headers: fields });
  };
}

function textOf(body: CustomFetchOptions['body']): string | undefined {
  if (body === null || body === undefined) return undefined;
  if (typeof body === 'string') return body;
  if (body instanceof URLSearchParams) return body.toString();
  throw new TypeError('A provider is sent forms only');
}
