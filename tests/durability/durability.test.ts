import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { freePort, startServerProcess } from '@portico/testkit/server-process.ts';
import { measureSends } from './load.ts';
import { buildShim, checkOrder, type Order } from './shim.ts';

/** What a server did with its sends and syncs in a moment of load; `undefined`, and skipped, where that cannot be watched. */
async function watch(context: TestContext, durability: string): Promise<Order | undefined> {
  const folder = mkdtempSync(join(tmpdir(), 'portico-durability-'));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  const shim = buildShim(folder);
  if ('reason' in shim) {
    context.skip(shim.reason);
    return undefined;
  }
  const options = { dataDir: join(folder, 'data'), port: await freePort(), settings: { DURABILITY: durability } };
  const server = await startServerProcess({ ...options, environment: shim.environment });
  context.after(() => server.signal('SIGKILL'));
  await measureSends({ port: options.port, rooms: 4, milliseconds: 500 });
  server.signal('SIGTERM');
  await server.ended;
  return checkOrder(shim.read());
}

test('nothing is acknowledged before the sync to disk of its group', async (context) => {
  const order = await watch(context, 'full');
  if (order === undefined) return;
  assert.ok(order.answers > 20 && order.syncs > 5, JSON.stringify(order));
  assert.equal(order.early, 0);
});

test('with relaxed durability acknowledgements do not wait, which this can tell', async (context) => {
  const order = await watch(context, 'relaxed');
  if (order === undefined) return;
  assert.ok(order.early > order.answers / 2, JSON.stringify(order));
});
