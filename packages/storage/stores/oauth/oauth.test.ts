import assert from 'node:assert/strict';
import { onBothEngines } from '@portico/testkit/both-engines.ts';
import { createWriteSet, type Database, StorageError, type WriteSet } from '../../index.ts';
import { addAccount, addSession } from '../accounts/accounts-write.ts';
import { endLoginsUnderWay } from '../accounts/logins-under-way.ts';
import { addOAuthClient, findOAuthClient, touchOAuthClient } from './oauth-clients.ts';
import { addOAuthCode, findOAuthCode, useOAuthCode } from './oauth-codes.ts';
import {
  addDeviceGrant,
  findDeviceGrant,
  findDeviceGrantByUserCode,
  settleDeviceGrant,
  useDeviceGrant,
} from './oauth-device-grants.ts';
import { oauthRequests } from './oauth-requests.ts';
import { addOAuthSession, findOAuthSession, forgetOAuthSessions } from './oauth-sessions.ts';

const alice = '@alice:localhost';

/** Commits what a step adds; answers the guard that failed. */
async function commit(db: Database, write: (set: WriteSet) => void): Promise<string | undefined> {
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

function logIn(set: WriteSet, deviceId: string, clientId: string): void {
  addSession(set, {
    userId: alice,
    deviceId,
    deviceName: 'App',
    tokenHash: `of ${deviceId} ${clientId}`,
    createdAt: 1,
  });
  addOAuthSession(set, { userId: alice, deviceId, clientId, scope: 'all', grantHash: 'code', createdAt: 1 });
}

const makeAlice = (set: WriteSet): void =>
  addAccount(set, { userId: alice, passwordHash: undefined, isAdmin: false, userType: undefined, createdAt: 1 });

const add = (set: WriteSet, clientId: string, usedAt: number, usedBefore = 0, network = 'one'): void =>
  addOAuthClient(set, { client_id: clientId, metadata: '{}', used_at: usedAt, network }, usedBefore);

onBothEngines('clients that nobody uses are forgotten, those with a session never', async (db) => {
  await commit(db, (set) => {
    makeAlice(set);
    for (const clientId of ['logged in', 'unused', 'touched']) add(set, clientId, 10);
    logIn(set, 'DEVICE', 'logged in');
  });
  await commit(db, (set) => touchOAuthClient(set, 'touched', 50));
  await commit(db, (set) => add(set, 'new', 60, 50));
  const isThere = async (id: string): Promise<boolean> => (await findOAuthClient(db, id)) !== undefined;
  assert.deepEqual(await Promise.all(['logged in', 'unused', 'touched', 'new'].map(isThere)), [
    true,
    false,
    true,
    true,
  ]);
  const networksOf = () =>
    Promise.all(['logged in', 'touched'].map(async (id) => (await findOAuthClient(db, id))?.network));
  assert.deepEqual(await networksOf(), ['', 'one'], 'where it registered is not kept for ever');
  await commit(db, (set) => {
    for (let index = 0; index < 5003; index += 1) add(set, `client ${index}`, 1000 + index);
  });
  const expected = [true, false, false, false, true, true];
  const ids = ['logged in', 'touched', 'new', 'client 2', 'client 3', 'client 5002'];
  assert.deepEqual(await Promise.all(ids.map(isThere)), expected);
});

onBothEngines(
  'whoever registers clients by the thousand pushes out their own, and none that somebody is logged in with',
  async (db) => {
    await commit(db, (set) => {
      makeAlice(set);
      add(set, 'logged in', 10, 0, 'flood');
      logIn(set, 'DEVICE', 'logged in');
      add(set, 'of another', 20, 0, 'others');
      add(set, 'moved', 30, 0, 'flood');
      add(set, 'moved', 30, 0, 'others');
      for (let index = 0; index < 5000; index += 1) add(set, `client ${index}`, 1000 + index, 0, 'flood');
    });
    const ids = ['logged in', 'of another', 'moved', 'client 0', 'client 1', 'client 2', 'client 4999'];
    const found = await Promise.all(ids.map((id) => findOAuthClient(db, id)));
    assert.deepEqual(
      ids.filter((_id, index) => found[index] === undefined),
      ['client 0', 'client 1'],
    );
  },
);

onBothEngines('a device is logged in with what it was logged in with last', async (db) => {
  await commit(db, (set) => {
    makeAlice(set);
    logIn(set, 'ONE', 'first');
    logIn(set, 'TWO', 'first');
  });
  assert.equal(await commit(db, (set) => logIn(set, 'ONE', 'second')), undefined);
  assert.equal((await findOAuthSession(db, alice, 'ONE'))?.client_id, 'second');
  await commit(db, (set) =>
    addSession(set, { userId: alice, deviceId: 'ONE', deviceName: undefined, tokenHash: 'other', createdAt: 2 }),
  );
  assert.equal(await findOAuthSession(db, alice, 'ONE'), undefined);
  await commit(db, (set) => forgetOAuthSessions(set, alice, ['TWO']));
  assert.equal(await findOAuthSession(db, alice, 'TWO'), undefined);
});

const request = { step: 'log-in', browser_hash: 'browser', network: '192.0.2.1', user_id: alice, details: '{}' };

onBothEngines('a step is used once, as what it is, before it is over; of thousands the oldest go', async (db) => {
  await commit(db, (set) => oauthRequests.add(set, 'one', { ...request, expires_at: 100 }, 0));
  const use = (step: string, now: number) => commit(db, (set) => oauthRequests.use(set, 'one', step, now));
  assert.equal(await use('consent', 10), 'oauth.over');
  assert.equal(await use('log-in', 100), 'oauth.over');
  assert.equal(await use('log-in', 99), undefined);
  assert.equal(await use('log-in', 10), 'oauth.over');
  await commit(db, (set) => {
    for (let index = 0; index < 5002; index += 1) {
      oauthRequests.add(set, `request ${index}`, { ...request, expires_at: 1000 + index }, 0);
    }
  });
  const isThere = async (index: number) => (await oauthRequests.find(db, `request ${index}`)) !== undefined;
  assert.deepEqual([await isThere(1), await isThere(2), await isThere(5001)], [false, true, true]);
  await commit(db, (set) => oauthRequests.add(set, 'later', { ...request, expires_at: 9000 }, 5000));
  assert.deepEqual([await isThere(4000), await isThere(4001)], [false, true]);
});

const code = {
  client_id: 'client',
  user_id: alice,
  device_id: 'DEVICE',
  scope: 'all',
  redirect_uri: 'https://example.com/',
  code_challenge: 'challenge',
  came_with: null,
};

onBothEngines('of two at once who use a code, one gets in, and what was used is remembered for a while', async (db) => {
  await commit(db, (set) => addOAuthCode(set, 'code', { ...code, expires_at: 100 }, 0));
  const use = (now: number) => commit(db, (set) => useOAuthCode(set, 'code', now, 500));
  assert.equal(await use(100), 'oauth.code-used');
  assert.deepEqual(new Set(await Promise.all([use(50), use(50)])), new Set([undefined, 'oauth.code-used']));
  await commit(db, (set) => addOAuthCode(set, 'next', { ...code, expires_at: 600 }, 499));
  assert.equal((await findOAuthCode(db, 'code'))?.used_at, 50);
  await commit(db, (set) => addOAuthCode(set, 'after', { ...code, expires_at: 600 }, 500));
  assert.equal(await findOAuthCode(db, 'code'), undefined);
});

const grant = {
  clientId: 'client',
  network: '192.0.2.1',
  deviceId: 'DEVICE',
  scope: 'all',
  intervalMs: 5000,
  expiresAt: 100,
};

onBothEngines('a device that waits is let in once, after somebody has said yes, and only once', async (db) => {
  const addGrant = (name: string, userCodeHash: string, now = 0) =>
    commit(db, (set) => addDeviceGrant(set, { ...grant, deviceCodeHash: name, userCodeHash }, now, now));
  assert.equal(await addGrant('one', 'user code'), undefined);
  assert.equal(await addGrant('two', 'user code'), 'oauth.user-code-taken');
  assert.equal((await findDeviceGrantByUserCode(db, 'user code'))?.device_code_hash, 'one');
  const settle = (state: 'approved' | 'denied', now = 10) =>
    commit(db, (set) => settleDeviceGrant(set, 'one', { state, userId: alice, cameWith: null }, now));
  const use = (now = 10) => commit(db, (set) => useDeviceGrant(set, 'one', now));
  assert.equal(await use(), 'oauth.code-used');
  assert.equal(await settle('approved', 100), 'oauth.over');
  assert.equal(await settle('approved'), undefined);
  assert.equal(await settle('denied'), 'oauth.over');
  assert.equal(await use(100), 'oauth.code-used');
  assert.deepEqual(new Set(await Promise.all([use(), use()])), new Set([undefined, 'oauth.code-used']));
  assert.equal(await addGrant('three', 'user code', 99), undefined);
});

onBothEngines('of thousands of devices that wait the oldest go', async (db) => {
  await commit(db, (set) => {
    for (let index = 0; index < 5002; index += 1) {
      const names = { deviceCodeHash: `grant ${index}`, userCodeHash: `code ${index}` };
      addDeviceGrant(set, { ...grant, ...names, expiresAt: 1000 + index }, 0, 0);
    }
  });
  const isThere = async (index: number) => (await findDeviceGrant(db, `grant ${index}`)) !== undefined;
  assert.deepEqual([await isThere(1), await isThere(2), await isThere(5001)], [false, true, true]);
});

onBothEngines('who logs out everywhere takes along what would still let somebody in', async (db) => {
  await commit(db, (set) => {
    makeAlice(set);
    oauthRequests.add(set, 'request', { ...request, expires_at: 100 }, 0);
    addOAuthCode(set, 'code', { ...code, expires_at: 100 }, 0);
    addDeviceGrant(set, { ...grant, deviceCodeHash: 'grant', userCodeHash: 'user code' }, 0, 0);
    settleDeviceGrant(set, 'grant', { state: 'approved', userId: alice, cameWith: null }, 1);
  });
  await commit(db, (set) => endLoginsUnderWay(set, alice));
  assert.equal(await oauthRequests.find(db, 'request'), undefined);
  assert.equal(await findOAuthCode(db, 'code'), undefined);
  assert.equal(await findDeviceGrant(db, 'grant'), undefined);
});
