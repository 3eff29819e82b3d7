import {
  isJsonObject,
  JsonError,
  parseJson,
  splitServerName,
  type ServerName,
  parseServerName,
} from '@portico/protocol';
import { routeOf } from '../../outbound/fetch-url.ts';
import { OutboundError } from '../../outbound/outbound-error.ts';
import type { Outbound, OutboundAnswer } from '../../outbound/outbound.ts';
import { headerText } from '../../outbound/read-body.ts';
import { lifetimeOf } from './cache-lifetime.ts';

export type WellKnown =
  | { readonly kind: 'delegated'; readonly name: ServerName; readonly lifetime: number }
  /** Nothing that counts is there: no such file, or not one of ours. */
  | { readonly kind: 'none' }
  /** It could not be asked; it may be there another time. */
  | { readonly kind: 'unreachable' };

const path = '/.well-known/matrix/server';
const answerLimit = 50 * 1024;
/** Milliseconds for all of it, redirects included. */
const timeLimit = 10_000;
const mostRedirects = 5;

/** Where a redirect leads: HTTPS only, or what the certificate proved would be lost. */
function redirection({ headers }: OutboundAnswer, from: URL): URL | undefined {
  const location = headerText(headers, 'location');
  const url = location === undefined ? null : URL.parse(location, from);
  if (url?.protocol !== 'https:' || url.username !== '' || url.password !== '') return undefined;
  url.hash = '';
  return url;
}

function parseAnswer({ status, headers, body }: OutboundAnswer, now: number): WellKnown {
  if (status >= 500) return { kind: 'unreachable' };
  if (status !== 200) return { kind: 'none' };
  try {
    const value = parseJson(body.toString('utf8'));
    const given = isJsonObject(value) ? value['m.server'] : undefined;
    const name = typeof given === 'string' ? parseServerName(given) : undefined;
    if (name === undefined || !isUsable(name)) return { kind: 'none' };
    return { kind: 'delegated', name, lifetime: lifetimeOf(headers, now) };
  } catch (error) {
    if (error instanceof JsonError) return { kind: 'none' };
    throw error;
  }
}

function isUsable(name: ServerName): boolean {
  const port = splitServerName(name)?.port;
  return port === undefined || (Number(port) > 0 && Number(port) <= 65_535);
}

/**
 * Asks a host where its Matrix server is.
 *
 * > 30x redirects should be followed, however redirection loops should be avoided.
 *
 * {@link https://spec.matrix.org/v1.19/server-server-api/#resolving-server-names}
 */
export async function fetchWellKnown(outbound: Outbound, host: string, now: () => number): Promise<WellKnown> {
  const deadline = performance.now() + timeLimit;
  const seen = new Set<string>();
  let url: URL | undefined = URL.parse(`https://${host}${path}`) ?? undefined;
  try {
    for (let redirects = 0; url !== undefined && redirects <= mostRedirects; redirects++) {
      if (seen.has(url.href)) return { kind: 'none' };
      seen.add(url.href);
      const answer: OutboundAnswer = await outbound.request({
        route: routeOf(url),
        method: 'GET',
        path: `${url.pathname}${url.search}`,
        answerLimit,
        timeout: Math.max(1, deadline - performance.now()),
        purpose: 'well-known',
        once: true,
      });
      if (answer.status < 300 || answer.status >= 400) return parseAnswer(answer, now());
      url = redirection(answer, url);
    }
    return { kind: 'none' };
  } catch (error) {
    if (!(error instanceof OutboundError)) throw error;
    return { kind: error.failure === 'too-large' ? 'none' : 'unreachable' };
  }
}
