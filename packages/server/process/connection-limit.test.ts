import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Server, ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { suite, test } from 'node:test';
import type { TestContext } from 'node:test';
import { until } from '@portico/testkit/until.ts';
import { connectionsWithin, createConnectionLimit, openFilesLimit, parseOpenFilesLimit } from './connection-limit.ts';
import { watchConnections } from './connections.ts';

async function listen(
  context: TestContext,
  answer = (response: ServerResponse): unknown => response.end('here'),
): Promise<Server> {
  const server = createServer((_request, response) => void answer(response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  context.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return server;
}

/** Whether a server answers on a connection; the connection stays open. */
async function ask(context: TestContext, server: Server): Promise<{ answers: boolean; socket: Socket }> {
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  context.after(() => socket.destroy());
  const answers = new Promise<boolean>((resolve) => {
    socket.once('data', () => resolve(true));
    socket.once('error', () => resolve(false));
    socket.once('close', () => resolve(false));
  });
  socket.write('GET / HTTP/1.1\r\nhost: a\r\n\r\n');
  return { answers: await answers, socket };
}

suite('connections', () => {
  test('beyond the limit are cut, of all servers together, until others end', async (context) => {
    const told: number[] = [];
    let time = 0;
    const { watch, open } = createConnectionLimit({
      most: 3,
      onRefused: (refused) => told.push(refused),
      now: () => time,
    });
    const [one, other] = [await listen(context), await listen(context)];
    watch(one, watchConnections(one));
    watch(other, watchConnections(other));
    const first = await ask(context, one);
    assert.ok(first.answers);
    assert.ok((await ask(context, other)).answers);
    assert.ok((await ask(context, one)).answers);
    assert.equal((await ask(context, one)).answers, false);
    assert.equal((await ask(context, other)).answers, false);
    assert.deepEqual(told, [1], 'nothing more is said for a minute');
    time = 60_000;
    assert.equal((await ask(context, other)).answers, false);
    assert.deepEqual(told, [1, 2]);
    first.socket.destroy();
    await until(() => open() === 2, 'the connection is gone');
    assert.ok((await ask(context, other)).answers);
  });

  test('on which nothing is asked make room for others after a moment', async (context) => {
    let time = 0;
    const { watch, open } = createConnectionLimit({ most: 4, onRefused: () => undefined, now: () => time });
    const server = await listen(context, (response) => response.write('here'));
    watch(
      server,
      watchConnections(server, () => time),
    );
    const used = await ask(context, server);
    assert.ok(used.answers);
    const address = [(server.address() as AddressInfo).port, '127.0.0.1'] as const;
    const silent = connect(...address);
    const half = connect(...address, () => half.write('GET / HTTP/1.1\r\n'));
    await until(() => open() === 3, 'they are open');
    time = 2000;
    const young = connect(...address);
    context.after(() => young.destroy());
    await until(() => open() === 4, 'all are taken');
    const ended = [once(silent, 'close'), once(half, 'close')];
    assert.equal((await ask(context, server)).answers, false);
    await Promise.all(ended);
    assert.ok((await ask(context, server)).answers);
    assert.equal(open(), 3);
    assert.equal(used.socket.destroyed, false, 'an answer is under way there');
    assert.equal(young.destroyed, false, 'it may ask yet');
  });

  for (const [openFiles, connections] of [
    [64, 32],
    [256, 128],
    [1024, 896],
    [65_536, 57_344],
    [1_048_576, 917_504],
  ] as const) {
    test(`are ${connections} where ${openFiles} files may be open`, () => {
      assert.equal(connectionsWithin(openFiles), connections);
    });
  }
});

suite('the limit of open files', () => {
  test('is the one in force of the two that Linux tells', () => {
    const table =
      'Limit   Soft Limit   Hard Limit   Units\nMax processes   100   200   processes\nMax open files  1024 524288 files\n';
    assert.equal(parseOpenFilesLimit(table), 1024);
  });

  test('is unknown where nothing is said of it, and none where it is unlimited', () => {
    assert.equal(
      parseOpenFilesLimit('Max open files            unlimited            unlimited            files\n'),
      undefined,
    );
    assert.equal(parseOpenFilesLimit(''), undefined);
  });

  test('of this process is a number on Linux', { skip: process.platform !== 'linux' && 'only Linux tells' }, () => {
    assert.ok((openFilesLimit() ?? 0) > 0);
  });
});
