import assert from 'node:assert/strict';
import { createWriteSet, type Database, type WriteSet } from '@portico/storage';
import { setAccountData } from '@portico/storage/stores/accounts/accounts-data.ts';
import { deactivateAccount } from '@portico/storage/stores/accounts/accounts-deactivate.ts';
import {
  claimAccountJob,
  findNextAccountJob,
  holdAccountJob,
  startAccountJob,
} from '@portico/storage/stores/accounts/accounts-jobs.ts';
import { addAccount } from '@portico/storage/stores/accounts/accounts-write.ts';
import { findErasure } from '@portico/storage/stores/privacy/erasures.ts';
import { addMedia } from '@portico/storage/stores/media/media.ts';
import { onBothEngines } from '@portico/testkit/both-engines.ts';
import { createRemoveMedia } from '../media/remove-media.ts';
import { createEraseJob } from './erase-job.ts';

const alice = '@alice:localhost';
const bob = '@bob:localhost';
const claim = { userId: alice, kind: 'erase', claim: 'mine' };

async function commit(db: Database, write: (set: WriteSet) => void): Promise<void> {
  const set = createWriteSet();
  write(set);
  await db.commit(set);
}

async function setUp(db: Database) {
  for (const userId of [alice, bob]) {
    await commit(db, (set) => {
      addAccount(set, { userId, passwordHash: 'h', isAdmin: false, userType: undefined, createdAt: 0 });
      for (let index = 0; index < 250; index++) {
        const contentId = `${userId} ${index}`;
        const content = { contentId, contentType: 'text/plain', name: undefined, size: 1 };
        addMedia(set, { origin: 'localhost', mediaId: contentId }, userId, content, index);
      }
      for (let index = 0; index < 1100; index++) {
        setAccountData(set, { userId, roomId: '', type: `t${index}`, content: '{}' });
      }
    });
  }
  await commit(db, (set) => {
    deactivateAccount(set, alice, 1, true);
    startAccountJob(set, alice, 'erase', 0);
  });
  await commit(db, (set) => claimAccountJob(set, claim, 10, 0));
  const deleted: string[] = [];
  const store = { delete: async (contentId: string) => void deleted.push(contentId) };
  const removeMedia = createRemoveMedia({ db, store });
  const job = createEraseJob({ db, removeMedia, now: () => 5, log: { info: () => undefined } });
  /** Works until the server ends, so many looks later. */
  const work = (looks: number, attempts = 0) =>
    job.work(alice, {
      details: null,
      attempts,
      hold: (set) => holdAccountJob(set, claim),
      renew: () => Promise.resolve(),
      isEnding: () => looks-- <= 0,
      isTurnOver: () => false,
    });
  return { work, deleted };
}

onBothEngines('an erasure that is interrupted goes on where it was, and accounts for all of it', async (db) => {
  const { work, deleted } = await setUp(db);
  assert.equal(await work(2), false);
  assert.equal(deleted.length, 200);
  const before = await findErasure(db, alice);
  assert.deepEqual([before?.finished_at, JSON.parse(before?.report ?? '')], [null, { media: 200 }]);
  let rounds = 0;
  for (let looks = 7; !(await work(looks)); looks += 7) rounds += 1;
  assert.ok(rounds > 0, 'it was interrupted more than once');
  assert.equal(new Set(deleted).size, 250);
  const erasure = await findErasure(db, alice);
  const report = JSON.parse(erasure?.report ?? '') as Record<string, number>;
  assert.deepEqual([erasure?.finished_at, report['media'], report['account-data']], [5, 250, 1100]);
  assert.ok(deleted.every((contentId) => contentId.startsWith(alice)));
});

onBothEngines('a while later it looks once more for what has come since', async (db) => {
  const { work } = await setUp(db);
  assert.deepEqual(await work(1000), { againIn: 15 * 60_000 });
  await commit(db, (set) => setAccountData(set, { userId: alice, roomId: '', type: 'late', content: '{}' }));
  assert.equal(await work(2, 1), false);
  assert.equal((await findErasure(db, alice))?.finished_at, 5, 'what was asked for is done');
  assert.equal(await work(1000, 1), true);
  const report = JSON.parse((await findErasure(db, alice))?.report ?? '') as Record<string, number>;
  assert.equal(report['account-data'], 1101);
});

onBothEngines(
  'an erasure writes nothing once its claim is lost, and nothing of anybody who did not ask',
  async (db) => {
    const { work, deleted } = await setUp(db);
    await commit(db, (set) => startAccountJob(set, alice, 'erase', 0));
    await assert.rejects(work(100), { guard: 'account-job.lost' });
    assert.deepEqual(deleted, []);
    assert.equal(await findErasure(db, bob), undefined);
    assert.equal(await findNextAccountJob(db), 0);
  },
);
