import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { createWriteSet, type Database, type WriteSet } from '@portico/storage';
import { findNextAccountJob, startAccountJob } from '@portico/storage/stores/accounts/accounts-jobs.ts';
import { onBothEngines } from '@portico/testkit/both-engines.ts';
import { openTestRooms } from '@portico/testkit/rooms.ts';
import { until } from '@portico/testkit/until.ts';
import { MatrixError } from '../../../errors/matrix-error.ts';
import type { RoomNames } from '../../reading/room-names.ts';
import { createAccountJobs } from '../../accounts/account-jobs.ts';
import { createBlockedRooms } from './blocked-rooms.ts';
import { createEvictJob } from './evict-job.ts';
import { createTakeOut } from './take-out.ts';

const admin = '@admin:localhost';
const actor = (userId: string) => ({ userId, deviceId: 'D' });
const people = Array.from({ length: 6 }, (_, index) => `@person${index}:localhost`);
const kinds = ['one', 'two', 'three', 'four', 'five'];

async function commit(db: Database, write: (set: WriteSet) => void): Promise<void> {
  const set = createWriteSet();
  write(set);
  await db.commit(set);
}

onBothEngines(
  'rooms that take long to empty are emptied in turns, all of them, and nobody is forgotten',
  async (db) => {
    const clock = { at: Date.now() };
    const { rooms } = await openTestRooms(db);
    const evictions = new Map<number, string>();
    for (const name of kinds) {
      const roomId = await rooms.create(actor('@founder:localhost'), { preset: 'public_chat' });
      for (const userId of people) await rooms.join(actor(userId), roomId, { reason: undefined, via: [] });
      const { roomNid } = await rooms.resolve(roomId);
      evictions.set(roomNid, name);
      const details = JSON.stringify({ roomNid, roomId, reason: 'Gone' });
      await commit(db, (set) => startAccountJob(set, admin, `evict ${name}`, clock.at, details));
    }
    const done: string[] = [];
    const broken = new Set([people[2]]);
    const takeOut = createTakeOut({
      remote: () => undefined,
      log: { warn: () => undefined },
      writer: {
        async append(roomNid, plan) {
          // Whoever has taken somebody out has had a whole turn.
          clock.at += 10_000;
          const name = evictions.get(roomNid) ?? '';
          done.push(name);
          if (name === 'one' && broken.delete(people[2])) throw new Error('a disk that is broken');
          return rooms.writer.append(roomNid, plan);
        },
      },
    });
    const jobs = createAccountJobs({
      db,
      writer: rooms.writer,
      kinds: { evict: createEvictJob({ db, takeOut, now: () => clock.at }) },
      now: () => clock.at,
      newClaim: () => randomUUID(),
      log: { warn: (details: object, message: string) => assert.fail(`${message} ${JSON.stringify(details)}`) },
    });
    await until(async () => {
      // One that failed is tried again later.
      clock.at += 10_000;
      if (done.length >= kinds.length * (people.length + 1)) return (await findNextAccountJob(db)) === undefined;
      await commit(db, (set) => set.change('account_job', admin));
      return false;
    }, 'all of them are empty');
    await jobs.close();
    const firstOfFive = done.indexOf('five');
    const lastOfOthers = Math.min(...['two', 'three', 'four'].map((name) => done.lastIndexOf(name)));
    assert.ok(firstOfFive < lastOfOthers, `the fifth waited for others to end: ${done.join(' ')}`);
    assert.equal(done.length, kinds.length * (people.length + 1) + 1, 'one was tried twice');
  },
);

onBothEngines('what became of a room that was shut down is told for a day', async (db) => {
  const clock = { at: Date.now() };
  const now = () => clock.at;
  const { rooms } = await openTestRooms(db);
  const roomNames = { find: async (roomId: string) => (await rooms.resolve(roomId)).roomNid } as RoomNames;
  const blockedRooms = createBlockedRooms({ db, roomNames, now });
  const made: string[] = [];
  for (const userId of people.slice(0, 2)) made.push(await rooms.create(actor(userId), { preset: 'public_chat' }));
  const [kept = '', emptied = ''] = made;
  const { roomNid: keptNid } = await rooms.resolve(kept);
  for (const roomId of made) await blockedRooms.shutDown(admin, roomId, { isBlocked: false, reason: undefined });
  assert.equal(await blockedRooms.shutdownOf(kept), 'active');
  const takeOut = createTakeOut({
    remote: () => undefined,
    log: { warn: () => undefined },
    writer: {
      async append(roomNid, plan) {
        if (roomNid === keptNid) throw new MatrixError('forbidden');
        return rooms.writer.append(roomNid, plan);
      },
    },
  });
  const jobs = createAccountJobs({
    db,
    writer: rooms.writer,
    kinds: { evict: createEvictJob({ db, takeOut, now }) },
    now,
    newClaim: () => randomUUID(),
    log: { warn: (details: object, message: string) => assert.fail(`${message} ${JSON.stringify(details)}`) },
  });
  await until(async () => (await findNextAccountJob(db)) === undefined, 'both are done with');
  await jobs.close();
  assert.deepEqual(await Promise.all(made.map((roomId) => blockedRooms.shutdownOf(roomId))), ['failed', 'complete']);
  await blockedRooms.shutDown(admin, kept, { isBlocked: false, reason: undefined });
  assert.equal(await blockedRooms.shutdownOf(kept), 'active', 'it is tried once more');
  clock.at += 24 * 60 * 60_000;
  const isGone = { reason: 'not-found' };
  await assert.rejects(blockedRooms.shutdownOf(emptied), isGone);
  assert.equal(await blockedRooms.shutdownOf(kept), 'active', 'which goes on');
});
