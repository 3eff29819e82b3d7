import assert from 'node:assert/strict';
import { createWriteSet } from '@portico/storage';
import { claimDestination } from '@portico/storage/stores/federation/federation-destinations.ts';
import { onBothEngines } from '@portico/testkit/both-engines.ts';
import { openTestRooms } from '@portico/testkit/rooms.ts';
import { createFirstContacts } from './first-contacts.ts';
import { defaultRates } from './rate-classes.ts';
import { createRateLimiter } from './rate-limiter.ts';

onBothEngines('somebody may write to a few new servers now and then, and to known ones always', async (db) => {
  const clock = { at: 1e12 };
  const rates = { ...defaultRates, 'first-contact': { perSecond: 0.1, burst: 3 } };
  const { check, permitted } = createFirstContacts({
    db,
    rateLimiter: createRateLimiter({ enabled: true, now: () => clock.at, rates }),
  });
  const [a, b] = await Promise.all(['a', 'b.test'].map((serverName) => openTestRooms(db, { serverName })));
  assert.ok(a && b);
  const roomId = await a.rooms.create({ userId: '@alice:a', deviceId: 'A' }, { preset: 'public_chat' });
  await b.rooms.join({ userId: '@bob:b.test', deviceId: 'B' }, roomId, { reason: undefined, via: [] });
  const set = createWriteSet();
  claimDestination(set, 'asked.test', 0, 'only', 0);
  await db.commit(set);

  const refusal = { reason: 'request.limit-exceeded' };
  await check('@alice:a', ['b.test', 'new1.test', 'asked.test', 'new2.test', 'new3.test']);
  await assert.rejects(check('@alice:a', ['b.test', 'new4.test']), refusal);
  for (let count = 0; count < 10; count++) await check('@alice:a', ['b.test', 'asked.test']);
  await check('@carol:a', ['new4.test']);
  clock.at += 10_000;
  await check('@alice:a', ['new5.test']);
  await assert.rejects(check('@alice:a', ['new5.test']), refusal);

  const hosts = ['b.test', 'new6.test', 'asked.test', 'new7.test'];
  assert.deepEqual([...(await permitted('@alice:a', hosts))], ['b.test', 'asked.test']);
  clock.at += 10_000;
  assert.deepEqual([...(await permitted('@alice:a', hosts))], ['b.test', 'new6.test', 'asked.test']);
  await assert.rejects(check('@alice:a', ['new7.test']), refusal);
});
