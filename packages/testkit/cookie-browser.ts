/** What a browser shows in the end, and everything on the way there. */
export type Shown = {
  readonly url: string;
  readonly status: number;
  readonly html: string;
  readonly headers: Headers;
  /** Every address that it was led to. */
  readonly way: readonly string[];
};

/** A browser that follows redirects and keeps cookies, each for its origin, until it comes to where `stopAt` says. */
export interface CookieBrowser {
  open(url: string): Promise<Shown>;
  /** Sends the form of a page, with what is filled in. */
  submit(shown: Shown, fields?: Record<string, string>): Promise<Shown>;
  /** What it keeps for an origin. */
  readonly cookies: ReadonlyMap<string, ReadonlyMap<string, string>>;
  /** Keeps what an answer from an origin, to a script of a page, told it to. */
  keep(origin: string, headers: Headers): void;
  /** Where it would go next from an address. */
  peek(url: string): Promise<string>;
}

export function createCookieBrowser(stopAt: (url: string) => boolean): CookieBrowser {
  const cookies = new Map<string, Map<string, string>>();

  function keep(origin: string, headers: Headers): void {
    const jar = cookies.get(origin) ?? new Map<string, string>();
    cookies.set(origin, jar);
    for (const cookie of headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
      if (/expires=Thu, 01 Jan 1970/i.test(cookie)) jar.delete(name);
      else jar.set(name, value);
    }
  }

  const cookiesOf = (url: string): string =>
    [...(cookies.get(new URL(url).origin) ?? [])].map(([name, value]) => `${name}=${value}`).join('; ');

  async function ask(url: string, init: RequestInit = {}): Promise<Response> {
    const cookie = cookiesOf(url);
    const response = await fetch(url, { ...init, redirect: 'manual', headers: { ...(cookie !== '' && { cookie }) } });
    keep(new URL(url).origin, response.headers);
    return response;
  }

  async function go(url: string, init: RequestInit = {}): Promise<Shown> {
    const way: string[] = [];
    let next = url;
    let request = init;
    for (let hops = 0; hops < 20; hops += 1) {
      way.push(next);
      if (stopAt(next)) return { url: next, status: 0, html: '', headers: new Headers(), way };
      const response = await ask(next, request);
      const location = response.headers.get('location');
      if (location === null || response.status < 300 || response.status >= 400) {
        return { url: next, status: response.status, html: await response.text(), headers: response.headers, way };
      }
      await response.text();
      next = new URL(location, next).href;
      request = {};
    }
    throw new Error(`${url} leads on and on: ${way.join(' ')}`);
  }

  return {
    cookies,
    keep,
    async peek(url) {
      const response = await ask(url);
      await response.text();
      return new URL(response.headers.get('location') ?? '', url).href;
    },
    open: (url) => go(url),
    submit: ({ url }, fields = {}) => go(url, { method: 'POST', body: new URLSearchParams(fields) }),
  };
}
