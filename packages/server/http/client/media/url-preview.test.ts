import assert from 'node:assert/strict';
import type { RequestListener } from 'node:http';
import { test, type TestContext } from 'node:test';
import { startTestServer } from '@portico/testkit/server.ts';
import { startSite } from '@portico/testkit/web.ts';
import sharp from 'sharp';

const image = await sharp({ create: { width: 40, height: 30, channels: 3, background: 'green' } })
  .png()
  .toBuffer();
const pages: Record<string, RequestListener> = {
  '/': (_, response) =>
    response
      .writeHead(200, { 'content-type': 'text/html' })
      .end('<meta property="og:title" content="T"><meta property="og:image" content="i.png">'),
  '/i.png': (_, response) => response.end(image),
};

async function start(context: TestContext, settings: Record<string, string> = {}) {
  const site = await startSite(context, pages);
  const server = await startTestServer({
    settings: { URL_PREVIEWS_ENABLED: 'true', OUTBOUND_ALLOW_PRIVATE_ADDRESSES: 'true', ...settings },
  });
  context.after(() => server.close());
  const alice = await server.registerUser();
  const query = `?url=${encodeURIComponent(`http://127.0.0.1:${site.port}/`)}&ts=1510610716656`;
  return { site, server, alice, query };
}

const current = '/_matrix/client/v1/media/preview_url';
const legacy = ['/_matrix/media/v3/preview_url', '/_matrix/media/r0/preview_url', '/_matrix/media/v1/preview_url'];

test('a link has a preview, whose image can be had', async (context) => {
  const { site, server, alice, query } = await start(context);
  const { status, body } = await alice.get(current + query);
  assert.equal(status, 200, JSON.stringify(body));
  const { 'og:image': uri, ...rest } = body;
  assert.deepEqual(rest, {
    'og:title': 'T',
    'og:image:type': 'image/png',
    'og:image:width': 40,
    'og:image:height': 30,
    'matrix:image:size': image.length,
  });
  const place = String(uri).slice('mxc://'.length);
  const headers = { authorization: `Bearer ${alice.accessToken}` };
  for (const path of [`download/${place}`, `thumbnail/${place}?width=32&height=32&method=crop`]) {
    const response = await fetch(`${server.baseUrl}/_matrix/client/v1/media/${path}`, { headers });
    assert.equal(response.status, 200);
    assert.equal(response.headers.get('content-type'), 'image/png');
    await response.arrayBuffer();
  }
  assert.deepEqual((await alice.get(current + query)).body, body);
  assert.deepEqual(site.asked, ['/', '/i.png']);
  // Where media need a token, what could only name them is closed.
  for (const path of legacy) assert.equal((await alice.get(path + query)).status, 404, path);
});

test('where old media are open, so is the old endpoint', async (context) => {
  const { alice, query } = await start(context, { MEDIA_REQUIRE_AUTHENTICATION: 'false' });
  for (const path of legacy) {
    const { status, body } = await alice.get(path + query);
    assert.deepEqual([status, body['og:title']], [200, 'T'], path);
  }
});

test('who is nobody here, or names no page, is refused', async (context) => {
  const { site, server, alice, query } = await start(context, { URL_PREVIEWS_DENY_HOSTS: '["bad.example"]' });
  const errors: [path: string, status: number, errcode: string][] = [
    [current, 400, 'M_MISSING_PARAM'],
    [`${current}?url=file:///etc/passwd`, 400, 'M_INVALID_PARAM'],
    [`${current}?url=http://bad.example/`, 403, 'M_FORBIDDEN'],
    [`${current}?url=http://127.0.0.1:${site.port}/nothing`, 502, 'M_UNKNOWN'],
  ];
  for (const [path, status, errcode] of errors) {
    const answer = await alice.get(path);
    assert.deepEqual([answer.status, answer.body['errcode']], [status, errcode], path);
  }
  assert.equal((await server.anonymous.get(current + query)).status, 401);
  assert.deepEqual(site.asked, ['/nothing']);
});

test('private addresses are refused like pages that are not there', async (context) => {
  const { site, alice, query } = await start(context, { OUTBOUND_ALLOW_PRIVATE_ADDRESSES: 'false' });
  const { status, body } = await alice.get(current + query);
  assert.deepEqual([status, body['errcode']], [502, 'M_UNKNOWN']);
  assert.deepEqual(site.asked, []);
});

test('a server that makes none does not know the endpoint, and asks nobody', async (context) => {
  const { site, alice, query } = await start(context, { URL_PREVIEWS_ENABLED: 'false' });
  const { status, body } = await alice.get(current + query);
  assert.deepEqual([status, body['errcode']], [404, 'M_UNRECOGNIZED']);
  assert.deepEqual(site.asked, []);
});
