import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { test, type TestContext } from 'node:test';
import { startFarAway } from './far-away.ts';

/** A connection to something far away, from both ends. */
async function open(context: TestContext, lag: () => number): Promise<{ near: Socket; far: Socket }> {
  const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const farAway = await startFarAway(lag);
  const near = farAway.connect((server.address() as AddressInfo).port);
  const [far] = (await once(server, 'connection')) as [Socket];
  context.after(async () => {
    near.destroy();
    await farAway.close();
    server.close();
  });
  return { near, far };
}

test('what is far away hears everything later, and in its order', async (context) => {
  const lags = [100];
  const { near, far } = await open(context, () => lags.shift() ?? 0);
  const sent = performance.now();
  near.write('first ');
  setImmediate(() => near.end('second'));
  assert.equal(await text(far), 'first second');
  assert.ok(performance.now() - sent > 90);
});

test('its answers come back, also when nothing more is asked', async (context) => {
  const { near, far } = await open(context, () => 10);
  near.end('a question');
  far.once('data', (chunk) => far.end(`an answer to ${chunk.toString()}`));
  assert.equal(await text(near), 'an answer to a question');
});

test('what is on its way is lost when the connection is reset', async (context) => {
  const { near, far } = await open(context, () => 60_000);
  near.write('never heard');
  setImmediate(() => near.resetAndDestroy());
  assert.equal(await text(far), '');
});
