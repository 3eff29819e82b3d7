import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { createTestDatabase, openFor } from '@portico/testkit';
import { until } from '@portico/testkit/until.ts';
import { createWriteSet, sql, StorageError } from '../../index.ts';

/** A way to PostgreSQL on which nothing passes any more from some moment on, and nobody is told. */
async function startWay(context: TestContext, url: string): Promise<{ url: string; fallSilent: () => void }> {
  const target = new URL(url);
  const folder = target.searchParams.get('host');
  const path = folder === null ? undefined : `${folder}/.s.PGSQL.${target.port === '' ? 5432 : target.port}`;
  const sockets = new Set<Socket>();
  const way = createServer((near) => {
    const far = path === undefined ? connect(Number(target.port), target.hostname) : connect(path);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.pipe(to);
      from.on('error', () => to.destroy()).once('close', () => sockets.delete(from));
    }
  }).listen(0, '127.0.0.1');
  await once(way, 'listening');
  context.after(() => {
    for (const socket of sockets) socket.destroy();
    way.close();
  });
  const { port } = way.address() as AddressInfo;
  const { username, password, pathname } = target;
  return {
    url: `postgres://${username}:${password}@127.0.0.1:${port}${pathname}`,
    fallSilent() {
      for (const socket of sockets) socket.unpipe().pause();
    },
  };
}

const put = sql<void, [key: string]>('test.put', `insert into server_metadata (key, value) values ($1, '')`);

function one(key: string) {
  const set = createWriteSet();
  set.add(put, [key]);
  set.change('key', key);
  return set;
}

test(
  'where PostgreSQL falls silent writes are refused, and connections are made anew',
  { timeout: 60_000 },
  async (t) => {
    const url = await createTestDatabase();
    const way = await startWay(t, url);
    const cutOff = await openFor(t, way.url, { answerTimeout: 500 });
    const other = await openFor(t, url);
    const [heard, received]: [string[], string[]] = [[], []];
    cutOff.onChanges((batch) => heard.push(...batch.flatMap(({ changes }) => changes.map(({ key }) => String(key)))));
    cutOff.messages.on('test', (text) => received.push(text));
    await cutOff.commit(one('before'));

    way.fallSilent();
    const refused = (error: unknown) => error instanceof StorageError && error.reason === 'unavailable';
    await assert.rejects(cutOff.commit(one('silent')), refused);
    await other.commit(one('elsewhere'));
    await until(async () => {
      try {
        return await cutOff.commit(one('after'));
      } catch (error) {
        assert.ok(refused(error), String(error));
        return undefined;
      }
    }, 'writes go on');
    await until(() => heard.includes('elsewhere'), 'what others wrote is heard of');
    await until(() => {
      other.messages.send('test', 'hello');
      return received.length > 0;
    }, 'what others say is heard again');
  },
);
