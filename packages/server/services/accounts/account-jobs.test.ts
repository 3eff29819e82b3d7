import assert from 'node:assert/strict';
import { createWriteSet, type Database, type WriteSet } from '@portico/storage';
import { deactivateAccount } from '@portico/storage/stores/accounts/accounts-deactivate.ts';
import { addAccount } from '@portico/storage/stores/accounts/accounts-write.ts';
import {
  claimAccountJob,
  findNextAccountJob,
  holdAccountJob,
  listDueAccountJobs,
  startAccountJob,
} from '@portico/storage/stores/accounts/accounts-jobs.ts';
import { onBothEngines } from '@portico/testkit/both-engines.ts';
import { openTestRooms } from '@portico/testkit/rooms.ts';
import { until } from '@portico/testkit/until.ts';
import { profileChanges } from '../profile/profile-job.ts';
import { planBan } from '../rooms/membership/ban.ts';
import { changeMembership, membershipOf } from '../rooms/membership/change-membership.ts';
import { planLeave } from '../rooms/membership/leave.ts';
import type { RoomWriter } from '../rooms/room-writer.ts';
import { createAccountJobs } from './account-jobs.ts';
import { departureContent, leaveRooms } from './leave-rooms-job.ts';

const alice = '@alice:localhost';
const departure = departureContent({ stableMarker: false });
const actor = (userId: string) => ({ userId, deviceId: 'D' });
const noWarnings = {
  warn(details: object, message: string) {
    throw new Error(message, { cause: details });
  },
};

async function commit(db: Database, write: (set: WriteSet) => void): Promise<void> {
  const set = createWriteSet();
  write(set);
  await db.commit(set);
}

async function setUp(db: Database, count: number) {
  const clock = { at: Date.now() };
  const { rooms } = await openTestRooms(db);
  const joined: number[] = [];
  while (joined.length < count) {
    const roomId = await rooms.create(actor('@bob:localhost'), { preset: 'public_chat' });
    await rooms.join(actor(alice), roomId, { reason: undefined, via: [] });
    joined.push((await rooms.resolve(roomId)).roomNid);
  }
  const account = { userId: alice, passwordHash: 'h', isAdmin: false, userType: undefined, createdAt: 0 };
  await commit(db, (set) => addAccount(set, account));
  const start = (writer: RoomWriter, log: { warn(details: object, message: string): void } = noWarnings) =>
    createAccountJobs({
      db,
      writer,
      kinds: {
        leave: leaveRooms({ db, departure, remote: () => undefined, now: () => clock.at }),
        profile: profileChanges({ memberProfile: async () => ({ displayname: 'New' }) }),
      },
      now: () => clock.at,
      newClaim: () => 'claim',
      log,
    });
  async function membershipIn(roomNid: number): Promise<string> {
    let membership = '';
    await rooms.writer.append(roomNid, {
      ...changeMembership({
        sender: alice,
        userId: alice,
        content(current) {
          membership = membershipOf(current);
          return undefined;
        },
      }),
    });
    return membership;
  }
  const left = async () =>
    (await Promise.all(joined.map(membershipIn))).filter((membership) => membership === 'leave').length;
  const done = async () => (await findNextAccountJob(db)) === undefined;
  return { clock, rooms, joined, start, left, done };
}

onBothEngines('account jobs: what a process had claimed when it died is done by the next one', async (db) => {
  const { clock, rooms, start, left, done } = await setUp(db, 5);
  await commit(db, (set) => startAccountJob(set, alice, 'leave', clock.at));
  const dead = { userId: alice, kind: 'leave', claim: 'of the dead' };
  await commit(db, (set) => claimAccountJob(set, dead, clock.at + 60_000, clock.at));
  const early = start(rooms.writer);
  await early.close();
  assert.equal(await left(), 0);
  clock.at += 60_000;
  const jobs = start(rooms.writer);
  await until(done, 'all is done');
  assert.equal(await left(), 5);
  await jobs.close();
});

onBothEngines('account jobs: one that is let go of goes on where it was', async (db) => {
  const { clock, rooms, joined, start, left, done } = await setUp(db, 9);
  await commit(db, (set) => startAccountJob(set, alice, 'leave', clock.at));
  const second = Promise.withResolvers<void>();
  let appended = 0;
  const jobs = start({
    async append(roomNid, plan) {
      if (++appended > 4) await second.promise;
      return rooms.writer.append(roomNid, plan);
    },
  });
  await until(() => appended > 4, 'it is at work');
  const closing = jobs.close();
  second.resolve();
  await closing;
  assert.equal(await left(), 8);
  assert.equal(await done(), false);
  const next = start(rooms.writer);
  await until(done, 'all is done');
  assert.equal(await left(), joined.length);
  await next.close();
});

onBothEngines('account jobs: a room that fails keeps nobody from the others, and is tried again', async (db) => {
  const { clock, rooms, joined, start, left, done } = await setUp(db, 6);
  await commit(db, (set) => startAccountJob(set, alice, 'leave', clock.at));
  const warnings: string[] = [];
  let failing = true;
  const jobs = start(
    {
      append(roomNid, plan) {
        if (failing && roomNid === joined[0]) throw new Error('a disk that is broken');
        return rooms.writer.append(roomNid, plan);
      },
    },
    { warn: (_details, message) => warnings.push(message) },
  );
  await until(
    async () => (await left()) === 5 && (await findNextAccountJob(db)) === clock.at + 1000,
    'it waits for another try',
  );
  assert.equal(warnings.length, 1);
  await jobs.close();
  failing = false;
  clock.at += 1000;
  const next = start(rooms.writer);
  await until(done, 'all is done');
  assert.equal(await left(), 6);
  await next.close();
});

onBothEngines('account jobs: a policy server that does not answer is waited for some minutes', async (db) => {
  const { clock, joined, start, rooms, left } = await setUp(db, 1);
  const [roomNid = 0] = joined;
  const policy = { via: 'localhost', public_keys: { ed25519: 'A'.repeat(43) } };
  await rooms.writer.append(roomNid, {
    needs: [],
    drafts: () => [{ type: 'm.room.policy', stateKey: '', sender: '@bob:localhost', content: policy }],
  });
  await commit(db, (set) => startAccountJob(set, alice, 'leave', clock.at));
  const begun = clock.at;
  let attempts = 0;
  for (let due: number | undefined = clock.at; due !== undefined; due = await findNextAccountJob(db)) {
    clock.at = due;
    assert.equal(await left(), 0);
    const jobs = start(rooms.writer, { warn: () => undefined });
    await until(async () => {
      const [row] = await listDueAccountJobs(db, Number.MAX_SAFE_INTEGER, 1);
      return row === undefined || row.attempts > attempts;
    }, 'it was tried');
    attempts += 1;
    await jobs.close();
  }
  assert.equal(await left(), 1);
  assert.equal(clock.at - begun, 255_000);
});

onBothEngines('account jobs: what follows on leaving waits for no room that fails', async (db) => {
  const { clock, joined, start, rooms } = await setUp(db, 2);
  await commit(db, (set) => {
    deactivateAccount(set, alice, clock.at, true);
    startAccountJob(set, alice, 'leave', clock.at);
  });
  const attempts: number[] = [];
  const jobs = start(
    {
      append(roomNid, plan) {
        if (roomNid !== joined[0]) return rooms.writer.append(roomNid, plan);
        attempts.push(clock.at);
        throw new Error('a disk that is broken');
      },
    },
    { warn: () => undefined },
  );
  const kinds = async () => (await listDueAccountJobs(db, clock.at + 100_000, 10)).map(({ kind }) => kind).toSorted();
  await until(async () => (await kinds()).length === 2, 'both are to be done');
  assert.deepEqual(await kinds(), ['erase', 'leave']);
  await jobs.close();
});

onBothEngines(
  'account jobs: one of an unknown kind, as a newer program may leave, waits and harms no others',
  async (db) => {
    const { clock, rooms, start, left } = await setUp(db, 2);
    await commit(db, (set) => startAccountJob(set, '@x:localhost', 'of the future', clock.at));
    const warnings: string[] = [];
    const jobs = start(rooms.writer, { warn: (_details, message) => warnings.push(message) });
    await until(() => warnings.length > 0, 'it warns');
    await commit(db, (set) => startAccountJob(set, alice, 'leave', clock.at));
    await until(async () => (await left()) === 2, 'the others are left');
    assert.equal(warnings.length, 1);
    assert.equal(await findNextAccountJob(db), clock.at + 60_000);
    await jobs.close();
  },
);

onBothEngines('account jobs: who has lost a claim writes nothing in a room any more', async (db) => {
  const { clock, rooms, joined, left } = await setUp(db, 1);
  const [roomNid = 0] = joined;
  await commit(db, (set) => startAccountJob(set, alice, 'leave', clock.at));
  const job = { userId: alice, kind: 'leave', claim: 'mine' };
  await commit(db, (set) => claimAccountJob(set, job, clock.at + 1000, clock.at));
  await assert.rejects(
    commit(db, (set) => claimAccountJob(set, { ...job, claim: 'other' }, clock.at + 1000, clock.at)),
    { guard: 'account-job.lost' },
  );
  const plan = {
    ...(await leaveRooms({ db, departure, remote: () => undefined, now: () => clock.at }).prepare(alice, null, 0)),
    alongside: (set: WriteSet) => holdAccountJob(set, job),
  };
  await commit(db, (set) => startAccountJob(set, alice, 'leave', clock.at));
  await assert.rejects(rooms.writer.append(roomNid, plan), { guard: 'account-job.lost' });
  assert.equal(await left(), 0);
  assert.equal((await listDueAccountJobs(db, clock.at, 10)).length, 1);
  await commit(db, (set) => claimAccountJob(set, job, clock.at + 1000, clock.at));
  await rooms.writer.append(roomNid, plan);
  assert.equal(await left(), 1);
});

onBothEngines(
  'account jobs: one that is started anew while it is at work in a room writes nothing there',
  async (db) => {
    const { clock, rooms, start, left, done } = await setUp(db, 1);
    await commit(db, (set) => startAccountJob(set, alice, 'leave', clock.at));
    const outcomes: string[] = [];
    const jobs = start({
      async append(roomNid, plan) {
        if (outcomes.length === 0) await commit(db, (set) => startAccountJob(set, alice, 'leave', clock.at));
        try {
          const appended = await rooms.writer.append(roomNid, plan);
          outcomes.push('written');
          return appended;
        } catch (error) {
          outcomes.push((error as Error).message);
          throw error;
        }
      },
    });
    await until(done, 'all is done');
    assert.deepEqual(outcomes, ['The guard account-job.lost did not hold', 'written']);
    assert.equal(await left(), 1);
    await jobs.close();
  },
);

onBothEngines(
  'a change of profile brings nobody back who leaves or is banned just before it is written',
  async (db) => {
    const { clock, rooms, joined, start, left, done } = await setUp(db, 3);
    const [leaving, banning] = joined;
    await commit(db, (set) => startAccountJob(set, alice, 'profile', clock.at));
    const written: number[] = [];
    const jobs = start({
      async append(roomNid, plan) {
        if (roomNid === leaving) await rooms.writer.append(roomNid, planLeave(alice, undefined));
        if (roomNid === banning) await rooms.writer.append(roomNid, planBan('@bob:localhost', alice, undefined));
        const appended = await rooms.writer.append(roomNid, plan);
        if (appended.events.length > 0) written.push(roomNid);
        return appended;
      },
    });
    await until(done, 'all is done');
    assert.deepEqual(written, joined.slice(2));
    assert.equal(await left(), 1);
    await jobs.close();
  },
);

onBothEngines(
  'account jobs: one that takes long keeps its own place, and none of the others waits for it',
  async (db) => {
    const { clock, rooms, joined, start, left } = await setUp(db, 3);
    const slow = Promise.withResolvers<void>();
    let isStuck = false;
    const jobs = start({
      async append(roomNid, plan) {
        if (!isStuck && roomNid === joined[0]) {
          isStuck = true;
          await slow.promise;
        }
        return rooms.writer.append(roomNid, plan);
      },
    });
    await commit(db, (set) => startAccountJob(set, alice, 'profile', clock.at));
    await until(() => isStuck, 'the first one waits');
    await commit(db, (set) => startAccountJob(set, alice, 'leave', clock.at));
    await until(async () => (await left()) === 3, 'the other one is done');
    slow.resolve();
    await jobs.close();
  },
);

onBothEngines('a deactivated account enters no room any more, old or new', async (db) => {
  const { clock, rooms } = await setUp(db, 0);
  const bob = actor('@bob:localhost');
  const open = await rooms.create(bob, { preset: 'public_chat' });
  await commit(db, (set) => deactivateAccount(set, alice, clock.at, false));
  const refusal = { guard: 'user.deactivated' };
  await assert.rejects(rooms.join(actor(alice), open, { reason: undefined, via: [] }), refusal);
  await assert.rejects(rooms.create(actor(alice), {}), refusal);
  await rooms.join(actor('@carol:localhost'), open, { reason: undefined, via: [] });
  await rooms.send(bob, open, 'm.room.message', 't', { body: 'still works' });
});
