import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, describe, test } from 'node:test';
import { until } from '@portico/testkit/until.ts';
import { Type } from 'typebox';
import { MatrixError } from '../errors/matrix-error.ts';
import { createRateLimiter } from '../services/rate-limit/rate-limiter.ts';
import { buildApp, type AppOptions } from './app.ts';
import { endpoint, type Endpoint } from './endpoint.ts';
import { rawJson } from './result.ts';

const echo = endpoint(
  {
    method: 'POST',
    path: '/_matrix/client/v3/echo/:name',
    operationId: 'echo',
    summary: 'Echoes.',
    auth: 'user',
    rateLimit: 'filter',
    params: Type.Object({ name: Type.String() }),
    query: Type.Object({ limit: Type.Optional(Type.Integer()), tag: Type.Optional(Type.Array(Type.String())) }),
    body: Type.Object({ text: Type.String(), more: Type.Optional(Type.Unknown()) }),
    response: Type.Object({}, { additionalProperties: true }),
  },
  () =>
    ({ sender, params, query, body }) => ({ userId: sender.userId, name: params.name, ...query, body }),
);
const ip = endpoint(
  { method: 'GET', path: '/ip', operationId: 'ip', summary: 'Address.', auth: 'none', response: Type.Unknown() },
  () => (request) => ({ ip: request.ip }),
);
const broken = endpoint(
  { method: 'GET', path: '/broken', operationId: 'broken', summary: 'Fails.', auth: 'none', response: Type.Unknown() },
  () => () => {
    throw new TypeError('secret detail');
  },
);
const optional = endpoint(
  {
    method: 'POST',
    path: '/optional',
    operationId: 'optional',
    summary: 'Optional.',
    auth: 'optional',
    body: Type.Object({ a: Type.Optional(Type.Integer()) }),
    response: Type.Unknown(),
  },
  () =>
    ({ sender, body }) =>
      rawJson(JSON.stringify({ who: sender?.userId ?? null, body })),
);
const anyone = endpoint(
  {
    method: 'GET',
    path: '/anyone',
    operationId: 'anyone',
    summary: 'Public.',
    auth: 'anyone',
    response: Type.Unknown(),
  },
  () =>
    ({ sender }) =>
      rawJson(JSON.stringify({ who: sender?.userId ?? null })),
);
function createPoll(): { poll: Endpoint<object>; started: Promise<AbortSignal> } {
  const { promise: started, resolve: start } = Promise.withResolvers<AbortSignal>();
  const poll = endpoint(
    { method: 'GET', path: '/poll', operationId: 'poll', summary: 'Waits.', auth: 'none', response: Type.Unknown() },
    () =>
      ({ signal }) =>
        new Promise((resolve) => {
          signal.addEventListener('abort', () => resolve({ reason: String(signal.reason) }));
          start(signal);
        }),
  );
  return { poll, started };
}

type Logged = { fields: object; message: string };

async function listen(options: Partial<AppOptions> = {}, more: readonly Endpoint<object>[] = []) {
  const logged: Logged[] = [];
  const app = buildApp<object>(
    [echo, ip, broken, optional, anyone, ...more],
    {},
    {
      log: {
        error: (fields, message) => logged.push({ fields, message }),
        debug: () => undefined,
        isLevelEnabled: () => false,
      },
      authenticator: {
        findSender: (token) =>
          token === 'expired'
            ? Promise.reject(new MatrixError('token.unknown'))
            : token === 'good'
              ? { userId: '@a:x', deviceId: 'D', isAdmin: false, tokenHash: 'h' }
              : undefined,
      },
      rateLimiter: createRateLimiter({ enabled: false, now: () => 0 }),
      ...options,
    },
  );
  const base = await app.listen({ host: '127.0.0.1', port: 0 });
  return { app, base, logged };
}

const { app, base, logged } = await listen();
after(() => app.close());

async function call(path: string, init: RequestInit = {}, url = base): Promise<{ status: number; body: unknown }> {
  const response = await fetch(`${url}${path}`, init);
  assert.equal(response.headers.get('access-control-allow-origin'), '*', path);
  return { status: response.status, body: await response.json() };
}

async function refused(path: string, init: RequestInit, status: number, errcode: string): Promise<void> {
  const got = await call(path, init);
  assert.deepEqual({ status: got.status, errcode: (got.body as { errcode: string }).errcode }, { status, errcode });
  assert.equal(typeof (got.body as { error: string }).error, 'string');
}

const authorized = { authorization: 'Bearer good' };
const post = (body: string | Buffer, headers: Record<string, string> = authorized): RequestInit => ({
  method: 'POST',
  body: new Uint8Array(Buffer.from(body)),
  headers,
});

describe('a request that is right', () => {
  test('reaches the handler with everything parsed', async () => {
    const { body } = await call(
      '/_matrix/client/v3/echo/a%2Fb?limit=3&tag=x&tag=%C3%A9+y&other',
      post('{"text":"hi"}'),
    );
    assert.deepEqual(body, { userId: '@a:x', name: 'a/b', limit: 3, tag: ['x', 'é y'], body: { text: 'hi' } });
  });
  test('may come under r0, with its token in the query, as any content type', async () => {
    const init = post('{"text":"hi"}', { 'content-type': 'text/plain;;;' });
    assert.equal((await call('/_matrix/client/r0/echo/x?access_token=good', init)).status, 200);
  });
  test('may come with a token that is over where anybody is answered', async () => {
    const cases: [authorization: string, who: string | null][] = [
      ['Bearer good', '@a:x'],
      ['Bearer bad', null],
      ['Bearer expired', null],
      ['Basic Z29vZA==', null],
    ];
    for (const [authorization, who] of cases) {
      const headers = { authorization };
      assert.deepEqual(await call('/anyone', { headers }).then(({ status, body }) => [status, body]), [200, { who }]);
    }
  });
  test('may leave out a body all of whose fields are optional', async () => {
    assert.deepEqual((await call('/optional', { method: 'POST' })).body, { who: null, body: {} });
  });
  test('may have a __proto__ key, which pollutes nothing', async () => {
    const { body } = await call('/_matrix/client/v3/echo/x', post('{"text":"a","__proto__":{"polluted":1}}'));
    assert.match(JSON.stringify(body), /"__proto__":\{"polluted":1\}/);
    assert.equal(({} as { polluted?: unknown }).polluted, undefined);
  });
});

describe('a request that is wrong', () => {
  const path = '/_matrix/client/v3/echo/x';
  test('on an unknown path or with an unknown method', async () => {
    await refused('/nowhere', {}, 404, 'M_UNRECOGNIZED');
    await refused('/nowhere', post('{broken', { 'content-type': ';;' }), 404, 'M_UNRECOGNIZED');
    await refused(path, { method: 'PUT', body: '{broken' }, 405, 'M_UNRECOGNIZED');
    await refused('/_matrix/client/v3/echo/x/y', post('{}'), 404, 'M_UNRECOGNIZED');
  });
  test('in its token', async () => {
    await refused(path, { method: 'POST' }, 401, 'M_MISSING_TOKEN');
    await refused(path, post('{}', { authorization: 'Basic xxx' }), 401, 'M_MISSING_TOKEN');
    await refused(path, post('{}', { authorization: 'Bearer bad' }), 401, 'M_UNKNOWN_TOKEN');
    await refused('/optional', post('{}', { authorization: 'Bearer bad' }), 401, 'M_UNKNOWN_TOKEN');
  });
  test('in its body', async () => {
    await refused(path, post(''), 400, 'M_NOT_JSON');
    await refused(path, { method: 'POST', headers: authorized }, 400, 'M_NOT_JSON');
    await refused(path, post('{broken'), 400, 'M_NOT_JSON');
    await refused(path, post(Buffer.from([0x22, 0xff, 0x22])), 400, 'M_NOT_JSON');
    await refused(path, post('{}'), 400, 'M_MISSING_PARAM');
    await refused(path, post('[]'), 400, 'M_BAD_JSON');
    await refused(path, post('null'), 400, 'M_BAD_JSON');
    await refused(path, post('{"text":1}'), 400, 'M_BAD_JSON');
    await refused(path, post(`{"text":"","more":${'['.repeat(200)}${']'.repeat(200)}}`), 400, 'M_BAD_JSON');
    await refused(path, post(JSON.stringify({ text: 'x'.repeat(1024 * 1024) })), 413, 'M_TOO_LARGE');
  });
  test('in its address', async () => {
    await refused(`${path}?limit=many`, post('{"text":""}'), 400, 'M_INVALID_PARAM');
    await refused(`${path}?limit=%zz`, post('{"text":""}'), 400, 'M_INVALID_PARAM');
    await refused('/_matrix/client/v3/echo/%zz', post('{"text":""}'), 400, 'M_INVALID_PARAM');
    await refused('/_matrix/client/v3/echo/%ff', post('{"text":""}'), 400, 'M_INVALID_PARAM');
  });
  test('as HTTP', async () => {
    const socket = connect(Number(new URL(base).port), '127.0.0.1');
    socket.end('NONSENSE\r\n\r\n');
    let answer = '';
    for await (const chunk of socket) answer += String(chunk);
    assert.match(answer, /^HTTP\/1\.1 400 /);
    assert.match(answer, /Access-Control-Allow-Origin: \*/);
    assert.match(answer, /"errcode":"M_UNKNOWN"/);
  });
});

test('a preflight is answered on every path, without authentication', async () => {
  for (const path of ['/_matrix/client/v3/echo/x', '/nowhere']) {
    const response = await fetch(`${base}${path}`, { method: 'OPTIONS' });
    assert.equal(response.status, 204);
    assert.match(response.headers.get('access-control-allow-headers') ?? '', /Authorization/);
    assert.match(response.headers.get('access-control-allow-methods') ?? '', /PUT/);
  }
});

test('a defect is an opaque 500, and in the log with its request', async () => {
  const got = await call('/broken');
  assert.deepEqual(got, { status: 500, body: { errcode: 'M_UNKNOWN', error: 'Internal server error.' } });
  const { err, requestId, route } = (logged.at(-1) as Logged).fields as {
    err: Error;
    requestId: string;
    route: string;
  };
  assert.equal(err.message, 'secret detail');
  assert.equal(typeof requestId, 'string');
  assert.equal(route, '/broken');
});

test('who sends too much is told when to come back', async () => {
  let at = 0;
  const limited = await listen({ rateLimiter: createRateLimiter({ enabled: true, now: () => at }) });
  try {
    const send = () => fetch(`${limited.base}/_matrix/client/v3/echo/x`, post('{"text":""}'));
    for (let n = 0; n < 30; n++) assert.equal((await send()).status, 200);
    const refusal = await send();
    assert.equal(refusal.status, 429);
    assert.equal(refusal.headers.get('retry-after'), '1');
    assert.equal(refusal.headers.get('access-control-allow-origin'), '*');
    const body = (await refusal.json()) as { errcode: string; retry_after_ms: number };
    assert.deepEqual([body.errcode, body.retry_after_ms], ['M_LIMIT_EXCEEDED', 1000]);
    at += 1000;
    assert.equal((await send()).status, 200);
  } finally {
    await limited.app.close();
  }
});

test('an address is taken from X-Forwarded-For only if a trusted proxy says so', async () => {
  const init = { headers: { 'x-forwarded-for': '6.6.6.6, 10.1.1.1', forwarded: 'for=6.6.6.6' } };
  assert.deepEqual((await call('/ip', init)).body, { ip: '127.0.0.1' });
  const proxied = await listen({ trustedProxies: ['127.0.0.1'] });
  const nested = await listen({ trustedProxies: ['127.0.0.1', '10.0.0.0/8'] });
  try {
    assert.deepEqual((await call('/ip', init, proxied.base)).body, { ip: '10.1.1.1' });
    assert.deepEqual((await call('/ip', init, nested.base)).body, { ip: '6.6.6.6' });
  } finally {
    await proxied.app.close();
    await nested.app.close();
  }
});

test('who looks late for whether the client has gone is told so', async () => {
  const started = Promise.withResolvers<void>();
  const gone = Promise.withResolvers<void>();
  const reason = Promise.withResolvers<unknown>();
  const late = endpoint(
    { method: 'GET', path: '/late', operationId: 'late', summary: 'Looks.', auth: 'none', response: Type.Unknown() },
    () => async (request) => {
      started.resolve();
      await gone.promise;
      reason.resolve(request.signal.reason);
      return {};
    },
  );
  const one = await listen({}, [late]);
  const { port, hostname } = new URL(one.base);
  const socket = connect(Number(port), hostname);
  socket.write('GET /late HTTP/1.1\r\nhost: x\r\n\r\n');
  await started.promise;
  socket.destroy();
  await until(
    () => new Promise<boolean>((resolve) => one.app.server.getConnections((_, count) => resolve(count === 0))),
    'the server has seen that',
  );
  gone.resolve();
  assert.equal(await reason.promise, 'client-gone');
  await one.app.close();
});

test('a long poll learns that its client has gone, and is answered when the server shuts down', async () => {
  const first = createPoll();
  const one = await listen({}, [first.poll]);
  const leaving = new AbortController();
  const gone = fetch(`${one.base}/poll`, { signal: leaving.signal });
  const signal = await first.started;
  leaving.abort();
  await assert.rejects(gone);
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve));
  assert.equal(signal.reason, 'client-gone');
  await one.app.close();

  const second = createPoll();
  const two = await listen({}, [second.poll]);
  const waiting = fetch(`${two.base}/poll`);
  await second.started;
  const closed = two.app.close();
  assert.deepEqual(await (await waiting).json(), { reason: 'shutting-down' });
  await closed;
});

test('a limit of an account says where people can read about it', async () => {
  const limited = endpoint(
    { method: 'GET', path: '/full', operationId: 'full', summary: 'Full.', auth: 'none', response: Type.Unknown() },
    () => () => Promise.reject(new MatrixError('pusher.too-many')),
  );
  for (const [helpPage, expected] of [
    ['https://example.org/limits', /^https:\/\/example\.org\/limits$/],
    [undefined, /^https:\/\/spec\.matrix\.org\//],
  ] as const) {
    const other = await listen({ helpPage }, [limited]);
    try {
      const { status, body } = await call('/full', {}, other.base);
      const { errcode, info_uri: page } = body as Record<string, unknown>;
      assert.deepEqual([status, errcode], [403, 'M_USER_LIMIT_EXCEEDED']);
      assert.match(String(page), expected);
    } finally {
      await other.app.close();
    }
  }
});

test('a service may throw a refusal', async () => {
  const refusing = endpoint(
    { method: 'GET', path: '/no', operationId: 'no', summary: 'No.', auth: 'none', response: Type.Unknown() },
    () => () => Promise.reject(new MatrixError('user.taken', { fields: { hint: 'x' } })),
  );
  const other = await listen({}, [refusing]);
  try {
    const { status, body } = await call('/no', {}, other.base);
    assert.deepEqual(
      { status, body },
      { status: 400, body: { errcode: 'M_USER_IN_USE', error: 'This user name is taken.', hint: 'x' } },
    );
  } finally {
    await other.app.close();
  }
});
