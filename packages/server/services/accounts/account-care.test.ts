import assert from 'node:assert/strict';
import { createWriteSet, type Database, type WriteSet } from '@portico/storage';
import { findAccount } from '@portico/storage/stores/accounts/accounts.ts';
import { deactivateAccount } from '@portico/storage/stores/accounts/accounts-deactivate.ts';
import {
  demoteAdmin,
  refuseAdministrator,
  setAdmin,
  setModerated,
} from '@portico/storage/stores/accounts/accounts-moderation.ts';
import { addAccount } from '@portico/storage/stores/accounts/accounts-write.ts';
import { onBothEngines } from '@portico/testkit/both-engines.ts';
import { isGuardFailure } from './guards.ts';

const people = ['@alice:localhost', '@bob:localhost', '@carol:localhost'] as const;
const [alice, bob, carol] = people;

async function commit(db: Database, write: (set: WriteSet) => void): Promise<void> {
  const set = createWriteSet();
  write(set);
  await db.commit(set);
}

async function setUp(db: Database) {
  const common = { passwordHash: 'h', userType: undefined, createdAt: 0 };
  await commit(db, (set) => {
    for (const userId of people) addAccount(set, { ...common, userId, isAdmin: userId !== carol });
  });
  const isAdmin = async (userId: string) => (await findAccount(db, userId))?.is_admin === 1;
  return { admins: async () => (await Promise.all(people.map(isAdmin))).filter(Boolean).length };
}

onBothEngines('administrators who demote each other at the same moment leave one of them', async (db) => {
  const { admins } = await setUp(db);
  const outcomes = await Promise.allSettled(
    [alice, bob].map((userId) => commit(db, (set) => demoteAdmin(set, userId))),
  );
  const failed = outcomes.filter((outcome) => outcome.status === 'rejected');
  assert.deepEqual(
    failed.map(({ reason }) => isGuardFailure(reason, 'admin.last')),
    [true],
  );
  assert.equal(await admins(), 1);
});

onBothEngines('administrators who can do nothing do not count as those who are left', async (db) => {
  await setUp(db);
  await commit(db, (set) => setModerated(set, carol, 'locked', true));
  await commit(db, (set) => setAdmin(set, carol, true));
  await commit(db, (set) => deactivateAccount(set, bob, 1, false));
  const isLast = { guard: 'admin.last' };
  await assert.rejects(
    commit(db, (set) => demoteAdmin(set, alice)),
    isLast,
  );
  await commit(db, (set) => demoteAdmin(set, carol));
  await assert.rejects(
    commit(db, (set) => demoteAdmin(set, bob)),
    isLast,
    'an account that has ended',
  );
});

onBothEngines('who has become an administrator meanwhile is not deactivated by another one', async (db) => {
  await setUp(db);
  const end = (userId: string) =>
    commit(db, (set) => {
      refuseAdministrator(set, userId);
      deactivateAccount(set, userId, 1, false);
    });
  await assert.rejects(end(bob), { guard: 'user.not-moderated' });
  await end(carol);
});
