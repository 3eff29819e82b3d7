import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { startTestServer } from '@portico/testkit/server.ts';

const server = await startTestServer({
  settings: { MEDIA_MAX_UPLOAD_SIZE: '50MB', MEDIA_REQUIRE_AUTHENTICATION: 'false' },
});
const alice = await server.registerUser('alice');
after(() => server.close());
const authorization = `Bearer ${alice.accessToken}`;
const port = Number(new URL(server.baseUrl).port);

async function upload(body: string, type: string, name?: string): Promise<string> {
  const query = name === undefined ? '' : `?filename=${encodeURIComponent(name)}`;
  const init = { method: 'POST', body, headers: { authorization, 'content-type': type } };
  const response = await fetch(`${server.baseUrl}/_matrix/media/v3/upload${query}`, init);
  const { content_uri: uri } = (await response.json()) as { content_uri: string };
  return uri.slice('mxc://'.length);
}

const get = (place: string) =>
  fetch(`${server.baseUrl}/_matrix/client/v1/media/download/${place}`, { headers: { authorization } });

/** As it is written, without what `fetch` would tidy up. */
async function sendRaw(path: string): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1' });
  socket.write(`GET ${path} HTTP/1.1\r\nHost: a\r\nAuthorization: ${authorization}\r\nConnection: close\r\n\r\n`);
  let answer = '';
  for await (const chunk of socket) answer += String(chunk);
  return answer;
}

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const filesIn = (folder: string) => readdirSync(join(server.dataDir, 'media', folder));

describe('no address leads out of the folder of media', () => {
  writeFileSync(join(server.dataDir, 'secret'), 'the secret');
  writeFileSync(join(server.dataDir, 'media', 'secret'), 'the secret');
  const climbs = ['..', '../secret', '../../secret', '..%2fsecret', '%2e%2e%2fsecret', '%252e%252e%252fsecret'];
  const more = [
    '..\\secret',
    '..%5csecret',
    'secret',
    './secret',
    'secret%00',
    '%00',
    '....//secret',
    '%c0%ae%c0%ae/secret',
  ];
  for (const id of [...climbs, ...more]) {
    test(id, async () => {
      for (const prefix of ['/_matrix/client/v1/media', '/_matrix/media/v3']) {
        for (const origin of ['localhost', '..', '127.0.0.1', '%2e%2e', 'media', '%2f']) {
          for (const path of [`download/${origin}/${id}`, `thumbnail/${origin}/${id}?width=1&height=1`]) {
            const answer = await sendRaw(`${prefix}/${path}`);
            assert.match(answer, /^HTTP\/1\.1 (?:4\d\d|502) /);
            assert.equal(answer.includes('the secret'), false);
          }
        }
      }
    });
  }

  test('files lie under names that nobody chose', async () => {
    const place = await upload('x', 'text/plain', '../../../evil.html');
    const [, mediaId = ''] = place.split('/');
    const shelves = filesIn('.').filter((name) => name.length === 2);
    const names = shelves.flatMap(filesIn);
    assert.ok(names.length > 0);
    for (const name of names) assert.match(name, /^[0-9a-f]{32}$/);
    assert.equal(names.includes(mediaId), false);
    assert.deepEqual(filesIn('unfinished'), []);
  });
});

describe('what is odd about a type or a name ends in no header', () => {
  const types: readonly (readonly [sent: string, served: string])[] = [
    ['text/html', 'text/html'],
    ['TEXT/Plain; Charset=UTF-8', 'text/plain; Charset=UTF-8'],
    ['text/plain; a="b\\"c"', 'text/plain; a="b\\"c"'],
    ['multipart/form-data; boundary=x', 'application/octet-stream'],
    ['message/rfc822', 'application/octet-stream'],
    ['text', 'application/octet-stream'],
    ['text/plain, text/html', 'application/octet-stream'],
    ['text/plain; a', 'application/octet-stream'],
    ['text/ plain', 'application/octet-stream'],
    ['t\u00e9xt/plain', 'application/octet-stream'],
    [`text/${'x'.repeat(300)}`, 'application/octet-stream'],
  ];
  for (const [sent, served] of types) {
    test(`the type ${sent.slice(0, 40)}`, async () => {
      assert.equal((await get(await upload('x', sent))).headers.get('content-type'), served);
    });
  }

  const names: readonly (readonly [name: string, header: string])[] = [
    ['a.txt', 'filename="a.txt"'],
    ['name with; "all" \\ of it', String.raw`filename="name with; \"all\" \\ of it"`],
    ['a\r\nSet-Cookie: b=c', "filename*=UTF-8''a%0D%0ASet-Cookie%3A%20b%3Dc"],
    ['\u{1f414}', "filename*=UTF-8''%F0%9F%90%94"],
    ["it's (é)*", "filename*=UTF-8''it%27s%20%28%C3%A9%29%2A"],
  ];
  for (const [name, header] of names) {
    test(`the name ${JSON.stringify(name)}`, async () => {
      const place = await upload('x', 'text/plain', name);
      for (const path of [place, `${await upload('x', 'text/plain')}/${encodeURIComponent(name)}`]) {
        const { headers } = await get(path);
        assert.equal(headers.get('content-disposition'), `inline; ${header}`);
        assert.equal(headers.get('set-cookie'), null);
      }
    });
  }
});

describe('no file becomes a page of this server', () => {
  const script = '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>';
  const runnable = [
    'text/html',
    'image/svg+xml',
    'application/xhtml+xml',
    'text/xml',
    'application/pdf',
    'text/javascript',
  ];
  for (const type of [...runnable, 'TEXT/HTML; charset=utf-8', 'image/png; charset="x"', 'text/plain', 'nonsense']) {
    test(type, async () => {
      const { headers } = await get(await upload(script, type, 'a.html'));
      const isShown = type === 'text/plain' || type.startsWith('image/png');
      assert.equal(headers.get('content-disposition'), `${isShown ? 'inline' : 'attachment'}; filename="a.html"`);
      assert.match(headers.get('content-security-policy') ?? '', /^sandbox; default-src 'none'; script-src 'none';/);
      assert.equal(headers.get('x-content-type-options'), 'nosniff');
      assert.equal(headers.get('cross-origin-resource-policy'), 'cross-origin');
    });
  }
});

describe('a body is not held in memory, and leaves nothing if it is not whole', () => {
  const open = (length: string) => {
    const socket = connect({ port, host: '127.0.0.1' });
    const head = `POST /_matrix/media/v3/upload HTTP/1.1\r\nHost: a\r\nAuthorization: ${authorization}\r\n`;
    socket.write(`${head}${length}\r\n\r\n`);
    return socket;
  };

  test('one that ends halfway', async () => {
    const socket = open('Content-Length: 1000000');
    socket.write('x'.repeat(300_000));
    while (filesIn('unfinished').length === 0) await new Promise((resolve) => setImmediate(resolve));
    socket.resetAndDestroy();
    while (filesIn('unfinished').length > 0) await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(server.errors, []);
  });

  test('one without end', async () => {
    const socket = open('Transfer-Encoding: chunked');
    socket.on('error', () => undefined);
    const megabyte = Buffer.alloc(1024 * 1024, 'x');
    const answered = once(socket, 'data') as Promise<[Buffer]>;
    const before = process.memoryUsage().arrayBuffers;
    let most = 0;
    for (let sent = 0; sent < 70 && socket.bytesRead === 0; sent++) {
      socket.write(`${megabyte.length.toString(16)}\r\n`);
      socket.write(megabyte);
      if (!socket.write('\r\n')) await once(socket, 'drain');
      if (sent % 8 === 0) collectGarbage();
      if (sent % 8 === 0) most = Math.max(most, process.memoryUsage().arrayBuffers - before);
    }
    assert.match(String((await answered)[0]), /^HTTP\/1\.1 413 .*"M_TOO_LARGE"/s);
    assert.ok(most < 10 * 1024 * 1024, `${most} bytes held`);
    assert.deepEqual(filesIn('unfinished'), []);
    socket.destroy();
  });

  test('many at the same time', async () => {
    const sockets = Array.from({ length: 30 }, () => open('Content-Length: 10'));
    const answers = sockets.map(async (socket) => String(((await once(socket, 'data')) as [Buffer])[0]));
    const refused = await Promise.race(answers);
    assert.match(refused, /^HTTP\/1\.1 429 .*"M_LIMIT_EXCEEDED"/s);
    for (const socket of sockets) socket.destroy();
  });
});
