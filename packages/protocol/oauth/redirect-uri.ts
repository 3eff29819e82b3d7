export type ApplicationType = 'web' | 'native';

/** Why a client cannot be led back to an address. */
export type RedirectUriRule =
  | 'redirect_uri.malformed'
  | 'redirect_uri.fragment'
  | 'redirect_uri.scheme'
  | 'redirect_uri.user'
  | 'redirect_uri.host'
  | 'redirect_uri.authority'
  | 'redirect_uri.port';

export type RedirectUriDecision =
  | { readonly kind: 'ok' }
  | { readonly kind: 'refused'; readonly rule: RedirectUriRule };

const longest = 2048;

/** What URIs are written with. Browsers leave out or change other characters, so that what was checked would not be where they go. */
const uriText = /^[A-Za-z0-9\-._~:/?#[\]@!$&'()*+,;=%]+$/;
const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):/;

/** An `http` URI on the loopback interface, with or without a port. */
const loopback = /^(http:\/\/(?:localhost|127\.0\.0\.1|\[::1\]))(:\d*)?(?=[/?]|$)/;

function parse(text: string): URL | undefined {
  if (text.length > longest || !uriText.test(text)) return undefined;
  return URL.parse(text) ?? undefined;
}

/**
 * An address on the web as every program reads it. Browsers make do with fewer slashes, but go elsewhere with them when they come from
 * a page with HTTPS; and a host of other characters than names have would say something else in a policy for forms.
 */
const webAddress = /^https:\/\/[a-z\d_-]+(?:\.[a-z\d_-]+)*(?::\d+)?(?=[/?#]|$)/i;

const hasUser = ({ username, password }: URL): boolean => username !== '' || password !== '';

/**
 * > This URL MUST use the `https` scheme […]. It MUST NOT use a user or password in the authority component of the URI.
 *
 * A host of one word alone would have every name below it as its own, `com` for instance.
 *
 * {@link https://spec.matrix.org/v1.19/client-server-api/#client-metadata}
 */
export function parseClientUri(text: string): URL | undefined {
  const url = parse(text);
  if (url === undefined || !webAddress.test(text)) return undefined;
  return /[^.]\.[^.]/.test(url.hostname) && !url.hostname.endsWith('.') ? url : undefined;
}

/**
 * > those MUST be either on the same host or on a subdomain of the host of the `client_uri`. The port number, path and query
 * > components MAY be different.
 */
export function isBelowClient(url: URL, clientUri: URL): boolean {
  return url.hostname === clientUri.hostname || url.hostname.endsWith(`.${clientUri.hostname}`);
}

/** A document of the client, to which people are shown a link. */
export function parseClientDocument(text: string, clientUri: URL): URL | undefined {
  const url = parse(text);
  return url !== undefined && webAddress.test(text) && isBelowClient(url, clientUri) ? url : undefined;
}

/** {@link https://spec.matrix.org/v1.19/client-server-api/#redirect-uri-validation} */
export function checkRedirectUri(text: string, clientUri: URL, type: ApplicationType): RedirectUriDecision {
  const url = parse(text);
  if (url === undefined) return refused('redirect_uri.malformed');
  // "the redirect URI MUST NOT have a fragment component", be it an empty one.
  if (text.includes('#')) return refused('redirect_uri.fragment');
  switch (url.protocol) {
    case 'https:':
      return checkHttps(text, url, clientUri);
    case 'http:':
      return type === 'native' ? checkLoopback(text) : refused('redirect_uri.scheme');
    default:
      return type === 'native' ? checkPrivateUse(text, clientUri) : refused('redirect_uri.scheme');
  }
}

function checkHttps(text: string, url: URL, clientUri: URL): RedirectUriDecision {
  if (hasUser(url)) return refused('redirect_uri.user');
  if (!isBelowClient(url, clientUri)) return refused('redirect_uri.host');
  return webAddress.test(text) ? { kind: 'ok' } : refused('redirect_uri.malformed');
}

/** "The host part MUST be `localhost`, `127.0.0.1`, or `[::1]`. There MUST NOT be a port." */
function checkLoopback(text: string): RedirectUriDecision {
  const found = loopback.exec(text);
  if (found === null) return refused('redirect_uri.host');
  return found[2] === undefined ? { kind: 'ok' } : refused('redirect_uri.port');
}

/**
 * > The scheme MUST be prefixed with the client URI hostname in reverse-DNS notation. […] There MUST NOT be an authority
 * > component.
 */
function checkPrivateUse(text: string, clientUri: URL): RedirectUriDecision {
  const [whole = '', name = ''] = scheme.exec(text) ?? [];
  const prefix = clientUri.hostname.split('.').reverse().join('.');
  const given = name.toLowerCase();
  if (given !== prefix && !given.startsWith(`${prefix}.`)) return refused('redirect_uri.scheme');
  return text.startsWith('//', whole.length) ? refused('redirect_uri.authority') : { kind: 'ok' };
}

/**
 * Whether a client may be led to an address, by one that it has registered: it is the same, to the letter.
 *
 * > The homeserver MUST then accept any port number during the authorisation flow.
 */
export function matchesRedirectUri(registered: string, given: string): boolean {
  if (registered === given) return true;
  const found = loopback.exec(given);
  if (found === null || given.length > longest || !uriText.test(given) || URL.parse(given) === null) return false;
  const [whole, origin] = found;
  return registered === `${origin}${given.slice(whole.length)}`;
}

function refused(rule: RedirectUriRule): RedirectUriDecision {
  return { kind: 'refused', rule };
}
