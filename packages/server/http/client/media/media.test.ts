import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { startTestServer } from '@portico/testkit/server.ts';
import type { TestClient } from '@portico/testkit/test-client.ts';

const settings = { MEDIA_MAX_UPLOAD_SIZE: '1MB' };
const server = await startTestServer({ settings });
const alice = await server.registerUser('alice');
const bob = await server.registerUser('bob');
after(() => server.close());

type Sent = { readonly type?: string; readonly name?: string };

function call(client: TestClient | undefined, path: string, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers);
  if (client !== undefined) headers.set('authorization', `Bearer ${client.accessToken}`);
  return fetch(server.baseUrl + path, { ...init, headers });
}

async function send(method: string, path: string, body: string | Uint8Array<ArrayBuffer>, { type, name }: Sent = {}) {
  const query = name === undefined ? '' : `?filename=${encodeURIComponent(name)}`;
  const headers: Record<string, string> = type === undefined ? {} : { 'content-type': type };
  const response = await call(alice, path + query, { method, body, headers });
  return { status: response.status, body: (await response.json()) as Record<string, string> };
}

/** Answers `server/id`. */
async function upload(body: string | Uint8Array<ArrayBuffer>, sent: Sent = {}): Promise<string> {
  const { status, body: answer } = await send('POST', '/_matrix/media/v3/upload', body, sent);
  assert.equal(status, 200, JSON.stringify(answer));
  assert.match(answer['content_uri'] ?? '', /^mxc:\/\/localhost\/[A-Za-z0-9_-]+$/);
  return (answer['content_uri'] ?? '').slice('mxc://'.length);
}

/** A picture of one colour. */
const png = Uint8Array.from(
  Buffer.from(
    'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
    'base64',
  ),
);

const download = (place: string, headers: Record<string, string> = {}) =>
  call(bob, `/_matrix/client/v1/media/download/${place}`, { headers });

async function refusal(response: Response | Promise<Response>): Promise<[number, unknown]> {
  const { status, headers, json } = await Promise.resolve(response).then((answer) => ({
    status: answer.status,
    headers: answer.headers,
    json: answer.json() as Promise<{ errcode: unknown }>,
  }));
  assert.match(headers.get('content-type') ?? '', /^application\/json/);
  return [status, (await json).errcode];
}

describe('a file', () => {
  test('comes back as it was sent, to everyone who is logged in', async () => {
    const bytes = Uint8Array.from({ length: 700_001 }, (_, n) => (n * 7) % 251);
    const place = await upload(bytes, { type: 'image/png', name: 'cat.png' });
    const response = await download(place);
    assert.equal(response.status, 200);
    assert.deepEqual(new Uint8Array(await response.arrayBuffer()), bytes);
    assert.equal(response.headers.get('content-length'), '700001');
    assert.equal(response.headers.get('content-type'), 'image/png');
    assert.equal(response.headers.get('content-disposition'), 'inline; filename="cat.png"');
    assert.deepEqual(await refusal(call(undefined, `/_matrix/client/v1/media/download/${place}`)), [
      401,
      'M_MISSING_TOKEN',
    ]);
  });

  test('may be empty, and without a type and a name', async () => {
    const response = await download(await upload(new Uint8Array()));
    assert.equal((await response.arrayBuffer()).byteLength, 0);
    assert.equal(response.headers.get('content-type'), 'application/octet-stream');
    assert.equal(response.headers.get('content-disposition'), 'attachment');
  });

  test('comes in parts, once, or as its headers only', async () => {
    const place = await upload('0123456789', { type: 'text/plain' });
    const part = await download(place, { range: 'bytes=3-5' });
    assert.deepEqual([part.status, await part.text()], [206, '345']);
    const tag = part.headers.get('etag') ?? '';
    assert.equal((await download(place, { 'if-none-match': tag })).status, 304);
    assert.equal((await download(place, { range: 'bytes=10-' })).status, 416);
    const head = await call(bob, `/_matrix/client/v1/media/download/${place}`, { method: 'HEAD' });
    assert.deepEqual([head.status, head.headers.get('content-length'), await head.text()], [200, '10', '']);
    assert.equal(head.headers.get('cache-control'), 'private, max-age=31536000, immutable');
  });

  test('may be as large as the limit, and not larger, whatever its length is said to be', async () => {
    const size = await call(bob, '/_matrix/client/v1/media/config');
    assert.deepEqual(await size.json(), { 'm.upload.size': 1_000_000 });
    await upload(new Uint8Array(1_000_000));
    const tooLarge = new Uint8Array(1_000_001);
    assert.equal((await send('POST', '/_matrix/media/v3/upload', tooLarge)).body['errcode'], 'M_TOO_LARGE');
    const chunked = new ReadableStream({
      start(controller) {
        controller.enqueue(tooLarge);
        controller.close();
      },
    });
    const init = { method: 'POST', body: chunked, duplex: 'half' } as const;
    assert.deepEqual(await refusal(call(alice, '/_matrix/media/v3/upload', init)), [413, 'M_TOO_LARGE']);
  });

  test('can be uploaded by who is logged in only', async () => {
    const init = { method: 'POST', body: 'x' };
    assert.deepEqual(await refusal(call(undefined, '/_matrix/media/v3/upload', init)), [401, 'M_MISSING_TOKEN']);
  });

  test('that is not there, or of a server that cannot be asked', async () => {
    assert.deepEqual(await refusal(download('localhost/AAAA')), [404, 'M_NOT_FOUND']);
    assert.deepEqual(await refusal(download('elsewhere.example/AAAA')), [502, 'M_UNKNOWN']);
  });
});

describe('content that is announced', () => {
  const announce = async (client = alice) => {
    const { status, body } = await client.post('/_matrix/media/v1/create', {});
    assert.equal(status, 200);
    const { content_uri: uri, unused_expires_at: expires } = body as { content_uri: string; unused_expires_at: number };
    assert.ok(expires > Date.now());
    return uri.slice('mxc://'.length);
  };
  const bring = (place: string, body = 'x') => send('PUT', `/_matrix/media/v3/upload/${place}`, body);

  test('can be had once it is there', async () => {
    const place = await announce();
    assert.deepEqual(await refusal(download(`${place}?timeout_ms=0`)), [504, 'M_NOT_YET_UPLOADED']);
    const { status } = await send('PUT', `/_matrix/media/v3/upload/${place}`, 'late', {
      type: 'text/plain',
      name: 'n',
    });
    assert.equal(status, 200);
    const response = await download(place);
    assert.equal(await response.text(), 'late');
    assert.equal(response.headers.get('content-disposition'), 'inline; filename="n"');
  });

  test('is waited for', async () => {
    const place = await announce();
    const waiting = download(place);
    // Which is first does not matter: either must find it.
    const { status } = await bring(place, 'at last');
    assert.equal(status, 200);
    assert.equal(await (await waiting).text(), 'at last');
    const hurried = await refusal(download(`${await announce()}?timeout_ms=50`));
    assert.deepEqual(hurried, [504, 'M_NOT_YET_UPLOADED']);
  });

  test('comes once, from who announced it', async () => {
    const place = await announce();
    const both = await Promise.all([bring(place, 'first'), bring(place, 'second')]);
    assert.deepEqual(new Set(both.map(({ status }) => status)), new Set([200, 409]));
    const third = await bring(place);
    assert.deepEqual([third.status, third.body['errcode']], [409, 'M_CANNOT_OVERWRITE_MEDIA']);
    const init = { method: 'PUT', body: 'x' };
    const others = await announce();
    assert.deepEqual(await refusal(call(bob, `/_matrix/media/v3/upload/${others}`, init)), [403, 'M_FORBIDDEN']);
    assert.equal((await bring('localhost/AAAA')).status, 404);
    assert.equal((await bring('elsewhere.example/AAAA')).status, 404);
    const uploaded = await upload('x');
    assert.equal((await bring(uploaded)).status, 409);
  });

  test('is limited to so many per person', async () => {
    const carol = await server.registerUser();
    for (let n = 0; n < 50; n++) await announce(carol);
    const { status, body } = await carol.post('/_matrix/media/v1/create', {});
    assert.deepEqual([status, body['errcode']], [429, 'M_LIMIT_EXCEEDED']);
  });

  test('expires', async (t) => {
    let time = Date.now();
    const other = await startTestServer({ now: () => time });
    t.after(() => other.close());
    const dora = await other.registerUser();
    const { body } = await dora.post('/_matrix/media/v1/create', {});
    const place = String(body['content_uri']).slice('mxc://'.length);
    time = Number(body['unused_expires_at']);
    const put = await dora.put(`/_matrix/media/v3/upload/${place}`, {});
    assert.deepEqual([put.status, put.body['errcode']], [404, 'M_NOT_FOUND']);
    const got = await dora.get(`/_matrix/client/v1/media/download/${place}`);
    assert.deepEqual([got.status, got.body['errcode']], [404, 'M_NOT_FOUND']);
  });
});

describe('the old endpoints', () => {
  const versions = ['v3', 'r0', 'v1'];
  const pathsOf = (version: string, place: string) =>
    [`download/${place}`, `download/${place}/name`, `thumbnail/${place}?width=32&height=32`].map(
      (path) => `/_matrix/media/${version}/${path}`,
    );
  const withToken = (path: string, { accessToken }: TestClient) =>
    `${path}${path.includes('?') ? '&' : '?'}access_token=${accessToken}`;

  test('find no media for those without a token where one is required, but take uploads and tell the limit', async () => {
    const place = await upload('x', { type: 'text/plain' });
    for (const version of versions) {
      for (const path of pathsOf(version, place)) {
        assert.deepEqual(await refusal(call(undefined, path)), [404, 'M_NOT_FOUND']);
        assert.deepEqual(await refusal(call({ ...alice, accessToken: 'nothing' }, path)), [404, 'M_NOT_FOUND']);
      }
      assert.equal((await call(alice, `/_matrix/media/${version}/config`)).status, 200);
      assert.equal((await call(alice, `/_matrix/media/${version}/upload`, { method: 'POST', body: 'x' })).status, 200);
    }
  });

  test('find them for who shows a token, as programs of before 2024 do', async () => {
    const place = await upload(png, { type: 'image/png' });
    for (const version of versions) {
      for (const path of pathsOf(version, place)) {
        for (const response of [await call(bob, path), await call(undefined, withToken(path, bob))]) {
          assert.equal(response.status, 200, path);
          assert.equal(response.headers.get('content-type'), 'image/png');
          // What a shared cache would keep, it would hand to those without a token.
          assert.equal(response.headers.get('cache-control'), 'private, max-age=31536000, immutable');
          await response.arrayBuffer();
        }
      }
    }
  });

  test('are open where it is not', async (t) => {
    const open = await startTestServer({ settings: { MEDIA_REQUIRE_AUTHENTICATION: 'false' } });
    t.after(() => open.close());
    const erin = await open.registerUser();
    const { body } = await erin.post('/_matrix/media/v3/upload', { a: 1 });
    const place = String(body['content_uri']).slice('mxc://'.length);
    for (const version of versions) {
      const response = await fetch(`${open.baseUrl}/_matrix/media/${version}/download/${place}/other.json`);
      assert.equal(await response.text(), '{"a":1}');
      assert.equal(response.headers.get('content-disposition'), 'inline; filename="other.json"');
      assert.equal(response.headers.get('cache-control'), 'public, max-age=31536000, immutable');
    }
  });
});

test('who uploads too much is told to wait', async (t) => {
  // No time passes, however slow the machine is.
  const limited = await startTestServer({ settings: { RATE_LIMITS_ENABLED: 'true' }, now: () => 1_700_000_000_000 });
  t.after(() => limited.close());
  const frank = await limited.registerUser();
  const codes = await Promise.all(
    Array.from({ length: 70 }, async () => (await frank.post('/_matrix/media/v3/upload', {})).body['errcode']),
  );
  assert.ok(codes.includes('M_LIMIT_EXCEEDED'));
  assert.ok(codes.filter((code) => code === undefined).length >= 20);
});

test('nothing of all that was a defect', () => assert.deepEqual(server.errors, []));
