import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { JsonObject } from '@portico/protocol';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Database, openDatabase, type WriteSet } from '@portico/storage';
import { temporarySqlite } from '@portico/testkit/index.ts';
import {
  openPresenceServer,
  writeAccount,
  writeJoins,
  writeMembership,
  writeRoom,
  writeSettings,
} from '@portico/testkit/presence-server.ts';
import { createVirtualClock } from '@portico/testkit/virtual-clock.ts';

const own = 'a.test';
const [alice, bob] = [`@alice:${own}`, `@bob:${own}`];
const [xena, yuri] = ['@xena:b.test', '@yuri:b.test'];

/** Somebody in a room with two people of another server, whom all may see until something else is set. */
async function open(context: TestContext, maxPerHost = 500) {
  const db = await openDatabase({ url: temporarySqlite(context), durability: 'relaxed' });
  const clock = createVirtualClock();
  const start = () =>
    openPresenceServer({
      serverName: own,
      db,
      clock,
      ghosts: '@none:.*',
      bridgeShown: new Map(),
      onPut: () => {},
      maxPerHost,
    });
  let server = await start();
  context.after(async () => {
    await server.stop();
    await db.close();
    assert.deepEqual(server.errors, []);
  });
  await writeAccount(db, alice);
  await writeRoom(db, 1, `!r:${own}`);
  await writeJoins(db, own, 1, [alice, xena, yuri]);
  return {
    db,
    server: () => server,
    set: (state: string, userId = alice) => server.presence.set({ userId, deviceId: 'A' }, state, undefined),
    async restart(how: 'stop' | 'kill') {
      await server[how]();
      server = await start();
    },
    async pass(milliseconds: number) {
      for (let passed = 0; passed < milliseconds; passed += 100) {
        clock.pass(100);
        await server.settled();
      }
    },
    /** What the other server takes: who is what, and for whom. */
    take: () =>
      server.take('b.test').flatMap(({ push }) =>
        (push as JsonObject[]).map((each) => {
          const recipients = each['allowed_recipients'] as string[] | undefined;
          return `${each['presence'] as string} for ${recipients?.join() ?? 'everyone'}`;
        }),
      ),
  };
}

for (const how of ['stop', 'kill'] as const) {
  test(`who was named and leaves right after a restart is told that it is over (${how})`, async (context) => {
    const { db, set, restart, pass, take } = await open(context);
    await writeSettings(db, alice, 'm.presence_sharing_config', { denied_users: [yuri] });
    await set('online');
    await pass(2000);
    assert.deepEqual(take(), [`online for ${xena}`]);
    await restart(how);
    await pass(300);
    await writeMembership(db, own, 1, { userId: xena, membership: 'leave', previous: 'join' });
    await pass(41_000);
    assert.deepEqual(take(), [`offline for ${xena}`]);
    await pass(100_000);
    await restart('stop');
    await pass(40_000);
    assert.deepEqual(take(), [], 'it has been taken');
  });
}

test('what was told in the moment before the process was killed is taken back', async (context) => {
  const { set, restart, pass, take } = await open(context);
  await set('online');
  await pass(300);
  assert.deepEqual(take(), ['online for everyone']);
  await restart('kill');
  await pass(41_000);
  assert.deepEqual(take(), ['offline for everyone']);
});

test('what a server has not taken when the process ends is told by the next one', async (context) => {
  const { db, set, restart, pass, take } = await open(context);
  await set('online');
  await pass(2000);
  assert.deepEqual(take(), ['online for everyone']);
  await set('offline');
  await pass(10_000);
  await restart('kill');
  await pass(41_000);
  assert.deepEqual(take(), ['offline for everyone']);

  await set('online');
  await pass(2000);
  assert.deepEqual(take(), ['online for everyone']);
  await writeSettings(db, alice, 'm.presence_sharing_config', { denied_users: [yuri] });
  await pass(2000);
  await restart('stop');
  await pass(6000);
  assert.deepEqual(take(), ['offline for everyone', `online for ${xena}`]);
});

test('who went offline in the moment before the process ended is soon told to be', async (context) => {
  const { set, restart, pass, take } = await open(context);
  await set('unavailable');
  await pass(2000);
  assert.deepEqual(take(), ['unavailable for everyone']);
  // Nothing is heard of the client for a minute: that is told some seconds later.
  await pass(59_000);
  await restart('stop');
  await pass(6000);
  assert.deepEqual(take(), ['offline for everyone']);
});

test('what takes the place of an “offline” that has not arrived hides nothing from who is told no more', async (context) => {
  const { db, set, pass, take } = await open(context);
  await writeSettings(db, alice, 'm.presence_sharing_config', { denied_users: ['!none:a.test'] });
  await set('online');
  await pass(2000);
  assert.deepEqual(take(), [`online for ${xena},${yuri}`]);
  await set('offline');
  await pass(2000);
  await writeSettings(db, alice, 'm.presence_sharing_config', { denied_users: [yuri] });
  await set('online');
  await pass(2000);
  assert.deepEqual(take(), [`offline for ${yuri}`, `online for ${xena}`]);
});

test('an “offline” for which there was no room is told when there is', async (context) => {
  const { db, set, pass, take } = await open(context, 1);
  await writeAccount(db, bob);
  await writeJoins(db, own, 1, [bob]);
  for (const userId of [alice, bob]) {
    await set('online', userId);
    await pass(2000);
    assert.deepEqual(take(), ['online for everyone']);
  }
  for (const userId of [alice, bob]) await set('offline', userId);
  await pass(2000);
  assert.deepEqual(take(), ['offline for everyone']);
  await pass(6000);
  assert.deepEqual(take(), ['offline for everyone']);
  await pass(200_000);
  assert.deepEqual(take(), []);
});

for (const way of ['the other process is gone', 'a while has passed'] as const) {
  test(`an “offline” that another process was to send is told once ${way}`, async (context) => {
    const { set, pass, take, server } = await open(context);
    await set('online');
    await pass(2000);
    assert.deepEqual(take(), ['online for everyone']);
    await set('offline');
    await pass(2000);
    server().drop('b.test');
    await pass(20_000);
    assert.deepEqual(take(), []);
    if (way === 'the other process is gone') server().tookOver();
    else await pass(120_000);
    await pass(6000);
    assert.deepEqual(take(), ['offline for everyone']);
    await pass(200_000);
    assert.deepEqual(take(), []);
  });
}

test('an “online” that another process was to send is told when that is gone, and only that', async (context) => {
  const { db, set, pass, take, server } = await open(context);
  await writeAccount(db, bob);
  await writeJoins(db, own, 1, [bob]);
  await set('online');
  await pass(2000);
  assert.deepEqual(take(), ['online for everyone']);
  await set('online', bob);
  await pass(2000);
  server().drop('b.test');
  await pass(20_000);
  assert.deepEqual(take(), []);
  server().tookOver();
  await pass(6000);
  assert.deepEqual(take(), ['online for everyone']);
  server().tookOver();
  await pass(20_000);
  assert.deepEqual(take(), []);
});

test('an “online” for which there was no room is told when there is', async (context) => {
  const { db, set, pass, take } = await open(context, 1);
  await writeAccount(db, bob);
  await writeJoins(db, own, 1, [bob]);
  for (const userId of [alice, bob]) await set('online', userId);
  await pass(2000);
  assert.deepEqual(take(), ['online for everyone']);
  await pass(6000);
  assert.deepEqual(take(), ['online for everyone']);
  await pass(20_000);
  assert.deepEqual(take(), []);
});

test('an “offline” for some is not forgotten while others see who they are', async (context) => {
  const { db, set, pass, take, server } = await open(context);
  await writeSettings(db, alice, 'm.presence_sharing_config', { denied_users: ['!none:a.test'] });
  await set('online');
  await pass(2000);
  assert.deepEqual(take(), [`online for ${xena},${yuri}`]);
  await writeSettings(db, alice, 'm.presence_sharing_config', { denied_users: [yuri] });
  await pass(2000);
  server().drop('b.test');
  await set('unavailable');
  await pass(2000);
  assert.deepEqual(take(), [`offline for ${yuri}`, `unavailable for ${xena}`]);
  await set('online');
  await pass(2000);
  assert.deepEqual(take(), [`online for ${xena}`], 'once it has arrived');
});

test('nobody is told anything before it is stored whom it was told', async (context) => {
  const db = await openDatabase({ url: temporarySqlite(context), durability: 'relaxed' });
  context.after(() => db.close());
  const clock = createVirtualClock();
  const [gate, waiting] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  let held = 0;
  const slow = Object.create(db, {
    commit: {
      async value(set: WriteSet) {
        held += 1;
        // Whom the other server is told for, and whom somebody here is shown.
        if (held === 2) waiting.resolve();
        await gate.promise;
        return db.commit(set);
      },
    },
  }) as Database;
  await writeAccount(db, alice);
  await writeRoom(db, 1, `!r:${own}`);
  await writeJoins(db, own, 1, [alice, bob, xena]);
  const bridgeShown = new Map<string, never>();
  const server = await openPresenceServer({ serverName: own, db: slow, clock, ghosts: '@none:.*', bridgeShown, onPut });
  const put: string[] = [];
  function onPut(host: string): void {
    put.push(host);
  }
  await server.presence.set({ userId: alice, deviceId: 'A' }, 'online', undefined);
  let shown: ReadonlyMap<string, unknown> | undefined;
  const reading = server.read(bob, undefined).then(({ events }) => (shown = events));
  clock.pass(300);
  await waiting.promise;
  for (let turn = 0; turn < 3; turn++) await nextTurn();
  assert.deepEqual([put, shown], [[], undefined]);
  gate.resolve();
  await reading;
  await server.settled();
  assert.deepEqual([put, [...(shown ?? new Map<string, unknown>()).keys()]], [['b.test'], [alice]]);
  await server.stop();
});
