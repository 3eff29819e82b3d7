import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { createBrowserCookie } from './browser-cookie.ts';

const secure = createBrowserCookie({ publicBaseUrl: 'https://matrix.test', randomBytes });
const plain = createBrowserCookie({ publicBaseUrl: 'http://localhost:8008', randomBytes });
const secret = 'x'.repeat(43);
const ip = '2001:db8::1';
const network = '2001:db8:0';

test('over HTTPS no other host can set or read the cookie, nor a script', () => {
  const { browser, cookie } = secure.readOrMake({ cookies: undefined, ip });
  assert.equal(cookie, `__Host-portico-sso=${browser.secret}; Path=/; Max-Age=1200; HttpOnly; SameSite=Lax; Secure`);
  assert.match(browser.secret, /^[\w-]{43}$/);
  assert.notEqual(secure.readOrMake({ cookies: undefined, ip }).browser.secret, browser.secret);
  assert.equal(secure.read({ cookies: `portico-sso=${secret}`, ip }), undefined, 'anybody can set that one');
  assert.deepEqual(secure.read({ cookies: `a=b; __Host-portico-sso=${secret}; c=d`, ip }), { secret, network });
  assert.equal(
    secure.read({ cookies: `__host-portico-sso=${secret}`, ip }),
    undefined,
    'browsers guard the exact name',
  );
});

test('over HTTP there is one without a prefix, which browsers would not keep', () => {
  const { browser, cookie } = plain.readOrMake({ cookies: undefined, ip });
  assert.equal(cookie, `portico-sso=${browser.secret}; Path=/; Max-Age=1200; HttpOnly; SameSite=Lax`);
  assert.deepEqual(plain.read({ cookies: `portico-sso=${secret}`, ip }), { secret, network });
});

test('what a browser has it keeps, unless it was never given that', () => {
  assert.deepEqual(secure.readOrMake({ cookies: `__Host-portico-sso=${secret}`, ip }).browser, { secret, network });
  for (const value of ['', 'x', `${secret}x`, `${secret.slice(1)} `, `${secret.slice(1)}"`, `"${secret}"`]) {
    const cookies = `__Host-portico-sso=${value}`;
    assert.equal(secure.read({ cookies, ip }), undefined, value);
    assert.notEqual(secure.readOrMake({ cookies, ip }).browser.secret, value);
  }
});
