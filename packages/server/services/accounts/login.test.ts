import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { createWriteSet } from '@portico/storage';
import { setPasswordHash } from '@portico/storage/stores/accounts/accounts-deactivate.ts';
import { addAccount } from '@portico/storage/stores/accounts/accounts-write.ts';
import { listDeviceIds } from '@portico/storage/stores/devices/devices.ts';
import { onBothEngines } from '@portico/testkit/both-engines.ts';
import { createDevices } from '../devices/devices.ts';
import { createRateLimiter } from '../rate-limit/rate-limiter.ts';
import { defaultRates } from '../rate-limit/rate-classes.ts';
import type { AppServiceAccounts } from './app-service-accounts.ts';
import { createLogin } from './login.ts';
import { createPasswordHasher } from './password-hasher.ts';
import { createSessions } from './sessions.ts';

const userId = '@alice:here.example';
const now = () => 1;
const none: AppServiceAccounts = {
  register: () => assert.fail('of no application service'),
  logIn: () => assert.fail('of no application service'),
};

onBothEngines('a password that is changed while it is checked lets nobody in', async (db) => {
  const hasher = createPasswordHasher({ cost: { memory: 8 * 1024, passes: 1 }, randomBytes });
  const set = createWriteSet();
  const passwordHash = await hasher.hash('the first one');
  addAccount(set, { userId, passwordHash, isAdmin: false, userType: undefined, createdAt: 1 });
  await db.commit(set);
  const devices = createDevices({ db, onDeleted: [], now });
  let isChecked = async (): Promise<void> => {};
  const login = createLogin({
    db,
    serverName: 'here.example',
    sessions: createSessions({ devices, now, randomBytes }),
    hasher: {
      ...hasher,
      async verify(password, hash) {
        const isRight = await hasher.verify(password, hash);
        await isChecked();
        return isRight;
      },
    },
    rateLimiter: createRateLimiter({ enabled: false, now, rates: defaultRates }),
    appServiceAccounts: none,
    now,
  });
  const logIn = (password: string) =>
    login.logIn(
      { type: 'm.login.password', identifier: { type: 'm.id.user', user: userId }, password },
      { kind: 'no-token' },
    );
  isChecked = async () => {
    const change = createWriteSet();
    setPasswordHash(change, userId, await hasher.hash('the second one'));
    await db.commit(change);
  };
  await assert.rejects(logIn('the first one'), { reason: 'login.forbidden' });
  assert.deepEqual(await listDeviceIds(db, userId), []);
  isChecked = async () => {};
  const { device_id: deviceId } = await logIn('the second one');
  assert.deepEqual(await listDeviceIds(db, userId), [deviceId]);
});
