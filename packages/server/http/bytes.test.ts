import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { Readable } from 'node:stream';
import { after, describe, test, type TestContext } from 'node:test';
import * as fc from 'fast-check';
import { MatrixError } from '../errors/matrix-error.ts';
import { createRateLimiter } from '../services/rate-limit/rate-limiter.ts';
import { buildApp } from './app.ts';
import { bytes, rawBody, rawBytes } from './bytes.ts';
import { endpoint, type Endpoint } from './endpoint.ts';
import { parseRange } from './range.ts';

const content = Buffer.from('0123456789');
let opened = 0;

const download = endpoint(
  { method: 'GET', path: '/bytes', operationId: 'download', summary: 'Bytes.', auth: 'none', response: rawBytes },
  () => () =>
    bytes({
      size: content.length,
      tag: 'tag',
      headers: { 'Content-Type': 'text/plain', 'X-Own': 'own' },
      open: async (range) => {
        opened += 1;
        return Readable.from([range ? content.subarray(range.start, range.end + 1) : content]);
      },
    }),
);
const limit = 1000;
const upload = endpoint(
  {
    method: 'POST',
    path: '/upload',
    operationId: 'upload',
    summary: 'Counts.',
    auth: 'none',
    body: rawBody,
    response: rawBytes,
  },
  () =>
    async ({ body }) => {
      let size = 0;
      await body.read((chunk) => {
        size += chunk.length;
        if (size > limit) throw new MatrixError('request.too-large');
        return undefined;
      });
      const text = Buffer.from(JSON.stringify({ size, type: body.contentType, length: body.length }));
      return bytes({ size: text.length, tag: 't', headers: {}, open: async () => Readable.from([text]) });
    },
);

type Options = { readonly requestTimeout?: number; readonly more?: readonly Endpoint<object>[] };

async function listen({ more = [], ...options }: Options = {}) {
  const app = buildApp<object>(
    [download, upload, ...more],
    {},
    {
      log: { error: () => undefined, debug: () => undefined, isLevelEnabled: () => false },
      authenticator: { findSender: () => undefined },
      rateLimiter: createRateLimiter({ enabled: false, now: () => 0 }),
      ...options,
    },
  );
  return { app, base: await app.listen({ host: '127.0.0.1', port: 0 }) };
}

const { app, base } = await listen();
after(() => app.close());
const get = (headers: Record<string, string> = {}, method = 'GET') => fetch(`${base}/bytes`, { method, headers });

describe('bytes', () => {
  test('come whole, with their headers and those of every response', async () => {
    const response = await get();
    assert.equal(await response.text(), '0123456789');
    const { headers } = response;
    assert.equal(headers.get('access-control-allow-origin'), '*');
    assert.deepEqual(
      ['content-type', 'x-own', 'etag', 'accept-ranges', 'content-length'].map((name) => headers.get(name)),
      ['text/plain', 'own', '"tag"', 'bytes', '10'],
    );
  });

  const ranges = [
    ['bytes=2-4', '234', 'bytes 2-4/10'],
    ['bytes=7-', '789', 'bytes 7-9/10'],
    ['bytes=-3', '789', 'bytes 7-9/10'],
    ['bytes=-30', '0123456789', 'bytes 0-9/10'],
    ['bytes=5-5000', '56789', 'bytes 5-9/10'],
    ['bytes=4-4', '4', 'bytes 4-4/10'],
    ['bytes=0-0', '0', 'bytes 0-0/10'],
    ['BYTES=8-9', '89', 'bytes 8-9/10'],
  ] as const;
  for (const [range, text, contentRange] of ranges) {
    test(`in part: ${range}`, async () => {
      const response = await get({ range });
      assert.equal(response.status, 206);
      assert.equal(response.headers.get('content-range'), contentRange);
      assert.equal(response.headers.get('content-length'), String(text.length));
      assert.equal(await response.text(), text);
    });
  }

  test('a range of nothing is refused as JSON, without the headers of the bytes', async () => {
    for (const range of ['bytes=10-', 'bytes=10-12', 'bytes=-0']) {
      const response = await get({ range });
      assert.equal(response.status, 416);
      assert.equal(response.headers.get('content-range'), 'bytes */10');
      assert.equal(response.headers.get('x-own'), null);
      assert.equal(((await response.json()) as { errcode: string }).errcode, 'M_INVALID_PARAM');
    }
  });

  test('a range that makes no sense, or of other bytes, is ignored', async () => {
    for (const range of [
      'bytes=4-2',
      'bytes=a-b',
      'lines=1-2',
      'kilobytes=1-2',
      'bytes=1-2;',
      'bytes=0-1,3-4',
      'bytes=-',
      '',
    ]) {
      assert.equal((await get({ range })).status, 200, range);
    }
    assert.equal((await get({ range: 'bytes=0-1', 'if-range': '"other"' })).status, 200);
    assert.equal((await get({ range: 'bytes=0-1', 'if-range': '"tag"' })).status, 206);
  });

  test('are not sent again to who has them', async () => {
    for (const tag of ['"tag"', 'W/"tag"', '"a", "tag"', '*']) {
      const response = await get({ 'if-none-match': tag });
      assert.deepEqual([response.status, response.headers.get('etag'), await response.text()], [304, '"tag"', ''], tag);
    }
    assert.equal((await get({ 'if-none-match': '"other"' })).status, 200);
  });

  test('are not opened for HEAD', async () => {
    const before = opened;
    const response = await get({}, 'HEAD');
    assert.deepEqual([response.status, response.headers.get('content-length'), await response.text()], [200, '10', '']);
    assert.equal(opened, before);
  });

  test('every range lies within them', () => {
    const header = fc.oneof(
      fc.tuple(fc.nat(30), fc.option(fc.nat(30))).map(([from, to]) => `bytes=${from}-${to ?? ''}`),
      fc.nat(30).map((n) => `bytes=-${n}`),
    );
    fc.assert(
      fc.property(header, fc.nat(20), (header, size) => {
        const range = parseRange(header, size);
        if (range === undefined || range === 'unsatisfiable') return;
        assert.ok(range.start >= 0 && range.start <= range.end && range.end < size);
      }),
    );
  });
});

test('bytes stop being read when nobody takes them any more', async () => {
  const closed = Promise.withResolvers<void>();
  const endless = new Readable({
    read() {
      this.push(Buffer.alloc(65_536));
    },
    destroy(_error, done) {
      closed.resolve();
      done(null);
    },
  });
  const stream = endpoint(
    { method: 'GET', path: '/endless', operationId: 'endless', summary: 'E.', auth: 'none', response: rawBytes },
    () => () => bytes({ size: 1e12, tag: 't', headers: {}, open: async () => endless }),
  );
  const { app, base } = await listen({ more: [stream] });
  const socket = connect({ port: Number(new URL(base).port), host: '127.0.0.1' });
  socket.write('GET /endless HTTP/1.1\r\nHost: a\r\n\r\n');
  await once(socket, 'data');
  socket.destroy();
  await closed.promise;
  await app.close();
});

describe('a raw body', () => {
  const post = (body: string, headers: Record<string, string> = {}) =>
    fetch(`${base}/upload`, { method: 'POST', body, headers });

  test('reaches the handler unread, as what the client calls it', async () => {
    const response = await post('{"no":', { 'content-type': 'multipart/form-data; boundary="' });
    assert.deepEqual(await response.json(), { size: 6, type: 'multipart/form-data; boundary="', length: 6 });
    assert.deepEqual(await (await post('')).json(), { size: 0, type: 'text/plain;charset=UTF-8', length: 0 });
  });

  test('that is refused halfway is answered, and the connection goes on', async () => {
    const socket = connect({ port: Number(new URL(base).port), host: '127.0.0.1' });
    const head = 'POST /upload HTTP/1.1\r\nHost: a\r\n';
    socket.write(`${head}Content-Length: 500000\r\n\r\n${'x'.repeat(5000)}`);
    const [first] = (await once(socket, 'data')) as [Buffer];
    assert.match(first.toString(), /^HTTP\/1\.1 413 /);
    socket.write(`${'x'.repeat(495_000)}${head}Content-Length: 1\r\nConnection: close\r\n\r\nx`);
    const [second] = (await once(socket, 'data')) as [Buffer];
    assert.match(second.toString(), /^HTTP\/1\.1 200 /);
    socket.destroy();
  });

  /** Takes a first part, and goes on when told. */
  async function takeSlowly(t: TestContext, body: string) {
    const taken = Promise.withResolvers<void>();
    const goOn = Promise.withResolvers<void>();
    const ended = Promise.withResolvers<unknown>();
    const gone = Promise.withResolvers<void>();
    const parts: string[] = [];
    const take = endpoint(
      {
        method: 'POST',
        path: '/slowly',
        operationId: 's',
        summary: 'S.',
        auth: 'none',
        body: rawBody,
        response: rawBytes,
      },
      () =>
        async ({ body: raw, signal }) => {
          signal.addEventListener('abort', () => gone.resolve());
          const reading = raw.read((chunk) => {
            parts.push(chunk.toString());
            taken.resolve();
            return parts.length === 1 ? goOn.promise : undefined;
          });
          reading.then(ended.resolve, ended.resolve);
          await reading;
          return bytes({ size: 0, tag: 't', headers: {}, open: async () => Readable.from([]) });
        },
    );
    const { app, base } = await listen({ more: [take] });
    t.after(() => app.close());
    const socket = connect({ port: Number(new URL(base).port), host: '127.0.0.1' });
    socket.write(`POST /slowly HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n${body}`);
    await taken.promise;
    return { socket, parts, goOn, ended: ended.promise, gone: gone.promise };
  }

  test('comes no faster than it is taken', async (t) => {
    const { socket, parts, goOn, ended } = await takeSlowly(t, 'ab');
    socket.write('cd');
    // What comes after it on another connection has been answered: it has arrived.
    await fetch(`${base}/bytes`);
    assert.deepEqual(parts, ['ab']);
    goOn.resolve();
    assert.equal(await ended, undefined);
    assert.equal(parts.join(''), 'abcd');
    socket.destroy();
  });

  test('whose sender goes away fails once what is being taken has been', async (t) => {
    const { socket, goOn, ended, gone } = await takeSlowly(t, 'ab');
    let hasEnded = false;
    void ended.then(() => (hasEnded = true));
    socket.destroy();
    await gone;
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(hasEnded, false);
    goOn.resolve();
    assert.ok((await ended) instanceof Error);
  });

  test('may take longer than other requests, which end', async (t) => {
    const { app, base } = await listen({ requestTimeout: 100 });
    t.after(() => app.close());
    const open = (path: string) => {
      const socket = connect({ port: Number(new URL(base).port), host: '127.0.0.1' });
      socket.write(`POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nContent-Type: application/json\r\n\r\nx`);
      return socket;
    };
    const [slow, other] = [open('/upload'), open('/elsewhere')];
    const [refused] = (await once(other, 'data')) as [Buffer];
    assert.match(refused.toString(), /^HTTP\/1\.1 408 /);
    slow.write('x');
    const [answer] = (await once(slow, 'data')) as [Buffer];
    assert.match(answer.toString(), /^HTTP\/1\.1 200 /);
    slow.destroy();
  });
});
