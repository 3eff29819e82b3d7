import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { createBrowserCookie } from './browser-cookie.ts';

const secure = createBrowserCookie({ publicBaseUrl: 'https://matrix.test', randomBytes });
const plain = createBrowserCookie({ publicBaseUrl: 'http://localhost:8008', randomBytes });
const secret = 'x'.repeat(43);

test('over HTTPS no other host can set or read the cookie, nor a script', () => {
  const { browser, cookie } = secure.readOrMake(undefined);
  assert.equal(cookie, `__Host-portico-sso=${browser}; Path=/; Max-Age=1200; HttpOnly; SameSite=Lax; Secure`);
  assert.match(browser, /^[\w-]{43}$/);
  assert.notEqual(secure.readOrMake(undefined).browser, browser);
  assert.equal(secure.read(`portico-sso=${secret}`), undefined, 'anybody can set that one');
  assert.equal(secure.read(`a=b; __Host-portico-sso=${secret}; c=d`), secret);
  assert.equal(secure.read(`__host-portico-sso=${secret}`), undefined, 'browsers guard the exact name');
});

test('over HTTP there is one without a prefix, which browsers would not keep', () => {
  const { browser, cookie } = plain.readOrMake(undefined);
  assert.equal(cookie, `portico-sso=${browser}; Path=/; Max-Age=1200; HttpOnly; SameSite=Lax`);
  assert.equal(plain.read(`portico-sso=${secret}`), secret);
});

test('what a browser has it keeps, unless it was never given that', () => {
  assert.equal(secure.readOrMake(`__Host-portico-sso=${secret}`).browser, secret);
  for (const value of ['', 'x', `${secret}x`, `${secret.slice(1)} `, `${secret.slice(1)}"`, `"${secret}"`]) {
    const cookies = `__Host-portico-sso=${value}`;
    assert.equal(secure.read(cookies), undefined, value);
    assert.notEqual(secure.readOrMake(cookies).browser, value);
  }
});
