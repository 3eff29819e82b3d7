import { OutboundError } from './outbound-error.ts';
import type { Outbound, OutboundStream } from './outbound.ts';
import { headerText } from './read-body.ts';
import type { Route } from './route.ts';

/** The way to a URL's server. */
export function routeOf(url: URL): Route {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const isSecure = url.protocol === 'https:';
  return {
    targets: [{ host, port: Number(url.port || (isSecure ? 443 : 80)) }],
    host: url.host,
    certificateName: isSecure ? host : undefined,
  };
}

type Options = {
  readonly answerLimit: number;
  /** Milliseconds for all of it, redirects included. */
  readonly timeout: number;
  readonly purpose: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Throws where this is no place to go to. HTTPS alone, if absent. */
  readonly check?: (url: URL) => void;
};

/** An answer, and the address that it is from in the end. */
export type Fetched = OutboundStream & { readonly url: URL };

const mostRedirects = 5;

/** Reads a URL that somebody else has chosen, wherever that leads: each place is checked anew. */
export async function fetchUrl(outbound: Outbound, from: string, options: Options): Promise<Fetched> {
  const { answerLimit, timeout, purpose, headers, check = requireHttps } = options;
  const deadline = performance.now() + timeout;
  let url = parseUrl(from, undefined, check);
  for (let redirects = 0; redirects <= mostRedirects; redirects++) {
    const answer = await outbound.stream({
      route: routeOf(url),
      method: 'GET',
      path: `${url.pathname}${url.search}`,
      headers: { accept: '*/*', ...headers },
      answerLimit,
      timeout: Math.max(1, deadline - performance.now()),
      purpose,
      once: true,
    });
    if (answer.status === 200) return { ...answer, url };
    answer.discard();
    const location = headerText(answer.headers, 'location');
    if (answer.status < 300 || answer.status >= 400 || location === undefined) {
      throw new OutboundError('broken', `${url.host} answered with ${answer.status}`);
    }
    url = parseUrl(location, url, check);
  }
  throw new OutboundError('broken', `${url.host} leads on and on`);
}

function requireHttps({ protocol }: URL): void {
  if (protocol !== 'https:') throw new OutboundError('broken', 'It leads to something that is no HTTPS address');
}

function parseUrl(text: string, base: URL | undefined, check: (url: URL) => void): URL {
  const url = URL.parse(text, base);
  if (url === null || url.username !== '' || url.password !== '') {
    throw new OutboundError('broken', 'It leads to something that is no plain address');
  }
  check(url);
  url.hash = '';
  return url;
}
