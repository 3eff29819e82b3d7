import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { onBothEngines } from '@portico/testkit/both-engines.ts';
import { createWriteSet, type Database, StorageError, type WriteSet } from '../../index.ts';
import {
  addProviderLogout,
  addProviderSession,
  forgetProviderSessions,
  listLoggedOut,
  type ProviderLogout,
  type ProviderSession,
} from './provider-sessions.ts';

const provider = 'one';
const hour = 60 * 60 * 1000;

async function guardOf(db: Database, write: (set: WriteSet) => void): Promise<string | undefined> {
  const set = createWriteSet();
  write(set);
  try {
    await db.commit(set);
    return undefined;
  } catch (error) {
    assert.ok(error instanceof StorageError);
    return error.guard;
  }
}

const begin = (
  db: Database,
  userId: string,
  session: Omit<ProviderSession, 'provider'>,
  by = provider,
  deviceId: string = randomUUID(),
) => guardOf(db, (set) => addProviderSession(set, { userId, deviceId }, { provider: by, ...session }));
const logOut = (db: Database, logout: Omit<ProviderLogout, 'provider'>, tokenHash: string, receivedAt: number) =>
  guardOf(db, (set) => addProviderLogout(set, { provider, ...logout }, tokenHash, receivedAt));

onBothEngines('a logout is about the sessions that it names, of its provider', async (db) => {
  const alice = '@alice:localhost';
  const bob = '@bob:localhost';
  await begin(db, alice, { subject: 'alice', sid: 's1', begunAt: 1 });
  await begin(db, alice, { subject: 'alice', begunAt: 1 });
  await begin(db, bob, { subject: 'bob', sid: 's2', begunAt: 1 }, provider, 'D');
  await begin(db, bob, { subject: 'alice', sid: 's1', begunAt: 1 }, 'two');
  await begin(db, alice, { subject: 'alice', sid: 's3', begunAt: 20 });
  const about = async (logout: Omit<ProviderLogout, 'provider'>, limit = 100, receivedAt = 10) =>
    (await listLoggedOut(db, { provider, ...logout }, receivedAt, limit)).map((row) => row.user_id);
  assert.deepEqual(await about({ sid: 's1' }), [alice]);
  assert.deepEqual(await about({ sid: 's1', subject: 'alice' }), [alice, alice], 'the one without a name as well');
  assert.deepEqual(await about({ sid: 's1', subject: 'alice' }, 1), [alice]);
  assert.deepEqual(await about({ sid: 's1', subject: 'alice' }, 100, 0), [alice], 'but not what began later');
  assert.deepEqual(await about({ sid: 's1', subject: 'bob' }), []);
  assert.deepEqual(await about({ subject: 'alice' }), [alice, alice]);
  assert.deepEqual(await about({ subject: 'alice' }, 1), [alice]);
  assert.deepEqual(await about({ subject: 'alice' }, 100, 20), [alice, alice, alice]);
  assert.deepEqual(await about({}), []);
  const forgotten = createWriteSet();
  forgetProviderSessions(forgotten, bob, ['C', 'D']);
  await db.commit(forgotten);
  assert.deepEqual(await about({ sid: 's2' }), []);
});

onBothEngines('whoever is logged out does not come in with what they had before, for two hours', async (db) => {
  const alice = '@alice:localhost';
  assert.equal(await logOut(db, { subject: 'alice' }, 'first', 1000), undefined);
  assert.equal(await logOut(db, { sid: 's9' }, 'second', 1000), undefined);
  assert.equal(await logOut(db, { sid: 's9', subject: 'carol' }, 'second', 1001), 'sso.bad-logout-token');
  assert.equal(await logOut(db, { sid: 's8', subject: 'carol' }, 'third', 1001), undefined);
  const out = 'sso.logged-out';
  assert.equal(await begin(db, alice, { subject: 'alice', sid: 's5', begunAt: 999 }), out);
  assert.equal(await begin(db, alice, { subject: 'alice', begunAt: 1000 }), out);
  assert.equal(await begin(db, alice, { subject: 'alice', begunAt: 1001 }), undefined);
  assert.equal(await begin(db, alice, { subject: 'bob', begunAt: 999 }), undefined);
  assert.equal(await begin(db, alice, { subject: 'alice', begunAt: 999 }, 'two'), undefined);
  assert.equal(
    await begin(db, alice, { subject: 'bob', sid: 's9', begunAt: 5000 }),
    out,
    'a session does not begin again',
  );
  assert.equal(
    await begin(db, alice, { subject: 'bob', sid: 's8', begunAt: 5000 }),
    undefined,
    'it is of somebody else',
  );
  assert.equal(await begin(db, alice, { subject: 'carol', sid: 's7', begunAt: 999 }), undefined, 'one session ended');
  assert.equal(await begin(db, alice, { subject: 'carol', begunAt: 1001 }), out, 'which may be this one');
  assert.equal(await begin(db, alice, { subject: 'carol', begunAt: 1002 }), undefined);
  assert.equal(await begin(db, alice, { subject: 'bob', sid: 's9', begunAt: 5000 + 2 * hour }), undefined);
});
