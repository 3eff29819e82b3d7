import assert from 'node:assert/strict';
import { createWriteSet } from '@portico/storage';
import { addAccount, addSession } from '@portico/storage/stores/accounts/accounts-write.ts';
import { findDevice } from '@portico/storage/stores/devices/devices.ts';
import { onBothEngines } from '@portico/testkit/both-engines.ts';
import { createLastSeen } from './last-seen.ts';

const userId = '@a:x';
const sender = (deviceId: string) => ({ userId, deviceId, isAdmin: false, tokenHash: deviceId });

onBothEngines('last seen: many requests of many devices are one write a minute', async (db) => {
  const set = createWriteSet();
  addAccount(set, { userId, passwordHash: 'h', isAdmin: false, userType: undefined, createdAt: 0 });
  for (const deviceId of ['A', 'B']) {
    addSession(set, { userId, deviceId, deviceName: undefined, tokenHash: deviceId, createdAt: 0 });
  }
  await db.commit(set);

  const clock = { at: 1_000_000 };
  let statements: number[] = [];
  const counted: typeof db = {
    ...db,
    commit(writes) {
      statements.push(writes.writes.length);
      return db.commit(writes);
    },
  };
  const start = () =>
    createLastSeen({
      db: counted,
      now: () => clock.at,
      log: { warn: (_details, message) => assert.fail(message) },
      gather: 600_000,
    });
  const seen = async (deviceId: string) => {
    const row = await findDevice(db, userId, deviceId);
    return [row?.last_seen_at, row?.last_seen_ip];
  };

  const [a, b] = [sender('A'), sender('B')];
  const first = start();
  for (let n = 0; n < 1000; n++) first.note(n % 2 === 0 ? a : b, { ip: `ip ${n % 2}` });
  await first.close();
  assert.deepEqual(statements, [2]);
  assert.deepEqual(await Promise.all([seen('A'), seen('B')]), [
    [1_000_000, 'ip 0'],
    [1_000_000, 'ip 1'],
  ]);

  // Another process, which does not know that the device was seen a moment ago.
  statements = [];
  clock.at += 59_999;
  const second = start();
  second.note(a, { ip: 'elsewhere' });
  await second.close();
  assert.deepEqual(await seen('A'), [1_000_000, 'ip 0']);
  clock.at += 1;
  const third = start();
  third.note(a, { ip: 'elsewhere' });
  await third.close();
  assert.deepEqual(await seen('A'), [1_060_000, 'elsewhere']);
});
