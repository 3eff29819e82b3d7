import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { Type } from 'typebox';
import { buildApp } from '@portico/server/http/app.ts';
import { endpoint } from '@portico/server/http/endpoint.ts';
import { defaultRates } from '@portico/server/services/rate-limit/rate-classes.ts';
import { createRateLimiter } from '@portico/server/services/rate-limit/rate-limiter.ts';
import type { Measurement } from './bench.ts';
import type { Load } from './http-load.ts';

const warmUp = 10_000;
const requests = 20_000;
const samples = 3;

const send = endpoint(
  {
    method: 'PUT',
    path: '/_matrix/client/v3/rooms/:roomId/send/:eventType/:txnId',
    operationId: 'sendMessage',
    summary: 'Answers at once.',
    auth: 'user',
    rateLimit: 'send',
    params: Type.Object({ roomId: Type.String(), eventType: Type.String(), txnId: Type.String() }),
    body: Type.Unsafe<object>({ type: 'object' }),
    response: Type.Object({ event_id: Type.String() }),
  },
  () =>
    async ({ params }) => ({ event_id: `$${params.txnId}` }),
);

async function listen() {
  const sender = { userId: '@alice:localhost', deviceId: 'DEVICE', isAdmin: false, tokenHash: 'x' };
  const rates = { ...defaultRates, send: { perSecond: 1, burst: 1e9 } };
  const app = buildApp<object>(
    [send],
    {},
    {
      log: { error: console.error, debug: () => undefined, isLevelEnabled: () => false },
      authenticator: { findSender: () => sender },
      rateLimiter: createRateLimiter({ enabled: true, now: () => performance.now(), rates }),
      observe: () => undefined,
    },
  );
  const address = await app.listen({ host: '127.0.0.1', port: 0 });
  return { app, port: Number(new URL(address).port) };
}

/** Over loopback, with the load in a thread of its own: only what the server's thread works is counted. */
export async function measured(): Promise<readonly Measurement[]> {
  const { app, port } = await listen();
  const body = JSON.stringify({ msgtype: 'm.text', body: 'Hello, is anybody there? '.repeat(4) });
  const workerData: Load = {
    port,
    connections: 8,
    head: 'PUT /_matrix/client/v3/rooms/!abcdefghijklmnop:localhost/send/m.room.message/txn',
    rest:
      ` HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${'0'.repeat(43)}\r\nContent-Type: application/json\r\n` +
      `Content-Length: ${body.length}\r\n\r\n${body}`,
  };
  const load = new Worker(new URL('./http-load.ts', import.meta.url), { workerData });
  const cost = async (count: number): Promise<number> => {
    const before = process.threadCpuUsage();
    load.postMessage(count);
    await once(load, 'message');
    const { user, system } = process.threadCpuUsage(before);
    return (user + system) / count;
  };
  await cost(warmUp);
  let best = Infinity;
  for (let sample = 0; sample < samples; sample++) best = Math.min(best, await cost(requests));
  await load.terminate();
  await app.close();
  return [{ name: 'authenticated PUT with a small body, CPU of the main thread', microseconds: best }];
}
