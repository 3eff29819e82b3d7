import assert from 'node:assert/strict';
import { createWriteSet, type Database } from '@portico/storage';
import { openStateStore } from '@portico/storage/state-trie/index.ts';
import { onBothEngines } from '@portico/testkit';
import { openTestRooms } from '@portico/testkit/rooms.ts';
import { createReading } from '../reading/reading.ts';
import type { SyncStream } from './streams.ts';
import { createSync } from './sync.ts';

const userId = '@alice:a.org';

async function announce(db: Database): Promise<void> {
  const set = createWriteSet();
  set.change('test_news', userId);
  await db.commit(set);
}

onBothEngines('what happens while an answer is made, which turns out empty, is not slept through', async (db) => {
  let reads = 0;
  const stream: SyncStream = {
    name: 'test',
    kinds: new Map([['test_news', 'user']]),
    async read() {
      reads += 1;
      if (reads === 1) await announce(db);
      return reads === 1 ? {} : { fields: new Map([['news', '1']]) };
    },
  };
  let waits = 0;
  const reading = createReading({ db, states: await openStateStore(db, { cacheBytes: 1024 * 1024 }), now: () => 0 });
  const sync = createSync({
    reading,
    filters: { get: () => Promise.resolve('{}') },
    streams: [stream],
    after(_, callback) {
      waits += 1;
      setImmediate(callback);
      return () => undefined;
    },
  });
  const { signal } = new AbortController();
  const request = { userId, deviceId: 'A', filter: undefined, fullState: false, stateField: 'state', signal } as const;
  const { next_batch: since } = JSON.parse(await sync.sync({ ...request, since: undefined, timeout: 0 })) as {
    next_batch: string;
  };
  reads = 0;
  await announce(db);
  const answer = JSON.parse(await sync.sync({ ...request, since, timeout: 1000 })) as { news?: number };
  assert.deepEqual([answer.news, reads, waits], [1, 2, 0]);
  sync.close();
});

onBothEngines('who is forgotten while an answer is made, which turns out empty, sleeps through nothing', async (db) => {
  let reads = 0;
  const stream: SyncStream = {
    name: 'test',
    kinds: new Map([['test_news', 'user']]),
    async read() {
      reads += 1;
      if (reads > 1) return { fields: new Map([['news', '1']]) };
      for (let count = 0; sync.online.users.has(userId); count++) sync.online.touch(`@other-${count}:a.org`);
      await announce(db);
      return {};
    },
  };
  const reading = createReading({ db, states: await openStateStore(db, { cacheBytes: 1024 * 1024 }), now: () => 0 });
  const sync = createSync({
    reading,
    filters: { get: () => Promise.resolve('{}') },
    streams: [stream],
    after(_, callback) {
      setImmediate(callback);
      return () => undefined;
    },
  });
  const { signal } = new AbortController();
  const request = { userId, deviceId: 'A', filter: undefined, fullState: false, stateField: 'state', signal } as const;
  const { next_batch: since } = JSON.parse(
    await sync.sync({ ...request, userId: '@other:a.org', since: undefined, timeout: 0 }),
  ) as { next_batch: string };
  reads = 0;
  await announce(db);
  const answer = JSON.parse(await sync.sync({ ...request, since, timeout: 1000 })) as { news?: number };
  assert.deepEqual([answer.news, reads], [1, 2]);
  sync.close();
});

onBothEngines('news of what a filter leaves out lets nobody go on asking who waits for something else', async (db) => {
  let reads = 0;
  const stream: SyncStream = {
    name: 'test',
    kinds: new Map(),
    serial: {
      letter: 'z',
      current: () => '1',
      isPending: () => true,
      isWanted: ({ presence }) => presence.types === undefined,
    },
    read() {
      reads += 1;
      return Promise.resolve({});
    },
  };
  let time = 0;
  const reading = createReading({
    db,
    states: await openStateStore(db, { cacheBytes: 1024 * 1024 }),
    // Whoever asks again and again comes to the end of the wait all the same.
    now: () => (time += 1),
  });
  const sync = createSync({
    reading,
    filters: { get: () => Promise.resolve('{}') },
    streams: [stream],
    after(milliseconds, callback) {
      time += milliseconds;
      setImmediate(callback);
      return () => undefined;
    },
  });
  const { signal } = new AbortController();
  const filter = '{"presence":{"types":[]}}';
  const request = { userId, deviceId: 'A', filter, fullState: false, stateField: 'state', signal } as const;
  const { next_batch: since } = JSON.parse(await sync.sync({ ...request, since: undefined, timeout: 0 })) as {
    next_batch: string;
  };
  reads = 0;
  await sync.sync({ ...request, since, timeout: 100 });
  assert.equal(reads, 0);
  sync.close();
});

onBothEngines('what comes to a room while the list of rooms is loaded is told to every device', async (db) => {
  const { rooms, states } = await openTestRooms(db);
  const [alice, bob] = ['@alice:localhost', '@bob:localhost'].map((userId) => ({ userId, deviceId: 'A' }));
  assert.ok(alice && bob);
  const roomId = await rooms.create(alice, { preset: 'public_chat' });
  await rooms.join(bob, roomId, { reason: undefined, via: [] });
  let whileLoading: (() => Promise<void>) | undefined;
  /** A process that shares the database. */
  function openProcess() {
    const stream: SyncStream = {
      name: 'test',
      isEphemeral: true,
      kinds: new Map([['test_news', 'room']]),
      read: ({ rooms: changed }) => Promise.resolve({ fields: new Map(changed.size > 0 ? [['news', '1']] : []) }),
    };
    const loading: Database = {
      ...db,
      async all(statement, params) {
        const rows = await db.all(statement, params);
        const during = statement.name === 'memberships.rooms-of-user' ? whileLoading : undefined;
        whileLoading = undefined;
        await during?.();
        return rows;
      },
    };
    const reading = createReading({ db: loading, states, now: () => 0 });
    return createSync({ reading, filters: { get: () => Promise.resolve('{}') }, streams: [stream] });
  }
  const { signal } = new AbortController();
  const common = { filter: undefined, fullState: false, stateField: 'state', signal, timeout: 0 } as const;
  type Body = { readonly next_batch: string; readonly news?: number };
  const [one, other] = [openProcess(), openProcess()];
  const ask = async (process: typeof one, who: typeof bob, since?: string) =>
    JSON.parse(await process.sync({ ...common, ...who, since })) as Body;
  await ask(one, alice);
  const { next_batch: since } = await ask(other, bob);
  whileLoading = async () => {
    const room = [...one.online.rooms.keys()];
    const set = createWriteSet();
    set.takePosition();
    set.change('test_news', room[0] ?? assert.fail());
    await db.commit(set);
  };
  assert.equal((await ask(one, bob, since)).news, 1);
  assert.equal((await ask(one, { ...bob, deviceId: 'B' }, since)).news, 1);
  one.close();
  other.close();
});

onBothEngines('whoever waits while the clock is set back waits no longer than anybody', async (db) => {
  const clock = { at: 1e12 };
  const stream: SyncStream = {
    name: 'test',
    kinds: new Map([['test_news', 'user']]),
    read() {
      clock.at -= 3_600_000;
      return Promise.resolve({});
    },
  };
  const waits: number[] = [];
  const states = await openStateStore(db, { cacheBytes: 1024 * 1024 });
  const sync = createSync({
    reading: createReading({ db, states, now: () => clock.at }),
    filters: { get: () => Promise.resolve('{}') },
    streams: [stream],
    after(milliseconds, callback) {
      waits.push(milliseconds);
      setImmediate(callback);
      return () => undefined;
    },
  });
  const { signal } = new AbortController();
  const request = { userId, deviceId: 'A', filter: undefined, fullState: false, stateField: 'state', signal } as const;
  const { next_batch: since } = JSON.parse(await sync.sync({ ...request, since: undefined, timeout: 0 })) as {
    next_batch: string;
  };
  await announce(db);
  await sync.sync({ ...request, since, timeout: 30_000 });
  assert.deepEqual(waits, [120_000]);
  sync.close();
});
