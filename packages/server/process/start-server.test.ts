import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { Agent, get } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
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
    createApp() {
      const app = fastify();
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
