import assert from 'node:assert/strict';
import { createWriteSet, type Database, type WriteSet } from '@portico/storage';
import { onBothEngines } from '@portico/testkit/both-engines.ts';
import {
  addNonce,
  addRegistrationToken,
  findRegistrationToken,
  isNonceValid,
  useNonce,
  useRegistrationToken,
} from './accounts-registration.ts';
import { addUiaSession, findUiaSession, updateUiaSession, useUiaSession } from './accounts-uia.ts';
import { addAccount, addSession } from './accounts-write.ts';
import { findAccessToken, findAccount } from './accounts.ts';
import { listDeviceIds, listDevices, removeDevices, requireNoOtherDevices } from '../devices/devices.ts';
import { ensureSender } from '../app-services/app-services-users.ts';
import { listProfileFields, removeProfileField, setProfileField } from './profile-fields.ts';

async function commit(db: Database, write: (set: WriteSet) => void): Promise<void> {
  const set = createWriteSet();
  write(set);
  await db.commit(set);
}

const account = { userId: '@a:x', passwordHash: 'h', isAdmin: true, userType: undefined, createdAt: 5 };
const session = (deviceId: string, tokenHash: string, deviceName?: string) => ({
  userId: '@a:x',
  deviceId,
  deviceName,
  tokenHash,
  createdAt: 7,
});
const failsOn = (guard: string) => ({ reason: 'guard-failed', guard });

onBothEngines('accounts: a name is taken once, and nothing of a set that wants it again is written', async (db) => {
  await commit(db, (set) => addAccount(set, account));
  await assert.rejects(
    commit(db, (set) => {
      setProfileField(set, '@a:x', { name: 'displayname', value: '"Thief"' }, 100);
      addAccount(set, { ...account, passwordHash: 'stolen' });
    }),
    failsOn('user.taken'),
  );
  assert.deepEqual(await findAccount(db, '@a:x'), {
    user_id: '@a:x',
    password_hash: 'h',
    is_admin: 1,
    user_type: null,
    created_at: 5,
    deactivated_at: null,
  });
  assert.deepEqual(await listProfileFields(db, '@a:x'), []);
  assert.equal(await findAccount(db, '@b:x'), undefined);
});

onBothEngines('accounts: a first display name comes with the account, and only then', async (db) => {
  const named = async (userId: string) => (await listProfileFields(db, userId)).map(({ value }) => value);
  await commit(db, (set) => addAccount(set, { ...account, displayName: 'a "\ud83e\udd8a"' }));
  assert.deepEqual(await named('@a:x'), ['"a \\"\ud83e\udd8a\\""']);
  await commit(db, (set) => removeProfileField(set, '@a:x', 'displayname'));
  const again = commit(db, (set) => addAccount(set, { ...account, displayName: 'Thief' }));
  await assert.rejects(again, failsOn('user.taken'));
  assert.deepEqual(await named('@a:x'), []);

  const makeBot = () => commit(db, (set) => ensureSender(set, { userId: '@bot:x', displayName: 'bot', createdAt: 5 }));
  await makeBot();
  assert.deepEqual(await named('@bot:x'), ['"bot"']);
  await commit(db, (set) => removeProfileField(set, '@bot:x', 'displayname'));
  await makeBot();
  assert.deepEqual(await named('@bot:x'), []);
});

onBothEngines('accounts: sessions come and go with their devices', async (db) => {
  await assert.rejects(
    commit(db, (set) => addSession(set, session('D', 't0'))),
    failsOn('user.deactivated'),
  );
  await commit(db, (set) => {
    addAccount(set, account);
    addSession(set, session('D', 't1', 'Phone'));
  });
  await commit(db, (set) => addSession(set, session('D', 't2', 'Renamed')));
  await commit(db, (set) => addSession(set, session('E', 't3')));
  assert.equal(await findAccessToken(db, 't1'), undefined);
  assert.deepEqual(await findAccessToken(db, 't2'), {
    user_id: '@a:x',
    device_id: 'D',
    expires_at: null,
    replaces_token_hash: null,
    is_admin: 1,
    locked: 0,
    suspended: 0,
    deactivated_at: null,
    scope: null,
  });
  const devices = async () =>
    (await listDevices(db, '@a:x')).map(({ device_id: id, display_name: name }) => [id, name]);
  assert.deepEqual(await devices(), [
    ['D', 'Phone'],
    ['E', null],
  ]);
  await commit(db, (set) => removeDevices(set, '@a:x', ['D', 'none']));
  assert.deepEqual(await devices(), [['E', null]]);
  assert.equal(await findAccessToken(db, 't2'), undefined);
  await assert.rejects(
    commit(db, (set) => requireNoOtherDevices(set, '@a:x', ['D'])),
    failsOn('devices.changed'),
  );
  await commit(db, (set) => requireNoOtherDevices(set, '@a:x', ['E']));
  const ids = await listDeviceIds(db, '@a:x');
  await commit(db, (set) => removeDevices(set, '@a:x', ids));
  assert.deepEqual(await devices(), []);
  assert.equal(await findAccessToken(db, 't3'), undefined);
});

onBothEngines('registration tokens and nonces: each use counts', async (db) => {
  await commit(db, (set) => addRegistrationToken(set, 't', { usesAllowed: 1, createdAt: 0, expiresAt: 100 }));
  await assert.rejects(
    commit(db, (set) => addRegistrationToken(set, 't', { usesAllowed: undefined, createdAt: 0, expiresAt: undefined })),
    failsOn('registration-token.taken'),
  );
  await assert.rejects(
    commit(db, (set) => useRegistrationToken(set, 't', 100)),
    failsOn('registration-token.invalid'),
  );
  await commit(db, (set) => useRegistrationToken(set, 't', 99));
  await assert.rejects(
    commit(db, (set) => useRegistrationToken(set, 't', 99)),
    failsOn('registration-token.invalid'),
  );
  assert.equal((await findRegistrationToken(db, 't'))?.completed, 1);

  await commit(db, (set) => addNonce(set, 'old', 10, 0));
  await commit(db, (set) => addNonce(set, 'new', 20, 10));
  assert.deepEqual([await isNonceValid(db, 'old', 9), await isNonceValid(db, 'new', 19)], [false, true]);
  assert.equal(await isNonceValid(db, 'new', 20), false);
  await commit(db, (set) => useNonce(set, 'new', 19));
  await assert.rejects(
    commit(db, (set) => useNonce(set, 'new', 19)),
    failsOn('registration.bad-nonce'),
  );
});

onBothEngines('UIA sessions: of two requests at once one goes on, and a used session is gone', async (db) => {
  const fresh = {
    operation: 'op',
    completed: '[]',
    registration_token: null,
    email_session: null,
    request: null,
    expires_at: 10,
  };
  await commit(db, (set) => addUiaSession(set, 's', { ...fresh, expires_at: 30 }));
  const passed = { completed: '["a"]', registration_token: 'T', email_session: 'E' };
  await commit(db, (set) => updateUiaSession(set, 's', passed, '[]'));
  await assert.rejects(
    commit(db, (set) => updateUiaSession(set, 's', passed, '[]')),
    failsOn('uia.session-changed'),
  );
  assert.deepEqual(await findUiaSession(db, 's'), { ...fresh, ...passed, expires_at: 30 });
  await commit(db, (set) => useUiaSession(set, 's'));
  await assert.rejects(
    commit(db, (set) => useUiaSession(set, 's')),
    failsOn('uia.session-changed'),
  );
});

onBothEngines('profiles: of two changes at once, the one that makes it too large fails', async (db) => {
  const set = (name: string, bytes: number) =>
    commit(db, (writes) => setProfileField(writes, '@a:x', { name, value: `"${'é'.repeat(bytes / 2 - 1)}"` }, 100));
  await commit(db, (writes) => setProfileField(writes, '@b:x', { name: 'displayname', value: '"Long"' }, 100));
  // {"a":…} has six bytes besides the value; each further field has five besides its own.
  await set('a', 94);
  await assert.rejects(set('a', 96), failsOn('profile.too-large'));
  await set('a', 40);
  const race = await Promise.allSettled([set('b', 48), set('c', 48)]);
  assert.deepEqual(race.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
  assert.equal((await listProfileFields(db, '@a:x')).length, 2);
});
