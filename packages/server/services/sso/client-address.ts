import { MatrixError } from '../../errors/matrix-error.ts';

/** Schemes that start something else than a client, or show what whoever made the address wants. */
const refused: ReadonlySet<string> = new Set(
  (
    'javascript vbscript data blob file filesystem about view-source jar resource chrome chrome-extension moz-extension ' +
    'edge ftp mailto tel sms ws wss intent ms-msdt search-ms ms-appinstaller feed mhtml res mk'
  )
    .split(' ')
    .map((scheme) => `${scheme}:`),
);
const longest = 4096;

/** Where a client wants to be led back to: a web address, or one of an app. Throws `sso.bad-redirect`. */
export function parseClientAddress(text: string): URL {
  const url = text.length <= longest ? URL.parse(text) : null;
  if (url === null || refused.has(url.protocol) || url.username !== '' || url.password !== '') {
    throw new MatrixError('sso.bad-redirect');
  }
  if (isOfWeb(url) && !plainHost.test(url.host)) throw new MatrixError('sso.bad-redirect');
  return url;
}

function isOfWeb({ protocol }: URL): boolean {
  return /^https?:$/.test(protocol);
}

/** A name has more characters by the rules for addresses: those mean something in the policy of the page that names it. */
const plainHost = /^(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::\d+)?$/;

/** Whether it is below one of these: an address, or the scheme of an app. */
export function isTrusted(url: URL, trusted: readonly string[]): boolean {
  return trusted.some((entry) => {
    if (/^[^/]+:$/.test(entry)) return url.protocol === entry;
    const place = new URL(entry);
    if (url.protocol !== place.protocol || url.host !== place.host) return false;
    const folder = place.pathname.replace(/\/$/, '');
    return url.pathname === place.pathname || url.pathname.startsWith(`${folder}/`);
  });
}

/**
 * What people recognise a client by. In the address of an app the host is whatever the app likes; without HTTPS it may be
 * anybody.
 */
export function nameOfClient(url: URL): string {
  if (!isOfWeb(url)) return `the app ${url.protocol.slice(0, -1)}`;
  return url.protocol === 'https:' ? url.host : url.origin;
}

/** Where a form leads that ends there, as a policy names it. */
export function targetOfClient(url: URL): string {
  return isOfWeb(url) ? url.origin : url.protocol;
}

/**
 * > `loginToken` is added as a query parameter
 *
 * What is in the address stays as it is written, but for a token that whoever made it has put there already.
 */
export function withLoginToken(url: URL, token: string): string {
  const kept = url.search
    .slice(1)
    .split('&')
    .filter((part) => part !== '' && !new URLSearchParams(part).has('loginToken'));
  const result = new URL(url);
  result.search = [...kept, `loginToken=${encodeURIComponent(token)}`].join('&');
  return result.href;
}
