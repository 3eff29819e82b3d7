import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type OAuthServer, startOAuthServer } from '@portico/testkit/oauth-server.ts';
import { openRawDatabase } from '@portico/testkit/raw-database.ts';
import { startTestServer } from '@portico/testkit/server.ts';
import { refusalOf } from '@portico/testkit/test-client.ts';

const path = '/_matrix/client/unstable/org.matrix.msc4108/rendezvous';
const flag = 'org.matrix.msc4108';

async function featuresOf({ anonymous }: Pick<OAuthServer['server'], 'anonymous'>): Promise<Record<string, boolean>> {
  const { body } = await anonymous.get('/_matrix/client/versions');
  return body['unstable_features'] as Record<string, boolean>;
}

test('without OAuth 2.0 there is nowhere to meet', async (context) => {
  const server = await startTestServer();
  context.after(() => server.close());
  assert.equal(flag in (await featuresOf(server)), false);
  for (const method of ['GET', 'PUT', 'DELETE']) {
    const response = await fetch(`${server.baseUrl}${path}/x`, { method, ...(method === 'PUT' && { body: 'x' }) });
    assert.equal(response.status, 404, method);
  }
  assert.equal(refusalOf(await server.anonymous.post(path, {})), '404 M_UNRECOGNIZED');
});

for (const engine of ['sqlite', 'postgres'] as const) {
  describe(`where two devices meet (${engine})`, () => {
    let oauth: OAuthServer;
    let clock = 0;
    before(async () => {
      oauth = await startOAuthServer({ engine, now: () => Date.now() + clock });
    });
    after(async () => {
      await oauth.close();
      assert.deepEqual(oauth.server.errors, []);
    });
    const plain = { 'content-type': 'text/plain' };
    const send = (url: string, method: string, body?: string | Uint8Array, headers: Record<string, string> = plain) =>
      fetch(url, { method, headers, ...(body !== undefined && { body: body as string }) });
    async function open(content = 'hello'): Promise<{ url: string; tag: string; response: Response }> {
      const response = await send(oauth.base + path, 'POST', content);
      assert.equal(response.status, 201);
      const { url } = (await response.json()) as { url: string };
      return { url, tag: response.headers.get('etag') ?? '', response };
    }
    const codeOf = async (response: Response): Promise<string> => {
      const body = (await response.json()) as Record<string, unknown>;
      return `${response.status} ${String(body['errcode'])}`;
    };

    test('is said to be there, and tells pages of other hosts what they have to know', async () => {
      assert.equal((await featuresOf(oauth.server))[flag], true);
      const { url, response } = await open();
      assert.match(url, new RegExp(`^${oauth.base}${path}/[\\w-]{43}$`));
      for (const answer of [response, await send(url, 'GET')]) {
        const { headers } = answer;
        assert.equal(headers.get('access-control-allow-origin'), '*');
        assert.equal(headers.get('access-control-expose-headers'), 'ETag');
        assert.match(headers.get('cache-control') ?? '', /no-store/);
        const lasts = Date.parse(headers.get('expires') ?? '') - Date.parse(headers.get('last-modified') ?? '');
        assert.equal(lasts, 10 * 60_000);
      }
      for (const place of [oauth.base + path, url]) {
        const preflight = await fetch(place, { method: 'OPTIONS' });
        assert.equal(preflight.status, 204);
        assert.match(preflight.headers.get('access-control-allow-headers') ?? '', /, If-Match, If-None-Match$/);
        assert.match(preflight.headers.get('access-control-allow-methods') ?? '', /PUT, DELETE/);
      }
      const elsewhere = await fetch(`${oauth.base}/_matrix/client/versions`, { method: 'OPTIONS' });
      assert.doesNotMatch(elsewhere.headers.get('access-control-allow-headers') ?? '', /If-Match/);
    });

    test('a message is read by who knows the place, once for each that is left', async () => {
      const { url, tag } = await open('first');
      const read = await send(url, 'GET');
      assert.deepEqual([read.status, await read.text(), read.headers.get('etag')], [200, 'first', tag]);
      assert.equal(read.headers.get('content-type'), 'text/plain');
      const again = await send(url, 'GET', undefined, { 'if-none-match': tag });
      assert.deepEqual([again.status, again.headers.get('etag'), await again.text()], [304, tag, '']);
      assert.ok(again.headers.has('expires') && again.headers.has('last-modified'));
      const written = await send(url, 'PUT', 'second', { ...plain, 'if-match': tag });
      const next = written.headers.get('etag') ?? '';
      assert.deepEqual([written.status, next === tag], [202, false]);
      const second = await send(url, 'GET', undefined, { 'if-none-match': tag });
      assert.deepEqual([await second.text(), second.headers.get('etag')], ['second', next]);
      const same = await send(url, 'PUT', 'second', { ...plain, 'if-match': next });
      assert.notEqual(same.headers.get('etag'), next, 'the same words are another message');
    });

    test('of two who write at once, one is told that the other was faster', async () => {
      const { url, tag } = await open();
      const headers = { ...plain, 'if-match': tag };
      const both = await Promise.all([send(url, 'PUT', 'one', headers), send(url, 'PUT', 'two', headers)]);
      const late = both.find(({ status }) => status !== 202);
      assert.equal(late?.status, 412);
      const { errcode, ...rest } = (await late.json()) as Record<string, unknown>;
      assert.deepEqual([errcode, rest['org.matrix.msc4108.errcode']], ['M_UNKNOWN', 'M_CONCURRENT_WRITE']);
      const now = await send(url, 'GET');
      assert.equal(late.headers.get('etag'), now.headers.get('etag'));
      for (const ifMatch of ['*', 'W/"x"', `"${'x'.repeat(16)}"`, '']) {
        assert.equal((await send(url, 'PUT', 'x', { ...plain, 'if-match': ifMatch })).status, 412, ifMatch);
      }
      assert.equal(await codeOf(await send(url, 'PUT', 'x')), '400 M_MISSING_PARAM');
    });

    test('messages are short, and text', async () => {
      const { url, tag } = await open('x'.repeat(4096));
      assert.equal((await (await send(url, 'GET')).text()).length, 4096);
      const ifMatch = { ...plain, 'if-match': tag };
      assert.equal(await codeOf(await send(url, 'PUT', 'x'.repeat(4097), ifMatch)), '413 M_TOO_LARGE');
      assert.equal(await codeOf(await send(oauth.base + path, 'POST', 'x'.repeat(100_000))), '413 M_TOO_LARGE');
      for (const body of ['a\0b', new Uint8Array([0xff, 0xfe]), new Uint8Array([0xed, 0xa0, 0x80])]) {
        assert.equal(await codeOf(await send(oauth.base + path, 'POST', body)), '400 M_INVALID_PARAM');
      }
      for (const type of ['text/html', 'application/json', 'text/plainly', '']) {
        const headers = { 'content-type': type };
        assert.equal(await codeOf(await send(oauth.base + path, 'POST', 'x', headers)), '400 M_INVALID_PARAM', type);
      }
      const utf8 = await open('\ufeffÄ \u{1f600}');
      const read = new Uint8Array(await (await send(utf8.url, 'GET')).arrayBuffer());
      assert.deepEqual(read, new TextEncoder().encode('\ufeffÄ \u{1f600}'));
      assert.equal((await open('')).response.status, 201);
      const charset = await send(oauth.base + path, 'POST', 'x', { 'content-type': 'text/plain;charset=UTF-8' });
      assert.equal(charset.status, 201);
    });

    test('it is not shown where a browser was led to it', async () => {
      const { url } = await open('<b>You have won</b>');
      const navigation = { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' };
      assert.equal(await codeOf(await send(url, 'GET', undefined, navigation)), '403 M_FORBIDDEN');
      const asked = { 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty' };
      assert.equal((await send(url, 'GET', undefined, asked)).status, 200);
    });

    test('it is over when somebody says so, and ten minutes after it began, whatever was said meanwhile', async () => {
      const { url } = await open();
      const closed = await send(url, 'DELETE', undefined, {});
      assert.deepEqual([closed.status, await closed.text()], [204, '']);
      assert.equal(closed.headers.get('access-control-allow-origin'), '*');
      for (const method of ['GET', 'DELETE']) assert.equal(await codeOf(await send(url, method)), '404 M_NOT_FOUND');
      const late = await open();
      clock += 9 * 60_000;
      const written = await send(late.url, 'PUT', 'x', { ...plain, 'if-match': late.tag });
      assert.equal(written.status, 202);
      clock += 60_000;
      const ifMatch = { ...plain, 'if-match': written.headers.get('etag') ?? '' };
      assert.equal(await codeOf(await send(late.url, 'GET')), '404 M_NOT_FOUND');
      assert.equal(await codeOf(await send(late.url, 'PUT', 'x', ifMatch)), '404 M_NOT_FOUND');
      assert.equal(await codeOf(await send(`${oauth.base}${path}/made-up`, 'GET')), '404 M_NOT_FOUND');
    });

    test('a thousand are kept at a time, of which the oldest go, and no place is in the database', async () => {
      const first = await open();
      clock += 1;
      const raw = await openRawDatabase(oauth.server.databaseUrl);
      const [name = ''] = first.url.split('/').reverse();
      assert.ok(!JSON.stringify(await raw.run('select * from rendezvous_sessions')).includes(name));
      await raw.close();
      for (let opened = 0; opened < 1000; opened += 50) await Promise.all(Array.from({ length: 50 }, () => open()));
      assert.equal((await send(first.url, 'GET')).status, 404);
    });
  });
}

test('places are not opened by the hundred', async (context) => {
  const oauth = await startOAuthServer({ settings: { RATE_LIMITS_ENABLED: 'true' } });
  context.after(() => oauth.close());
  const statuses: number[] = [];
  for (let opened = 0; opened < 22; opened += 1) {
    const headers = { 'content-type': 'text/plain' };
    statuses.push((await fetch(oauth.base + path, { method: 'POST', body: 'x', headers })).status);
  }
  assert.deepEqual([statuses.indexOf(429), statuses.at(-1)], [20, 429]);
});
