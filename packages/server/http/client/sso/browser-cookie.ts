import { newAccessToken } from '../../../services/accounts/access-tokens.ts';
import { networkKey } from '../../../services/rate-limit/rate-limiter.ts';
import { type Browser, parseBrowserSecret } from '../../../services/sso/browser.ts';

/** What a browser keeps while somebody logs in by way of another service. */
export interface BrowserCookie {
  /** What it has; `undefined` where it has nothing that is ours. */
  read(request: Asking): Browser | undefined;
  /** What it has, or gets. Logins in several of its windows share it. */
  readOrMake(request: Asking): { readonly browser: Browser; readonly cookie: string };
}

type Asking = { readonly cookies: string | undefined; readonly ip: string };

type Options = {
  /** Where browsers see the server: over HTTPS the cookie goes nowhere else, and nobody beside it can set one. */
  readonly publicBaseUrl: string;
  readonly randomBytes: (count: number) => Uint8Array;
};

/** In seconds: as long as a login may take, ten minutes to the provider and back, and ten for what is asked then. */
const lifetime = 1200;

/**
 * `SameSite=Lax`: it comes along when the provider leads back, and with nothing that another page sends. The prefix `__Host-` has
 * browsers refuse it from any other host, and from one that is not reached by HTTPS.
 */
export function createBrowserCookie({ publicBaseUrl, randomBytes }: Options): BrowserCookie {
  const isSecure = publicBaseUrl.startsWith('https:');
  const name = isSecure ? '__Host-portico-sso' : 'portico-sso';
  const attributes = `Path=/; Max-Age=${lifetime}; HttpOnly; SameSite=Lax${isSecure ? '; Secure' : ''}`;

  function findSecret(cookies: string | undefined): string | undefined {
    for (const part of cookies?.split(';') ?? []) {
      const equals = part.indexOf('=');
      if (part.slice(0, equals).trim() === name) return parseBrowserSecret(part.slice(equals + 1).trim());
    }
    return undefined;
  }

  return {
    read({ cookies, ip }) {
      const secret = findSecret(cookies);
      return secret === undefined ? undefined : { secret, network: networkKey(ip) };
    },
    readOrMake({ cookies, ip }) {
      const secret = findSecret(cookies) ?? newAccessToken(randomBytes);
      return { browser: { secret, network: networkKey(ip) }, cookie: `${name}=${secret}; ${attributes}` };
    },
  };
}
