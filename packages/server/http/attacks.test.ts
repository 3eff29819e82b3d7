import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { text as readText } from 'node:stream/consumers';
import { after, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { Type } from 'typebox';
import { newDeviceKeys } from '@portico/testkit/device-keys.ts';
import { createRoom, must } from '@portico/testkit/people.ts';
import { startTestServer } from '@portico/testkit/server.ts';
import { createTestClient } from '@portico/testkit/test-client.ts';
import { threadTime } from '@portico/testkit/thread-time.ts';
import { until } from '@portico/testkit/until.ts';
import { createRateLimiter } from '../services/rate-limit/rate-limiter.ts';
import { buildApp } from './app.ts';
import { endpoint } from './endpoint.ts';

const server = await startTestServer();
const alice = await server.registerUser('alice');
after(() => server.close());

/** Sends bytes as they are and reads until the server hangs up. */
async function sendRaw(bytes: string): Promise<string> {
  const socket = connect(Number(new URL(server.baseUrl).port), '127.0.0.1');
  socket.write(bytes);
  return readText(socket);
}

const statusOf = (answer: string): string => answer.slice(0, 'HTTP/1.1 400'.length);

describe('one request cannot hide another', () => {
  const smuggled = 'GET /_matrix/client/versions HTTP/1.1\r\nHost: a\r\n\r\n';
  const post = 'POST /_matrix/client/v3/login HTTP/1.1\r\nHost: a\r\nConnection: close\r\n';

  for (const [name, headers, body] of [
    ['two ways to say how long it is', 'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n', `0\r\n\r\n${smuggled}`],
    ['two lengths', 'Content-Length: 0\r\nContent-Length: 5\r\n', smuggled],
    ['a length that is none', 'Content-Length: +5\r\n', smuggled],
    ['an encoding that is not chunked at the end', 'Transfer-Encoding: chunked, identity\r\n', smuggled],
    ['a bare line feed in a header', 'X-A: b\nContent-Length: 5\r\n', smuggled],
    ['a blank before the colon', 'Content-Length : 5\r\n', smuggled],
  ] as const) {
    test(name, async () => {
      const answer = await sendRaw(`${post}${headers}\r\n${body}`);
      assert.equal(statusOf(answer), 'HTTP/1.1 400');
      assert.equal(answer.includes('"versions"'), false);
      assert.match(answer, /Access-Control-Allow-Origin: \*/);
    });
  }
});

test('a request says once for which host it is', async () => {
  const known = '/_matrix/client/versions';
  for (const start of [`GET ${known}`, `OPTIONS ${known}`, 'GET /nowhere', `POST ${known}`, 'GET /%zz']) {
    for (const hosts of ['Host: a\r\nHost: a\r\n', 'host: a\r\nX-A: b\r\nHOST: b\r\n']) {
      for (const version of ['1.0', '1.1']) {
        const answer = await sendRaw(`${start} HTTP/${version}\r\n${hosts}Connection: close\r\n\r\n`);
        assert.equal(statusOf(answer), 'HTTP/1.1 400', `${start} ${version}`);
        assert.match(answer, /Access-Control-Allow-Origin: \*/i);
      }
    }
    const none = await sendRaw(`${start} HTTP/1.1\r\nConnection: close\r\n\r\n`);
    assert.equal(statusOf(none), 'HTTP/1.1 400', start);
  }
  const other = `GET ${known} HTTP/1.1\r\nHost: a\r\nHosts: b\r\nX-Forwarded-Host: c\r\nConnection: close\r\n\r\n`;
  assert.equal(statusOf(await sendRaw(other)), 'HTTP/1.1 200');
});

test('who hangs up in the middle of a body leaves nothing in the log', async () => {
  for (const rest of ['Content-Length: 100\r\n\r\n{"a"', 'Transfer-Encoding: chunked\r\n\r\n5\r\n{"a"']) {
    const socket = connect(Number(new URL(server.baseUrl).port), '127.0.0.1');
    const path = `/_matrix/client/v3/user/${alice.userId}/account_data/t`;
    const head = `PUT ${path} HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nAuthorization: Bearer ${alice.accessToken}`;
    socket.write(`${head}\r\n${rest}`);
    // The server has taken the request when it asks for the body.
    await once(socket, 'data');
    socket.resetAndDestroy();
    await once(socket, 'close');
  }
  // What another connection is told comes after what became of those.
  assert.equal((await alice.get('/_matrix/client/v3/account/whoami')).status, 200);
  assert.deepEqual(server.errors, []);
});

describe('nothing that a client sends becomes a header', () => {
  test('a line break in a path stays in the path', async () => {
    const answer = await sendRaw(
      'GET /_matrix/client/v3/x%0d%0aSet-Cookie:%20a=b HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
    );
    assert.equal(statusOf(answer), 'HTTP/1.1 404');
    assert.equal(answer.toLowerCase().includes('set-cookie'), false);
  });
});

describe('secrets stay out of the log', () => {
  test('a request that fails is logged without its address, headers and body', async (t) => {
    const logged: string[] = [];
    const broken = endpoint(
      {
        method: 'POST',
        path: '/broken/:id',
        operationId: 'broken',
        summary: 'Fails.',
        auth: 'user',
        body: Type.Object({ password: Type.String() }),
        response: Type.Unknown(),
      },
      () => () => {
        throw new Error('defect');
      },
    );
    const note = (fields: object, message: string) => logged.push(JSON.stringify({ ...fields, message }));
    const app = buildApp<object>(
      [broken],
      {},
      {
        log: { error: note, debug: note, isLevelEnabled: () => true },
        authenticator: {
          findSender: () => ({ userId: '@a:x', deviceId: 'D', isAdmin: false, tokenHash: 'hash-of-it' }),
        },
        rateLimiter: createRateLimiter({ enabled: false, now: () => 0 }),
      },
    );
    const base = await app.listen({ host: '127.0.0.1', port: 0 });
    t.after(() => app.close());
    const body = JSON.stringify({ password: 'p4ssword' });
    for (const [query, headers] of [
      ['?access_token=s3cret', {}],
      ['', { authorization: 'Bearer s3cret' }],
    ] as const) {
      assert.equal((await fetch(`${base}/broken/a%0ab${query}`, { method: 'POST', body, headers })).status, 500);
      assert.equal((await fetch(`${base}/nowhere${query}`, { headers })).status, 404);
      assert.equal((await fetch(`${base}/%zz${query}`, { headers })).status, 400);
    }
    const all = logged.join('\n');
    assert.match(all, /\/broken\/:id/);
    for (const secret of ['s3cret', 'p4ssword', 'hash-of-it']) assert.equal(all.includes(secret), false, secret);
  });
});

test('who does not read the answer is cut off after a while', { timeout: 30_000 }, async (t) => {
  const large = endpoint(
    { method: 'GET', path: '/large', operationId: 'large', summary: 'Long.', auth: 'none', response: Type.Unknown() },
    () => () => 'x'.repeat(50_000_000),
  );
  const log = { error: () => undefined, debug: () => undefined, isLevelEnabled: () => false };
  const app = buildApp<object>(
    [large],
    {},
    {
      log,
      authenticator: { findSender: () => undefined },
      rateLimiter: createRateLimiter({ enabled: false, now: () => 0 }),
      idleTimeout: 200,
    },
  );
  t.after(() => app.close());
  const base = await app.listen({ host: '127.0.0.1', port: 0 });
  const openConnections = () => promisify(app.server.getConnections.bind(app.server))();
  const socket = connect(Number(new URL(base).port), '127.0.0.1').on('error', () => undefined);
  t.after(() => socket.destroy());
  socket.write('GET /large HTTP/1.1\r\nHost: a\r\n\r\n');
  await until(async () => (await openConnections()) === 1, 'it is connected');
  await until(async () => (await openConnections()) === 0, 'it is cut off');
});

describe('no body is worth more work than its length', () => {
  const put = (body: string) =>
    fetch(`${server.baseUrl}/_matrix/client/v3/user/${alice.userId}/account_data/t`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${alice.accessToken}` },
      body,
    });
  const bodies: readonly (readonly [name: string, body: string, status: number])[] = [
    ['brackets without end', '['.repeat(1_000_000), 400],
    ['objects without end', '{"a":'.repeat(200_000), 400],
    ['a number without end', `{"a":${'9'.repeat(1_000_000)}}`, 200],
    ['the same key again and again', `{${'"a":1,'.repeat(90_000)}"a":1}`, 200],
    ['more members than anybody needs', `{${'"a":1,'.repeat(170_000)}"a":1}`, 413],
    [
      'many keys that look like numbers',
      `{${Array.from({ length: 60_000 }, (_, n) => `"${n * 7919}":0`).join()}}`,
      200,
    ],
    ['a string of escapes', `{"a":"${'\\u0000'.repeat(170_000)}"}`, 200],
  ];
  for (const [name, body, status] of bodies) {
    test(name, async () => {
      const start = threadTime();
      const response = await put(body);
      const took = threadTime() - start;
      assert.equal(response.status, status);
      // Far less than anything worse than linear takes.
      assert.ok(took < 2000, `took ${took} ms`);
    });
  }

  test('a length that is too much is refused before the body has come', async () => {
    const answer = await sendRaw(
      `PUT /_matrix/client/v3/user/${alice.userId}/account_data/t HTTP/1.1\r\nHost: a\r\n` +
        `Authorization: Bearer ${alice.accessToken}\r\nContent-Length: 99999999999\r\n\r\n{`,
    );
    assert.equal(statusOf(answer), 'HTTP/1.1 413');
    assert.match(answer, /"M_TOO_LARGE"/);
  });

  test('who is not logged in need not be read', async () => {
    const answer = await sendRaw(
      `PUT /_matrix/client/v3/user/${alice.userId}/account_data/t HTTP/1.1\r\nHost: a\r\nConnection: close\r\n` +
        'Content-Length: 1000000\r\n\r\n{',
    );
    assert.equal(statusOf(answer), 'HTTP/1.1 401');
  });
});

test('a __proto__ key stays data, wherever it is sent', async () => {
  const payload = '{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}';
  for (const path of [
    `/_matrix/client/v3/user/${alice.userId}/account_data/__proto__`,
    `/_matrix/client/v3/user/${alice.userId}/account_data/t?__proto__=1&__proto__[polluted]=1`,
  ]) {
    const headers = { authorization: `Bearer ${alice.accessToken}` };
    assert.equal((await fetch(server.baseUrl + path, { method: 'PUT', headers, body: payload })).status, 200);
    assert.equal(await (await fetch(server.baseUrl + path, { headers })).text(), payload);
  }
  const login = await server.anonymous.post('/_matrix/client/v3/login', { type: '__proto__' });
  assert.deepEqual([login.status, login.body['errcode']], [400, 'M_UNKNOWN']);
  const auth = { type: 'constructor' };
  assert.equal((await server.anonymous.post('/_matrix/client/v3/register', { password: 'x', auth })).status, 401);
  assert.equal('polluted' in {}, false);
  assert.deepEqual(server.errors, []);
});

test('devices, keys, tags and rules may be called like what every object has', async () => {
  const v3 = '/_matrix/client/v3';
  const json = (text: string) => JSON.parse(text) as object;
  const [room, password] = [await createRoom(alice), 'a password'];
  const tags = `${v3}/user/${encodeURIComponent(alice.userId)}/rooms/${encodeURIComponent(room)}/tags`;
  for (const name of ['__proto__', 'constructor', 'toString']) {
    const identifier = { type: 'm.id.user', user: alice.userId };
    const login = { type: 'm.login.password', identifier, password, device_id: name };
    const { access_token: accessToken } = await must(server.anonymous.post(`${v3}/login`, login));
    const user = { userId: alice.userId, deviceId: name, accessToken: String(accessToken) };
    const client = createTestClient(server.baseUrl, user);
    const keys = newDeviceKeys({ userId: alice.userId, deviceId: name });
    const counts = await must(
      client.post(`${v3}/keys/upload`, {
        device_keys: keys,
        one_time_keys: json(`{"${name}:1":"first"}`),
        fallback_keys: json(`{"${name}:F":"last"}`),
      }),
    );
    const of = (value: unknown, ...path: string[]) =>
      path.reduce<unknown>(
        (found, each) => (Object.hasOwn(found as object, each) ? (found as never)[each] : found),
        value,
      );
    assert.equal(of(counts, 'one_time_key_counts', name), 1);
    const wanted = json(`{"one_time_keys":{"${alice.userId}":{"${name}":"${name}"}}}`);
    for (const [id, key] of [
      [`${name}:1`, 'first'],
      [`${name}:F`, 'last'],
    ] as const) {
      const claimed = await must(alice.post(`${v3}/keys/claim`, wanted));
      assert.equal(of(claimed, 'one_time_keys', alice.userId, name, id), key);
    }
    const messages = json(`{"messages":{"${alice.userId}":{"${name}":{"a":1}}}}`);
    await must(alice.put(`${v3}/sendToDevice/m.x/${name}`, messages));
    const synced = await must(client.get(`${v3}/sync`));
    assert.equal((of(synced, 'to_device', 'events') as unknown[]).length, 1);
    await must(client.put(`${tags}/${name}`, { order: 0.5 }));
    assert.equal(of(await must(client.get(tags)), 'tags', name, 'order'), 0.5);
    const rule = `${v3}/pushrules/global/override/${name}`;
    await must(client.put(rule, { actions: ['notify'], conditions: [] }));
    assert.equal(of(await must(client.get(rule)), 'rule_id'), name);
  }
  assert.deepEqual(Object.keys(Object.prototype), []);
  assert.deepEqual(server.errors, []);
});
