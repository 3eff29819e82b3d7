import assert from 'node:assert/strict';
import { createWriteSet } from '@portico/storage';
import { deactivateAccount } from '@portico/storage/stores/accounts/accounts-deactivate.ts';
import { addAccount } from '@portico/storage/stores/accounts/accounts-write.ts';
import { onBothEngines } from '@portico/testkit/both-engines.ts';
import { createPushers } from './pushers.ts';

onBothEngines('nothing is set up for an account that has ended while that was under way', async (db) => {
  const [alice, gone] = ['@alice:localhost', '@gone:localhost'];
  const set = createWriteSet();
  for (const userId of [alice, gone]) {
    addAccount(set, { userId, passwordHash: undefined, isAdmin: false, userType: undefined, createdAt: 0 });
  }
  deactivateAccount(set, gone, 0, false);
  await db.commit(set);
  const pushers = createPushers({ db, sendsMail: false, now: Date.now });
  const pusher = {
    kind: 'http',
    app_id: 'org.example',
    pushkey: 'key',
    app_display_name: 'App',
    device_display_name: 'Phone',
    lang: 'en',
    data: { url: 'https://push.example/_matrix/push/v1/notify' },
  };
  await assert.rejects(pushers.set({ userId: gone, deviceId: 'D' }, pusher), { guard: 'user.deactivated' });
  assert.deepEqual(await pushers.list(gone), []);
  await pushers.set({ userId: alice, deviceId: 'D' }, pusher);
  assert.equal((await pushers.list(alice)).length, 1);
});
