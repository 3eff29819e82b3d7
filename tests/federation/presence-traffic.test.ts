import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { openDatabase } from '@portico/storage';
import {
  openPresenceServer,
  writeAccount,
  writeJoins,
  writeRoom,
  writeSettings,
} from '@portico/testkit/presence-server.ts';
import { createVirtualClock } from '@portico/testkit/virtual-clock.ts';

const hosts = Array.from({ length: 300 }, (_, index) => `s${index}.test`);
const own = 'a.test';
const alice = `@alice:${own}`;

/** A person in a room with people of 300 servers, two of each, and in three smaller ones of a hundred of these. */
async function open(context: TestContext, firstContacts?: number) {
  const folder = mkdtempSync(join(tmpdir(), 'portico-traffic-'));
  const db = await openDatabase({ url: `sqlite:${join(folder, 'a.db')}`, durability: 'relaxed' });
  const clock = createVirtualClock();
  const puts = new Map<string, number>();
  const start = () =>
    openPresenceServer({
      serverName: own,
      db,
      clock,
      ghosts: '@none:.*',
      bridgeShown: new Map(),
      firstContacts,
      onPut: (host) => puts.set(host, (puts.get(host) ?? 0) + 1),
    });
  let server = await start();
  context.after(async () => {
    await server.stop();
    await db.close();
    rmSync(folder, { recursive: true, force: true });
    assert.deepEqual(server.errors, []);
  });
  await writeAccount(db, alice);
  for (const [nid, some] of [hosts, hosts.slice(0, 100), hosts.slice(0, 100), hosts.slice(50, 150)].entries()) {
    await writeRoom(db, nid + 1, `!r${nid}:${own}`);
    await writeJoins(db, own, nid + 1, [alice, ...some.flatMap((host) => [`@x:${host}`, `@y:${host}`])]);
  }
  return {
    db,
    get server() {
      return server;
    },
    async restart() {
      await server.stop();
      server = await start();
    },
    /** Lets time pass, and says how many pushes that made for how many servers, and in how many EDUs they go out. */
    async traffic(milliseconds: number) {
      for (let passed = 0; passed < milliseconds; passed += 100) {
        clock.pass(100);
        await server.settled();
      }
      const counts = [...puts.values()];
      puts.clear();
      const edus = hosts.map((host) => server.take(host).length);
      return {
        servers: counts.length,
        most: Math.max(0, ...counts),
        edus: edus.reduce((sum, count) => sum + count, 0),
      };
    },
    set: (state: string, status: string) => server.presence.set({ userId: alice, deviceId: 'A' }, state, status),
  };
}

test('a change goes once to each of 300 servers, and changes in quick succession go together', async (context) => {
  const { server, traffic, set, db } = await open(context);
  await set('online', 'one');
  assert.deepEqual(await traffic(2000), { servers: 300, most: 1, edus: 300 });
  for (let flip = 0; flip < 50; flip++) await set(flip % 2 === 0 ? 'unavailable' : 'online', `${flip}`);
  assert.deepEqual(await traffic(2000), { servers: 300, most: 1, edus: 300 });
  // What is no change goes nowhere, and neither does being active once more.
  await set('online', '49');
  server.presence.noteActivity({ userId: alice, deviceId: 'A' });
  assert.deepEqual(await traffic(2000), { servers: 0, most: 0, edus: 0 });

  // Ten changes a second for five seconds: no server hears more than one a second.
  let most = 0;
  for (let second = 0; second < 5; second++) {
    for (let flip = 0; flip < 10; flip++) await set('online', `${second} ${flip}`);
    most = Math.max(most, (await traffic(1000)).most);
  }
  assert.ok(most <= 1, `${most} pushes in a second`);

  // Where few may see it, few are told.
  await traffic(2000);
  await writeSettings(db, alice, 'm.presence_sharing_config', {
    allowed_users: ['@x:s7.test', '@*:s8.test'],
    denied_users: ['*'],
  });
  assert.equal((await traffic(3000)).servers, 300);
  await set('unavailable', 'for few');
  assert.deepEqual(await traffic(2000), { servers: 2, most: 1, edus: 2 });
});

test('repeating that people are online takes one EDU for each server in half an hour', async (context) => {
  const { traffic, set, server } = await open(context);
  await set('online', 'one');
  await server.presence.beginSync({ userId: alice, deviceId: 'A' }, 'online');
  await traffic(2000);
  // Being idle is one change; then all that is left is to say so again.
  const idle = await traffic(6 * 60_000);
  assert.deepEqual(idle, { servers: 300, most: 1, edus: 300 });
  const repeated = await traffic(24 * 60_000);
  assert.deepEqual(repeated, { servers: 300, most: 1, edus: 300 });
});

test('of servers that are only named no more are told than anybody may write to', async (context) => {
  const { db, traffic, set } = await open(context, 10);
  const allow = (names: readonly string[]) =>
    writeSettings(db, alice, 'm.presence_sharing_config', {
      allowed_users: [...names.map((name) => `@m:${name}.test`), '@x:s7.test'],
      denied_users: ['*'],
    });
  const invented = (from: number) => Array.from({ length: 30 }, (_, index) => `invented${from + index}`);
  await allow(invented(0));
  await set('online', 'one');
  assert.equal((await traffic(2000)).servers, 11);
  // Those that were told are told on, and count once.
  await set('online', 'two');
  assert.equal((await traffic(2000)).servers, 11);
  await allow(invented(30));
  assert.equal((await traffic(2000)).servers, 10, 'for those it is over');
  await set('online', 'three');
  assert.equal((await traffic(2000)).servers, 1);
  await traffic(30 * 60_000);
  await set('online', 'four');
  assert.equal((await traffic(2000)).servers, 6, 'a few more half an hour later');
});

test('what was for everyone is taken back also by the process that comes after', async (context) => {
  const opened = await open(context);
  const { db, traffic, set, restart } = opened;
  await set('online', 'one');
  await traffic(3000);
  await restart();
  await writeSettings(db, alice, 'm.presence_sharing_config', { denied_users: ['*'], allowed_users: ['@x:s7.test'] });
  // "offline" to each, and then to one what may be seen there.
  assert.deepEqual(await traffic(10_000), { servers: 300, most: 2, edus: 300 });
  // It is said once, by whichever process.
  await traffic(60_000);
  await set('online', 'two');
  assert.deepEqual(await traffic(3000), { servers: 1, most: 1, edus: 1 });
  await restart();
  assert.deepEqual((await traffic(10_000)).servers, 1);
});
