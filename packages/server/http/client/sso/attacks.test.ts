import assert from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { after, afterEach, before, describe, test } from 'node:test';
import type { CookieBrowser, Shown } from '@portico/testkit/cookie-browser.ts';
import { isCallback, newSubject, type SsoServer, startSsoServer } from '@portico/testkit/sso-server.ts';

/** Answers a path of the provider with JSON that is changed. */
function changed(sso: SsoServer, path: string, change: (answer: Record<string, unknown>) => object): void {
  async function answer(response: ServerResponse): Promise<void> {
    const text = JSON.stringify(change(await fetchUntouched(sso, path)));
    response.setHeader('content-type', 'application/json').end(text);
  }
  sso.idp.intercept = (request: IncomingMessage, response: ServerResponse) => {
    if (request.url?.startsWith(path) !== true) return false;
    void answer(response);
    return true;
  };
}

async function fetchUntouched(sso: SsoServer, path: string): Promise<Record<string, unknown>> {
  const before = sso.idp.intercept;
  sso.idp.intercept = undefined;
  const answer = (await (await fetch(sso.idp.issuer + path)).json()) as Record<string, unknown>;
  sso.idp.intercept = before;
  return answer;
}

function assertRefused(shown: Shown, status: number, words: RegExp): void {
  assert.equal(shown.status, status, shown.html);
  assert.match(shown.html, words);
  assert.doesNotMatch(shown.html, /\bat .*\.ts:|Error:|loginToken/, 'nothing of the inside is shown');
}

const over = /This login is over/;
const otherBrowser = /begun in another browser/;
const failed = /does not answer, or not as it should/;

for (const engine of ['sqlite', 'postgres'] as const) {
  describe(`attacks on logins by way of a provider (${engine})`, () => {
    let sso: SsoServer;
    before(async () => {
      sso = await startSsoServer({ engine, providers: [{ id: 'test' }, { id: 'other' }] });
    });
    after(async () => {
      await sso.close();
      assert.deepEqual(sso.server.errors, []);
    });
    afterEach(() => {
      sso.idp.intercept = undefined;
    });

    /** Somebody at the provider, on the way back from there. */
    async function comeBack(sub = newSubject()): Promise<{ browser: CookieBrowser; callback: string }> {
      sso.idp.person = { sub, preferred_username: sub };
      const browser = sso.newBrowser(isCallback);
      const shown = await browser.open(sso.redirectOf(undefined, 'test'));
      assert.ok(isCallback(shown.url), shown.url);
      return { browser, callback: shown.url };
    }
    /** As the browser that has these cookies goes on. */
    async function follow(browser: CookieBrowser, url: string): Promise<Shown> {
      const same = sso.newBrowser();
      for (const [origin, jar] of browser.cookies) {
        same.keep(origin, new Headers([...jar].map(([name, value]) => ['set-cookie', `${name}=${value}`])));
      }
      return same.open(url);
    }

    test('an answer of the provider is good once', async () => {
      const { browser, callback } = await comeBack();
      assert.match(sso.tokenIn(await follow(browser, callback)), /^[\w-]{43}$/);
      assertRefused(await follow(browser, callback), 400, over);
    });

    test('two at the same moment do not both get in', async () => {
      const { browser, callback } = await comeBack();
      const both = await Promise.all([follow(browser, callback), follow(browser, callback)]);
      assert.equal(both.filter(({ status }) => status === 0).length, 1);
    });

    test('it is good for the browser alone that began, which still gets in after another has tried', async () => {
      const { browser, callback } = await comeBack();
      assertRefused(await sso.newBrowser().open(callback), 403, otherBrowser);
      const another = sso.newBrowser(isCallback);
      await another.open(sso.redirectOf(undefined, 'test'));
      assertRefused(await follow(another, callback), 403, otherBrowser);
      assert.match(sso.tokenIn(await follow(browser, callback)), /^[\w-]{43}$/);
    });

    test('a state that was made up, or none, is that of no login', async () => {
      const { browser, callback } = await comeBack();
      for (const state of ['made up', '', 'x'.repeat(43)]) {
        const url = new URL(callback);
        url.searchParams.set('state', state);
        assertRefused(await follow(browser, url.href), 400, over);
      }
    });

    test('a token that was asked for with another nonce gets nobody in', async () => {
      sso.idp.person = { sub: newSubject() };
      const browser = sso.newBrowser((url) => url.startsWith(sso.idp.issuer));
      const url = new URL((await browser.open(sso.redirectOf(undefined, 'test'))).url);
      assert.equal(url.searchParams.get('code_challenge_method'), 'S256');
      assert.match(url.searchParams.get('nonce') ?? '', /^[\w-]{43}$/);
      url.searchParams.set('nonce', 'of another login');
      assertRefused(await follow(browser, url.href), 502, failed);
    });

    test('an answer of another issuer is refused', async () => {
      const { browser, callback } = await comeBack();
      const url = new URL(callback);
      assert.equal(url.searchParams.get('iss'), sso.idp.issuer);
      url.searchParams.set('iss', 'https://evil.test');
      assertRefused(await follow(browser, url.href), 502, failed);
    });

    test('an answer that is led to the address of another provider is refused', async () => {
      const { browser, callback } = await comeBack();
      assertRefused(await follow(browser, callback.replace('/callback/test', '/callback/other')), 400, over);
    });

    test('a code that was given to another browser is worth nothing', async () => {
      const victim = await comeBack();
      const attacker = await comeBack();
      const url = new URL(attacker.callback);
      url.searchParams.set('code', new URL(victim.callback).searchParams.get('code') ?? '');
      assertRefused(await follow(attacker.browser, url.href), 502, failed);
    });

    test('what pages ask is answered by the same browser alone, once', async () => {
      sso.idp.person = { sub: newSubject(), preferred_username: newSubject() };
      const browser = sso.newBrowser();
      const asked = await browser.open(sso.redirectOf('https://client.test/', 'test'));
      assert.equal(asked.status, 200);
      const other = sso.newBrowser();
      assertRefused(await other.open(asked.url), 403, otherBrowser);
      assertRefused(await other.submit(asked), 403, otherBrowser);
      assert.equal((await browser.submit(asked)).status, 0);
      assertRefused(await browser.submit(asked), 400, over);
    });

    test('the name of a login that is at the provider opens no page, and the other way round', async () => {
      const { browser, callback } = await comeBack();
      const state = new URL(callback).searchParams.get('state') ?? '';
      assertRefused(await follow(browser, `${sso.base}/_portico/client/v1/sso/continue?login=${state}`), 400, over);
      const asked = await follow(browser, sso.redirectOf('https://client.test/', 'test'));
      const login = new URL(asked.url).searchParams.get('login') ?? '';
      const url = new URL(callback);
      url.searchParams.set('state', login);
      assertRefused(await follow(browser, url.href), 400, over);
    });

    test('addresses that are no clients’ are refused before anybody is led anywhere', async () => {
      for (const redirectUrl of [
        'javascript:alert(1)',
        'JavaScript:alert(1)',
        ' javascript:alert(1)',
        'java\nscript:alert(1)',
        'data:text/html,<script>alert(1)</script>',
        'vbscript:x',
        'blob:https://client.test/1',
        'file:///etc/passwd',
        'view-source:https://client.test/',
        '//client.test/',
        '/relative',
        '',
        'https://trusted.test@evil.test/',
        'https://a;sandbox/',
        'https://*/',
        'https://a"b/',
        'https:///',
        `https://client.test/${'x'.repeat(5000)}`,
      ]) {
        for (const id of [undefined, 'test']) {
          const shown = await sso.newBrowser().open(sso.redirectOf(redirectUrl || '%20', id));
          assertRefused(shown, 400, /is none that this server leads to/);
        }
      }
    });

    test('a client is called what it cannot choose', async () => {
      sso.idp.person = { sub: newSubject(), preferred_username: newSubject() };
      for (const [redirectUrl, name] of [
        ['https://client.test:8443/client.example/', 'client.test:8443'],
        ['http://client.test/', 'http://client.test'],
        ['evil://client.test/', 'the app evil'],
        ['evil:client.test', 'the app evil'],
        ['https://\u0441lient.test/', 'xn--lient-0ye.test'],
      ] as const) {
        const { html } = await sso.newBrowser().open(sso.redirectOf(redirectUrl, 'test'));
        assert.equal(/log in to <strong>(.*?)<\/strong>/.exec(html)?.[1], name);
      }
    });

    test('an address that only looks like a trusted one is asked about', async () => {
      sso.idp.person = { sub: newSubject(), preferred_username: newSubject() };
      for (const redirectUrl of [
        'https://trusted.test.evil.test/app/',
        'https://trusted.test/application',
        'https://trusted.test:8443/app/',
        'http://trusted.test/app/',
        'https://trusted.test/app/../elsewhere',
      ]) {
        assert.equal((await sso.newBrowser().open(sso.redirectOf(redirectUrl, 'test'))).status, 200, redirectUrl);
      }
      assert.equal((await sso.newBrowser().open(sso.redirectOf('https://trusted.test/app/x?y#z', 'test'))).status, 0);
    });

    test('a token that whoever made the address has put there does not stay', async () => {
      sso.idp.person = { sub: newSubject(), preferred_username: newSubject() };
      const given = 'https://trusted.test/app/?loginToken=of-the-attacker&a=%20b+c&login%54oken=again#x';
      const url = new URL((await sso.newBrowser().open(sso.redirectOf(given, 'test'))).url);
      assert.equal(url.searchParams.getAll('loginToken').length, 1);
      assert.match(url.href, /^https:\/\/trusted\.test\/app\/\?a=%20b\+c&loginToken=[\w-]{43}#x$/);
    });
  });
}

describe('providers that lie or are down', () => {
  let sso: SsoServer;
  before(async () => {
    sso = await startSsoServer();
  });
  after(async () => {
    await sso.close();
    assert.deepEqual(sso.server.errors, []);
  });
  afterEach(() => {
    sso.idp.intercept = undefined;
  });
  const discovery = '/.well-known/openid-configuration';
  const begin = () => sso.newBrowser().open(sso.redirectOf());

  test('metadata that is of another issuer, or names places that it may not, leads nobody anywhere', async () => {
    for (const change of [
      { issuer: 'https://evil.test' },
      { issuer: `${sso.idp.issuer}/else` },
      { authorization_endpoint: 'http://evil.test/auth' },
      { authorization_endpoint: 'javascript:alert(1)' },
      { authorization_endpoint: 'https://user:password@evil.test/auth' },
      { authorization_endpoint: undefined },
    ]) {
      changed(sso, discovery, (metadata) => ({ ...metadata, ...change }));
      assertRefused(await begin(), 502, failed);
    }
  });

  test('what is not JSON, too long, packed, an error or a redirect is no metadata', async () => {
    for (const answer of [
      (response: ServerResponse) => response.end('<html>'),
      (response: ServerResponse) => response.end(JSON.stringify({ issuer: sso.idp.issuer, x: 'x'.repeat(300_000) })),
      (response: ServerResponse) => response.setHeader('content-encoding', 'gzip').end('x'),
      (response: ServerResponse) => response.writeHead(500).end(),
      (response: ServerResponse) => response.writeHead(302, { location: `${sso.idp.issuer}/elsewhere` }).end(),
      (response: ServerResponse) => response.destroy(),
    ]) {
      sso.idp.intercept = (_request, response) => {
        response.setHeader('content-type', 'application/json');
        answer(response);
        return true;
      };
      assertRefused(await begin(), 502, failed);
    }
  });

  test('tokens and people are asked for nowhere else, and signed with keys that the provider has', async () => {
    // The same provider by a name that is not its own: it would answer.
    const elsewhere = (port: string) => `http://localhost:${port}`;
    for (const [path, change] of [
      [discovery, (port: string) => ({ token_endpoint: `${elsewhere(port)}/token` })],
      [discovery, (port: string) => ({ userinfo_endpoint: `${elsewhere(port)}/me` })],
      [discovery, (port: string) => ({ jwks_uri: `${elsewhere(port)}/jwks` })],
      ['/jwks', () => ({ keys: [] })],
    ] as const) {
      const other = await startSsoServer({ settings: { OUTBOUND_ALLOW_PRIVATE_ADDRESSES: 'true' } });
      changed(other, path, (answer) => ({ ...answer, ...change(new URL(other.idp.issuer).port) }));
      other.idp.person = { sub: newSubject(), preferred_username: newSubject() };
      assertRefused(await other.newBrowser().open(other.redirectOf()), 502, failed);
      other.idp.intercept = undefined;
      assert.deepEqual(other.server.errors, []);
      await other.close();
    }
  });

  test('a place of the server’s own network that metadata names is not asked', async () => {
    const other = await startSsoServer();
    const asked: string[] = [];
    const { createServer } = await import('node:net');
    const inside = createServer((socket) => {
      asked.push('somebody');
      socket.destroy();
    });
    await new Promise<void>((resolve) => inside.listen(0, '127.0.0.1', resolve));
    const { port } = inside.address() as { port: number };
    changed(other, discovery, (answer) => ({ ...answer, token_endpoint: `https://127.0.0.1:${port}/token` }));
    other.idp.person = { sub: newSubject(), preferred_username: newSubject() };
    assertRefused(await other.newBrowser().open(other.redirectOf()), 502, failed);
    assert.deepEqual(asked, []);
    inside.close();
    await other.close();
  });

  test('what is said of somebody else than the token is about gets nobody in', async () => {
    sso.idp.person = { sub: newSubject(), preferred_username: newSubject() };
    let asked = 0;
    sso.idp.intercept = (request, response) => {
      if (request.url?.startsWith('/me') !== true) return false;
      asked += 1;
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ sub: 'somebody-else' }));
      return true;
    };
    assertRefused(await begin(), 502, failed);
    assert.equal(asked, 1);
    sso.idp.intercept = undefined;
    assert.equal((await begin()).status, 0);
  });

  test('once it is up again, people get in', async () => {
    const down = await startSsoServer();
    down.idp.intercept = (_request, response) => response.destroy() !== undefined;
    assertRefused(await down.newBrowser().open(down.redirectOf()), 502, failed);
    down.idp.intercept = undefined;
    down.idp.person = { sub: newSubject(), preferred_username: newSubject() };
    assert.equal((await down.newBrowser().open(down.redirectOf())).status, 0);
    await down.close();
  });

  test('who did not log in there is told so', async () => {
    sso.idp.person = undefined;
    assertRefused(await begin(), 403, /did not let you in/);
  });
});
