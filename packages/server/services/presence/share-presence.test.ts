import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { ProcessMessages, Reader } from '@portico/storage';
import { createTestDatabase } from '@portico/testkit/index.ts';
import { startTestServer, type TestServer } from '@portico/testkit/server.ts';
import { createSyncClient, type SyncBody, type SyncClient } from '@portico/testkit/sync-client.ts';
import { createVirtualClock } from '@portico/testkit/virtual-clock.ts';
import { openFor } from '@portico/testkit/both-engines.ts';
import { createOwnPeople } from './own-people.ts';
import { createRemotePeople } from './remote-people.ts';
import { sharePresence } from './share-presence.ts';

const path = (userId: string) => `/_matrix/client/v3/presence/${encodeURIComponent(userId)}/status`;

async function set(who: SyncClient, presence: string, status_msg: string): Promise<void> {
  assert.equal((await who.http.put(path(who.userId), { presence, status_msg })).status, 200);
}

/** Syncs until it is so. */
async function until(by: SyncClient, since: string, holds: (body: SyncBody) => boolean): Promise<string> {
  for (let token = since; ;) {
    const body = await by.sync({ since: token, timeout: 10_000 });
    token = body.next_batch;
    if (holds(body)) return token;
  }
}

function shows(who: SyncClient, state: string, status?: string) {
  return (body: SyncBody): boolean => {
    const { events = [] } = (body['presence'] ?? {}) as {
      events?: { sender: string; content: { presence: string; status_msg?: string } }[];
    };
    return events.some(
      ({ sender, content }) =>
        sender === who.userId && content.presence === state && (status === undefined || content.status_msg === status),
    );
  };
}

async function twoProcesses(context: TestContext): Promise<readonly [TestServer, TestServer]> {
  const databaseUrl = await createTestDatabase();
  const servers = [await startTestServer({ databaseUrl }), await startTestServer({ databaseUrl })] as const;
  context.after(async () => {
    for (const server of servers) await server.close();
    for (const server of servers) assert.deepEqual(server.errors, []);
  });
  return servers;
}

test('who turns to one process is seen, and heard typing, at the other', { timeout: 60_000 }, async (context) => {
  const [one, two] = await twoProcesses(context);
  const alice = createSyncClient(await one.registerUser());
  const account = await one.registerUser();
  const [bob, bobAtOne] = [createSyncClient(two.as(account)), createSyncClient(account)];
  const roomId = await alice.createRoom();
  await bobAtOne.join(roomId);
  const { next_batch: start } = await bob.sync();

  const online = until(bob, start, shows(alice, 'online', 'at one'));
  await set(alice, 'online', 'at one');
  const then = await online;
  const { body } = await bob.http.get(path(alice.userId));
  assert.deepEqual([body['presence'], body['status_msg']], ['online', 'at one']);

  const typing = until(bob, then, ({ rooms }) =>
    JSON.stringify(rooms?.join?.[roomId]?.ephemeral ?? {}).includes(`"user_ids":["${alice.userId}"]`),
  );
  await alice.http.put(alice.room(roomId, `typing/${alice.userId}`), { typing: true, timeout: 30_000 });
  const later = await typing;

  // What is set at the other process counts for both.
  const aliceAtTwo = createSyncClient(two.as(alice.http));
  await set(aliceAtTwo, 'org.matrix.msc3026.busy', 'at two');
  await until(bob, later, shows(alice, 'org.matrix.msc3026.busy', 'at two'));
  let seen: unknown[] = [];
  while (seen[1] !== 'at two') {
    const { body: atOne } = await bobAtOne.http.get(path(alice.userId));
    seen = [atOne['presence'], atOne['status_msg']];
  }
  assert.deepEqual(seen, ['org.matrix.msc3026.busy', 'at two']);
  // And so does hiding it.
  const { next_batch: last } = await bob.sync();
  await alice.setAccountData('m.presence_sharing_config', { denied_users: [bob.userId] });
  await until(bob, last, shows(alice, 'offline'));
  assert.equal((await bob.http.get(path(alice.userId))).status, 403);
});

test('a process that ends, or is not heard of any more, takes those with it who were there by way of it', async (context) => {
  const url = await createTestDatabase();
  const clock = createVirtualClock();
  async function start(process: string) {
    const db = await openFor(context, url);
    const options = { now: clock.now, after: clock.after };
    const own = createOwnPeople({ reader: db, ...options });
    const remote = createRemotePeople(options);
    return { own, remote, db, shared: sharePresence({ messages: db.messages, own, remote, process, ...options }) };
  }
  const [first, second] = [await start('first'), await start('second')];
  const all = [first, second];
  /** Lets time pass, and every message arrive that is sent meanwhile. */
  const pass = async (milliseconds: number) => {
    for (let passed = 0; passed < milliseconds; passed += 5000) {
      clock.pass(5000);
      for (const sender of all) {
        let arrived = 0;
        const stops = all.map(({ db }) => db.messages.on('mark', () => (arrived += 1)));
        sender.db.messages.send('mark', '');
        while (arrived < all.length - 1) await new Promise(setImmediate);
        for (const stop of stops) stop();
      }
    }
  };
  const see = async (state: string | undefined, who = second) => {
    // Every message that was sent before has come when one that was sent after it has.
    while ((who.own.known('@alice:a.test')?.state ?? 'offline') !== state) await new Promise(setImmediate);
  };
  await first.own.beginSync('@alice:a.test', 'A', 'online');
  await see('online');
  const view = { state: 'online', statusMsg: 'x'.repeat(1024), lastActive: 1, isActive: true } as const;
  const users = new Set(Array.from({ length: 300 }, (_, index) => `@${'n'.repeat(200)}${index}:a.test`));
  first.shared.receive('@carol:c.test', view, { kind: 'listed', users, globs: ['@*:a.test'] });
  const [name = ''] = users;
  const sees = (who: typeof second) => who.remote.viewFor('@carol:c.test', name, false)?.state;
  while (sees(second) === undefined || second.remote.namesOf('@carol:c.test').size < 300)
    await new Promise(setImmediate);

  // Who starts later is told what there is.
  const third = await start('third');
  all.push(third);
  await see('online', third);
  while (sees(third) === undefined) await new Promise(setImmediate);

  // A heartbeat is enough to be there, and idling is said by the process that sees it.
  await pass(60_000);
  assert.equal(second.own.known('@alice:a.test')?.state, 'online');
  await pass(5 * 60_000);
  await see('unavailable');

  first.shared.close();
  await see('offline');
  await see('offline', third);
  await third.own.beginSync('@alice:a.test', 'T', 'online');
  await see('online');
  // Killed: nothing more comes of it.
  await third.db.close();
  all.pop();
  await pass(20_000);
  assert.equal(second.own.known('@alice:a.test')?.state, 'online');
  await pass(25_000);
  assert.equal(second.own.known('@alice:a.test')?.state, 'offline');
  second.shared.close();
});

/** Processes whose messages come when a test says so, each one's in order. */
function openBus() {
  const clock = createVirtualClock();
  const inboxes = new Map<string, { readonly from: string; readonly text: string }[]>();
  const listeners = new Map<string, (text: string) => void>();
  return {
    clock,
    start(process: string) {
      inboxes.set(process, []);
      const messages: ProcessMessages = {
        isShared: true,
        send(_, text) {
          for (const [name, inbox] of inboxes) if (name !== process) inbox.push({ from: process, text });
        },
        on(_, listener) {
          listeners.set(process, listener);
          return () => listeners.delete(process);
        },
      };
      const options = { now: clock.now, after: clock.after };
      const reader = { get: async () => undefined } as unknown as Reader;
      const own = createOwnPeople({ reader, ...options });
      const remote = createRemotePeople(options);
      return { own, remote, shared: sharePresence({ messages, own, remote, process, ...options }) };
    },
    /** Delivers what has been sent to one process, by another one or by all. */
    deliver(to: string, from?: string) {
      const inbox = inboxes.get(to) ?? [];
      inboxes.set(to, []);
      for (const message of inbox) {
        if (from === undefined || message.from === from) listeners.get(to)?.(message.text);
        else inboxes.get(to)?.push(message);
      }
    },
  };
}

test('what a process tells a newcomer undoes nothing that others have heard since', () => {
  const bus = openBus();
  const { clock, deliver } = bus;
  const [a, b] = [bus.start('a'), bus.start('b')];
  for (const name of ['a', 'b', 'a']) deliver(name);
  const seen = { state: 'online', statusMsg: 'secret', lastActive: 1, isActive: true } as const;
  const gone = { state: 'offline', statusMsg: undefined, lastActive: undefined, isActive: false } as const;
  const carol = '@carol:c.test';
  const list = { kind: 'listed', users: new Set(['@alice:a.test']), globs: [] } as const;
  a.shared.receive(carol, seen, list);
  deliver('b');
  clock.pass(5000);

  const c = bus.start('c');
  deliver('b', 'c');
  // Meanwhile its server says that it is over, and `b` has not heard of that when it answers the newcomer.
  a.shared.receive(carol, gone, list);
  deliver('a');
  deliver('c', 'a');
  deliver('c');
  deliver('b');
  deliver('a');
  for (const [name, process] of Object.entries({ a, b, c })) {
    assert.equal(process.remote.viewFor(carol, '@alice:a.test', false)?.state ?? 'offline', 'offline', `at ${name}`);
  }
  for (const process of [a, b, c]) process.shared.close();
});

test('a newcomer knows of each person what was said last, and for as long as others do', () => {
  const bus = openBus();
  const { clock, deliver } = bus;
  const a = bus.start('a');
  const view = (statusMsg: string) => ({ state: 'online', statusMsg, lastActive: 1, isActive: true }) as const;
  const listFor = (...users: string[]) => ({ kind: 'listed', users: new Set(users), globs: [] }) as const;
  a.shared.receive('@carol:c.test', view('first'), listFor('@alice:a.test', '@bob:a.test'));
  clock.pass(20 * 60_000);
  a.shared.receive('@carol:c.test', view('second'), listFor('@bob:a.test'));
  const c = bus.start('c');
  deliver('a');
  // What comes in while it is told is newer than what it is told.
  a.shared.receive('@carol:c.test', view('third'), listFor('@dave:a.test'));
  deliver('c');
  const sees = (userId: string) => c.remote.viewFor('@carol:c.test', userId, false)?.statusMsg;
  assert.deepEqual(['@alice:a.test', '@bob:a.test', '@dave:a.test'].map(sees), ['first', 'second', 'third']);
  clock.pass(16 * 60_000);
  assert.deepEqual(['@alice:a.test', '@bob:a.test', '@dave:a.test'].map(sees), [undefined, 'second', 'third']);
  for (const process of [a, c]) process.shared.close();
});

test('nor does a status come back that has been taken away at another process meanwhile', async () => {
  const bus = openBus();
  const { clock, deliver } = bus;
  const [a, b] = [bus.start('a'), bus.start('b')];
  for (const name of ['a', 'b', 'a']) deliver(name);
  const alice = '@alice:a.test';
  await a.own.set(alice, 'A', 'online', 'secret');
  await new Promise(setImmediate);
  deliver('b');
  assert.equal(b.own.known(alice)?.statusMsg, 'secret');
  clock.pass(5000);
  const c = bus.start('c');
  await b.own.set(alice, 'B', 'online', undefined);
  await new Promise(setImmediate);
  // Its answer to the newcomer is on its way to all before it has heard of that.
  deliver('a', 'c');
  for (const name of ['b', 'c', 'a', 'b', 'c']) deliver(name);
  for (const [name, process] of Object.entries({ a, b, c })) {
    assert.equal(process.own.known(alice)?.state, 'online', `at ${name}`);
    assert.equal(process.own.known(alice)?.statusMsg, undefined, `at ${name}`);
  }
  for (const process of [a, b, c]) process.shared.close();
});
