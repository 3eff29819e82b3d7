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
};

const mostRedirects = 5;

/** Reads an HTTPS URL that somebody else has chosen, wherever that leads: each place is checked anew. */
export async function fetchUrl(outbound: Outbound, from: string, options: Options): Promise<OutboundStream> {
  const deadline = performance.now() + options.timeout;
  let url = parseUrl(from, undefined);
  for (let redirects = 0; redirects <= mostRedirects; redirects++) {
    const answer = await outbound.stream({
      route: routeOf(url),
      method: 'GET',
      path: `${url.pathname}${url.search}`,
      headers: { accept: '*/*' },
      answerLimit: options.answerLimit,
      timeout: Math.max(1, deadline - performance.now()),
      purpose: options.purpose,
      once: true,
    });
    if (answer.status === 200) return answer;
    answer.discard();
    const location = headerText(answer.headers, 'location');
    if (answer.status < 300 || answer.status >= 400 || location === undefined) {
      throw new OutboundError('broken', `${url.host} answered with ${answer.status}`);
    }
    url = parseUrl(location, url);
  }
  throw new OutboundError('broken', `${url.host} leads on and on`);
}

function parseUrl(text: string, base: URL | undefined): URL {
  const url = URL.parse(text, base);
  if (url?.protocol !== 'https:' || url.username !== '' || url.password !== '') {
    throw new OutboundError('broken', 'It leads to something that is no plain HTTPS address');
  }
  url.hash = '';
  return url;
}
