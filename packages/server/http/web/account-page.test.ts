import assert from 'node:assert/strict';
import { request } from 'node:http';
import { text as readText } from 'node:stream/consumers';
import { once } from 'node:events';
import { after, suite, test } from 'node:test';
import { startTestServer } from '@portico/testkit/server.ts';

suite('the account page', async () => {
  const listeners = [
    { address: '127.0.0.1', port: 0, serve: ['client', 'web'] },
    { address: '127.0.0.1', port: 0, serve: ['client', 'federation', 'admin'] },
  ];
  const server = await startTestServer({ settings: { LISTENERS: JSON.stringify(listeners) } });
  after(async () => {
    await server.close();
    assert.deepEqual(server.errors, []);
  });
  const get = (path: string, headers: Record<string, string> = {}) =>
    fetch(server.baseUrl + path, { headers, redirect: 'manual' });
  const page = await get('/account');
  const html = await page.text();
  const links = Array.from(html.matchAll(/(?:href|src)="([^"]+)"/g), ([, link = '']) => link);

  function assertGuarded({ headers }: Response, type: string): void {
    assert.equal(headers.get('content-type'), `${type}; charset=utf-8`);
    assert.equal(
      headers.get('content-security-policy'),
      "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' blob:; base-uri 'none'; frame-ancestors 'none'; form-action 'self'",
    );
    assert.equal(headers.get('x-content-type-options'), 'nosniff');
    assert.equal(headers.get('referrer-policy'), 'no-referrer');
  }

  test('is HTML without scripts or styles in it, and with addresses that are relative', () => {
    assert.equal(page.status, 200);
    assertGuarded(page, 'text/html');
    assert.match(html, /<html lang="en">/);
    assert.doesNotMatch(html, /<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=/);
    assert.ok(links.length > 50, `${links.length} links`);
    for (const link of links) assert.match(link, /^account\/[a-z0-9.-]+\?v=[\w-]+$/);
  });

  test('everything that it loads is there: modules that import nothing but each other', async () => {
    const known = new Set(links.map((link) => link.replace('account/', './')));
    for (const link of new Set(links)) {
      const response = await get(`/${link}`);
      const body = await response.text();
      assert.equal(response.status, 200, link);
      const isStyle = link.includes('.css');
      assertGuarded(response, isStyle ? 'text/css' : 'text/javascript');
      assert.equal(response.headers.get('cache-control'), 'public, max-age=31536000, immutable');
      if (isStyle) continue;
      assert.doesNotMatch(body, /^(?:import|export) type |\bas const\b/m, link);
      for (const [, target = ''] of body.matchAll(
        /(?:^|[;}])\s*(?:import|export)\b[^'"`;()]*\bfrom\s*['"]([^'"]+)['"]/gm,
      ))
        assert.ok(known.has(target), `${link}: ${target}`);
    }
  });

  test('is asked for again each time, and sent only if it has changed', async () => {
    assert.equal(page.headers.get('cache-control'), 'no-cache');
    const tag = page.headers.get('etag') ?? '';
    const again = await get('/account', { 'if-none-match': tag });
    assert.equal(again.status, 304);
    assert.equal(await again.text(), '');
    const other = await get('/account/web.account.main.js?v=another');
    assert.equal(other.headers.get('cache-control'), 'no-cache');
    assert.notEqual(other.headers.get('etag'), tag);
  });

  test('with a slash behind, leads to itself', async () => {
    const response = await get('/account/');
    assert.equal(response.status, 308);
    assert.equal(new URL(response.headers.get('location') ?? '', `${server.baseUrl}/account/`).pathname, '/account');
  });

  test('nothing else is served, whatever is asked for', async () => {
    const names = [
      'package.json',
      'main.ts',
      'account.main.ts',
      'page.html',
      'files.json',
      '__proto__',
      'toString',
      'constructor',
    ];
    const paths = [
      '..%2f..%2fpackage.json',
      '%2e%2e/%2e%2e/package.json',
      '../package.json',
      '..%5cpackage.json',
      '%2fetc%2fpasswd',
    ];
    for (const name of [...names, ...paths]) {
      // Not `fetch`: that would tidy up the address.
      const outgoing = request(server.baseUrl, { path: `/account/${name}` }).end();
      const [response] = (await once(outgoing, 'response')) as [import('node:http').IncomingMessage];
      const body = await readText(response);
      assert.equal(response.statusCode, 404, name);
      assert.equal((JSON.parse(body) as { errcode: string }).errcode, 'M_UNRECOGNIZED', name);
    }
  });

  test('is only where the listener serves pages', async () => {
    assert.equal((await fetch(`${server.urls[1]}/account`)).status, 404);
    assert.equal((await fetch(`${server.urls[1]}/account/web.account.main.js`)).status, 404);
  });
});
