import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ApplicationType, checkRedirectUri, matchesRedirectUri, parseClientUri } from './redirect-uri.ts';

const ok = undefined;
const clientUri = new URL('https://example.com/');

function ruleOf(uri: string, type: ApplicationType, client = clientUri): string | undefined {
  const decision = checkRedirectUri(uri, client, type);
  return decision.kind === 'ok' ? undefined : decision.rule.replace('redirect_uri.', '');
}

test('redirect URIs are those of the table, which has all examples of the specification', () => {
  for (const [uri, web, native] of [
    ['https://example.com/callback', ok, ok],
    ['https://app.example.com/callback', ok, ok],
    ['https://example.com:5173/?query=value', ok, ok],
    ['https://EXAMPLE.com/', ok, ok],
    ['https://a.b.example.com', ok, ok],
    ['https://example.com/callback#fragment', 'fragment', 'fragment'],
    ['https://example.com/callback#', 'fragment', 'fragment'],
    ['http://example.com/callback', 'scheme', 'host'],
    ['http://localhost/', 'scheme', ok],
    ['com.example.app:/callback', 'scheme', ok],
    ['com.example:/', 'scheme', ok],
    ['com.example:callback', 'scheme', ok],
    ['COM.Example.App:/callback', 'scheme', ok],
    ['http://localhost/callback', 'scheme', ok],
    ['http://127.0.0.1/callback', 'scheme', ok],
    ['http://[::1]/callback', 'scheme', ok],
    ['http://localhost?a=b', 'scheme', ok],
    ['example:/callback', 'scheme', 'scheme'],
    ['com.example.app://callback', 'scheme', 'authority'],
    ['com.example.app:///callback', 'scheme', 'authority'],
    ['https://localhost/callback', 'host', 'host'],
    ['http://localhost:1234/callback', 'scheme', 'port'],
    ['http://localhost:80/callback', 'scheme', 'port'],
    ['http://localhost:/callback', 'scheme', 'port'],
    ['http://localhost.example.com/callback', 'scheme', 'host'],
    ['http://user@localhost/callback', 'scheme', 'host'],
    ['http://127.0.0.2/callback', 'scheme', 'host'],
    ['http://127.1/callback', 'scheme', 'host'],
    ['HTTP://localhost/callback', 'scheme', 'host'],
    ['https://app.com/callback', 'host', 'host'],
    ['https://example.com.evil.test/', 'host', 'host'],
    ['https://evilexample.com/', 'host', 'host'],
    ['https://example.com./', 'host', 'host'],
    ['https://user@example.com/', 'user', 'user'],
    ['https://:secret@example.com/', 'user', 'user'],
    ['https://example.com@evil.test/', 'user', 'user'],
    ['https://example.com\\@evil.test/', 'malformed', 'malformed'],
    ['https://example.com/\nSet-Cookie:x', 'malformed', 'malformed'],
    ['https://example.com/ ', 'malformed', 'malformed'],
    ['https://exämple.com/', 'malformed', 'malformed'],
    ['https://example.com/"><script>', 'malformed', 'malformed'],
    ['https:example.com/callback', 'malformed', 'malformed'],
    ['https:/example.com/callback', 'malformed', 'malformed'],
    ['https:///example.com/callback', 'malformed', 'malformed'],
    ['https://@example.com/', 'malformed', 'malformed'],
    ['https://:@example.com/', 'malformed', 'malformed'],
    ['https://example.com:/', 'malformed', 'malformed'],
    ['https://ex%61mple.com/', 'malformed', 'malformed'],
    ['https://a%2Eexample.com/', 'malformed', 'malformed'],
    ['https://a;sandbox.example.com/', 'malformed', 'malformed'],
    ['https://a,b.example.com/', 'malformed', 'malformed'],
    ['https://*.example.com/', 'malformed', 'malformed'],
    ['https://a..example.com/', 'malformed', 'malformed'],
    ['https://example.com', ok, ok],
    ['https://xn--bcher-kva.example.com?a=b', ok, ok],
    ['com.examples.app:/', 'scheme', 'scheme'],
    ['com.evil.example:/', 'scheme', 'scheme'],
    ['javascript:alert(1)', 'scheme', 'scheme'],
    ['data:text/html,x', 'scheme', 'scheme'],
    ['/callback', 'malformed', 'malformed'],
    ['', 'malformed', 'malformed'],
    [`https://example.com/${'x'.repeat(2048)}`, 'malformed', 'malformed'],
  ] as const) {
    assert.deepEqual([ruleOf(uri, 'web'), ruleOf(uri, 'native')], [web, native], uri);
  }
});

test('a client’s own address is one with HTTPS and a host of several words, without a user', () => {
  for (const [uri, isGood] of [
    ['https://example.com', true],
    ['https://app.example.com:8443/about?x=y', true],
    ['http://example.com/', false],
    ['https://localhost/', false],
    ['https://com/', false],
    ['https://com./', false],
    ['https://example.com./', false],
    ['https://user@example.com/', false],
    ['https://.com/', false],
    ['https:example.com/', false],
    ['https:/example.com/', false],
    ['https://@example.com/', false],
    ['https://*.com/', false],
    ["https://it's.example/", false],
    ['https://a;b.example/', false],
    ['https://ex%61mple.com/', false],
    ['com.example:/', false],
    ['javascript:alert(1)//x.y', false],
    [' https://example.com', false],
    ['nothing', false],
  ] as const) {
    assert.equal(parseClientUri(uri) !== undefined, isGood, uri);
  }
});

test('a client is led to what it has registered, to the letter, and on its own machine to any port', () => {
  for (const [registered, given, isSame] of [
    ['https://example.com/callback', 'https://example.com/callback', true],
    ['https://example.com/callback', 'https://example.com/callback/', false],
    ['https://example.com/callback', 'https://example.com/callback?a=b', false],
    ['https://example.com/callback', 'https://example.com/callback#a', false],
    ['https://example.com/callback', 'https://EXAMPLE.com/callback', false],
    ['https://example.com/callback', 'https://example.com:443/callback', false],
    ['https://example.com/callback', 'https://example.com/x/../callback', false],
    ['https://example.com/', 'https://example.com:8443/', false],
    ['http://localhost/callback', 'http://localhost:1234/callback', true],
    ['http://localhost/callback', 'http://localhost:65535/callback', true],
    ['http://localhost/callback', 'http://localhost:99999/callback', false],
    ['http://localhost/callback', 'http://localhost/callback', true],
    ['http://localhost/callback', 'http://127.0.0.1:1234/callback', false],
    ['http://[::1]/callback', 'http://[::1]:1234/callback', true],
    ['http://127.0.0.1/callback', 'http://127.0.0.1:1234/callback', true],
    ['http://127.0.0.1/callback', 'http://127.0.0.1:1234/other', false],
    ['http://127.0.0.1/callback', 'http://127.0.0.1:1234@evil.test/callback', false],
    ['http://127.0.0.1/callback', 'http://127.0.0.1:12.evil.test/callback', false],
    ['http://127.0.0.1/callback', 'http://127.0.0.1:1\n/callback', false],
    ['com.example:/callback', 'com.example:/callback', true],
    ['com.example:/callback', 'com.example:callback', false],
  ] as const) {
    assert.equal(matchesRedirectUri(registered, given), isSame, given);
  }
});
