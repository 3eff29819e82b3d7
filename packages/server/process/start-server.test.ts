import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { Agent, get } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { createTestAuthority } from '@portico/testkit/certificates.ts';
import { until } from '@portico/testkit/until.ts';
import fastify from 'fastify';
import { pino } from 'pino';
import { loadConfig } from '../config/load.ts';
import { callRunningServer } from './command-client.ts';
import { CommandError } from './command-error.ts';
import type { Compose } from './composition.ts';
import { StartError } from './start-error.ts';
import { openForCommand, startServer } from './start-server.ts';

const silent = pino({ level: 'silent' });

/** A server name and a free port on loopback, in a folder that goes with the test. */
async function makeConfig(context: TestContext, environment: Record<string, string> = {}, below = '') {
  const folder = mkdtempSync(join(tmpdir(), 'portico-start-'));
  context.after(() => rmSync(folder, { recursive: true }));
  const serve = '{"address":"127.0.0.1","port":0,"serve":["client"]}';
  const metrics = '{"address":"127.0.0.1","port":0,"serve":["metrics"]}';
  return loadConfig({
    environment: {
      PORTICO_DATA_DIR: join(folder, below, 'data'),
      PORTICO_LISTENERS: `[${serve},${metrics}]`,
      ...environment,
    },
  });
}

/** A small program: a request that waits until it may end, one that waits for the end of the process, and a command. */
function makeProgram() {
  const waiting = { slow: Promise.withResolvers<void>(), poll: Promise.withResolvers<void>() };
  const mayEnd = Promise.withResolvers<void>();
  const closed: string[] = [];
  const compose: Compose = async ({ signal, metrics }) => ({
    createApp(_listener, tls) {
      const app = fastify({ https: tls ? { cert: tls.certificate, key: tls.key } : null });
      app.post('/take', async () => 'taken');
      app.get('/slow', async () => {
        metrics?.observeRequest('slow', 'GET', 200, 7);
        waiting.slow.resolve();
        await mayEnd.promise;
        return 'done';
      });
      app.get('/poll', async () => {
        waiting.poll.resolve();
        if (!signal.aborted) await once(signal, 'abort');
        return 'nothing new';
      });
      app.addHook('onClose', async () => void closed.push('app'));
      return app;
    },
    handlers: {
      greet: async ({ name }) => `Hello ${String(name)}`,
      refuse: async () => {
        throw new CommandError('No.');
      },
      fail: async () => {
        throw new Error('a secret');
      },
    },
    close: async () => void closed.push('program'),
  });
  return {
    compose,
    waiting: { slow: waiting.slow.promise, poll: waiting.poll.promise },
    letEnd: mayEnd.resolve,
    closed,
  };
}

async function request(url: string, agent?: Agent): Promise<{ status: number | undefined; body: string }> {
  const [response] = (await once(get(url, { agent }), 'response')) as [IncomingMessage];
  return { status: response.statusCode, body: await text(response) };
}

test('stopping finishes requests in flight, ends long polls at once, and closes the program last', async (context) => {
  const config = await makeConfig(context);
  const { compose, waiting, letEnd, closed } = makeProgram();
  const server = await startServer(config, compose, silent);
  const url = server.listening[0]?.url ?? '';
  const agent = new Agent({ keepAlive: true });
  context.after(() => agent.destroy());
  const slow = request(`${url}/slow`, agent);
  const poll = request(`${url}/poll`);
  await Promise.all([waiting.slow, waiting.poll]);
  const stopped = server.stop();
  assert.equal((await poll).body, 'nothing new');
  assert.deepEqual(closed, [], 'nothing is closed under a request');
  letEnd();
  assert.deepEqual(await slow, { status: 200, body: 'done' });
  await stopped;
  assert.deepEqual(closed, ['app', 'program']);
  await assert.rejects(request(`${url}/slow`), { code: 'ECONNREFUSED' });
});

test('stopping does not wait for connections on which no request has come, or half of one', async (context) => {
  const { certificate, key } = createTestAuthority().issue(['127.0.0.1']);
  const folder = mkdtempSync(join(tmpdir(), 'portico-tls-'));
  context.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'cert.pem'), certificate);
  writeFileSync(join(folder, 'key.pem'), key);
  const tls = { certificate: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
  const plain = { address: '127.0.0.1', port: 0, serve: ['client'] };
  const config = await makeConfig(context, {
    PORTICO_LISTENERS: JSON.stringify([plain, { ...plain, port: 0, tls }]),
  });
  const { compose, waiting, letEnd } = makeProgram();
  const server = await startServer(config, compose, silent);
  const [http, https] = server.listening.map(({ url }) => Number(new URL(url).port));
  const open = async (port: number | undefined, text: string) => {
    const socket = connect(port ?? 0, '127.0.0.1');
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    if (text !== '') socket.write(text);
    return once(socket, 'close');
  };
  const head = 'POST /take HTTP/1.1\r\nhost: a\r\ncontent-type: text/plain\r\n';
  const half = [
    open(http, ''),
    open(http, head),
    open(http, `${head}content-length: 100\r\n\r\nthe beginning`),
    open(https, ''),
    open(https, '\x16\x03\x01'),
  ];
  const slow = request(`http://127.0.0.1:${http}/slow`);
  await waiting.slow;
  const started = performance.now();
  const stopped = server.stop();
  await Promise.all(half);
  letEnd();
  assert.equal((await slow).body, 'done', 'who waits for an answer gets it');
  await stopped;
  // Without the defence it is the whole patience.
  assert.ok(performance.now() - started < 20_000);
});

test('metrics are served on their own listener, and only they', async (context) => {
  const { compose, letEnd } = makeProgram();
  const server = await startServer(await makeConfig(context), compose, silent);
  context.after(() => server.stop());
  const [client, metrics] = server.listening;
  letEnd();
  await request(`${client?.url}/slow`);
  const { body } = await request(`${metrics?.url}/metrics`);
  const labels = 'operation="slow",method="GET",status="2xx"';
  assert.match(body, new RegExp(`portico_http_request_seconds_bucket\\{${labels},le="0.005"\\} 0\\n`));
  assert.match(body, new RegExp(`portico_http_request_seconds_bucket\\{${labels},le="0.01"\\} 1\\n`));
  assert.match(body, /\nportico_event_loop_lag_seconds\{quantile="0.99"\} \d/);
  assert.equal((await request(`${metrics?.url}/slow`)).status, 404);
  assert.equal((await request(`${client?.url}/metrics`)).status, 404);
});

test('commands go to the server that runs on the folder, and otherwise open it', async (context) => {
  const config = await makeConfig(context);
  const { compose } = makeProgram();
  assert.deepEqual(await callRunningServer(config.dataDir, 'greet', {}), { kind: 'no-server' });
  const server = await startServer(config, compose, silent);
  context.after(() => server.stop());
  assert.equal(statSync(join(config.dataDir, 'portico.sock')).mode & 0o777, 0o600, 'only its owner may command it');
  const call = (method: string, params = {}) => callRunningServer(config.dataDir, method, params);
  assert.deepEqual(await call('greet', { name: 'Ada' }), { kind: 'answer', result: 'Hello Ada' });
  assert.deepEqual(await call('refuse'), { kind: 'refused', message: 'No.' });
  const failed = await call('fail');
  assert.ok(failed.kind === 'refused' && !failed.message.includes('secret'));
  assert.equal((await call('toString')).kind, 'refused');
  await assert.rejects(openForCommand(config, compose, silent), StartError);
  await server.stop();

  assert.deepEqual(await call('greet', {}), { kind: 'no-server' });
  const opened = await openForCommand(config, compose, silent);
  assert.equal(await opened.handlers['greet']?.({ name: 'Bob' }), 'Hello Bob');
  await opened.close();
});

test('a data folder may lie deeper than the address of a socket may be long', async (context) => {
  const config = await makeConfig(context, {}, 'a-long-name-of-a-folder/'.repeat(8));
  const server = await startServer(config, makeProgram().compose, silent);
  const reply = await callRunningServer(config.dataDir, 'greet', { name: 'Ada' });
  await server.stop();
  assert.deepEqual(reply, { kind: 'answer', result: 'Hello Ada' });
});

test('a port that is taken is a matter of configuration, and everything is given back', async (context) => {
  const first = await startServer(await makeConfig(context), makeProgram().compose, silent);
  context.after(() => first.stop());
  const port = new URL(first.listening[0]?.url ?? '').port;
  const listeners = `[{"address":"127.0.0.1","port":${port},"serve":["client"]}]`;
  const config = await makeConfig(context, { PORTICO_LISTENERS: listeners });
  const { compose, closed } = makeProgram();
  await assert.rejects(startServer(config, compose, silent), {
    name: 'StartError',
    message: `listeners[0] is 127.0.0.1:${port}: another program listens there. Stop it, or choose another port.`,
  });
  assert.deepEqual(closed, ['app', 'program']);
  await (await openForCommand(config, makeProgram().compose, silent)).close();
});

test('more connections than open files leave room for are refused, and the operator is told', async (context) => {
  const config = await makeConfig(context);
  const { compose } = makeProgram();
  const warnings: string[] = [];
  const log = pino(
    { level: 'warn' },
    { write: (line: string) => void warnings.push((JSON.parse(line) as { msg: string }).msg) },
  );
  const server = await startServer(config, compose, log, { openFiles: () => 2 });
  context.after(() => server.stop());
  const url = server.listening[0]?.url ?? '';
  assert.match(warnings.join(), /^Only so many connections fit\. .* LimitNOFILE=/);
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  context.after(() => socket.destroy());
  await once(socket, 'connect');
  await assert.rejects(request(`${url}/poll`), { code: 'ECONNRESET' });
  assert.match(warnings[1] ?? '', /^Connections are refused\. /);
  socket.destroy();
  const metrics = `${server.listening[1]?.url}/metrics`;
  const scraped = await until(() => request(metrics).catch(() => undefined), 'there is room again');
  assert.match(scraped.body, /^portico_connections 1$[\s\S]*^portico_connections_limit 1$/m);
});

test('renewed certificates are read again, and those that cannot be used are not taken', async (context) => {
  const authority = createTestAuthority();
  const folder = mkdtempSync(join(tmpdir(), 'portico-tls-'));
  context.after(() => rmSync(folder, { recursive: true }));
  const tls = { certificate: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
  const renew = (names: string[]) => {
    const { certificate, key } = authority.issue(names);
    writeFileSync(tls.certificate, certificate);
    writeFileSync(tls.key, key);
  };
  renew(['old.example.org']);
  const listener = { address: '127.0.0.1', port: 0, serve: ['client'], tls };
  const config = await makeConfig(context, { PORTICO_LISTENERS: JSON.stringify([listener]) });
  const lines: string[] = [];
  const log = pino({}, { write: (line: string) => void lines.push((JSON.parse(line) as { msg: string }).msg) });
  const server = await startServer(config, makeProgram().compose, log);
  context.after(() => server.stop());
  const port = Number(new URL(server.listening[0]?.url ?? '').port);
  const shown = async () => {
    const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false });
    await once(socket, 'secureConnect');
    const { subjectaltname } = socket.getPeerCertificate();
    socket.destroy();
    return subjectaltname;
  };
  assert.equal(await shown(), 'DNS:old.example.org');
  renew(['new.example.org']);
  server.renewCertificates();
  assert.equal(await shown(), 'DNS:new.example.org');
  writeFileSync(tls.key, authority.issue(['other.example.org']).key);
  server.renewCertificates();
  assert.equal(await shown(), 'DNS:new.example.org');
  rmSync(tls.certificate);
  server.renewCertificates();
  assert.equal(await shown(), 'DNS:new.example.org');
  const [, ...told] = lines.filter((line) => /certificates/.test(line));
  assert.deepEqual(told, Array(2).fill('The certificates cannot be used; those that were read before stay in use'));
});
