import assert from 'node:assert/strict';
import { createWriteSet, type Database } from '@portico/storage';
import {
  claimDestination,
  findDestination,
  setDestination,
} from '@portico/storage/stores/federation/federation-destinations.ts';
import { queueEdus, readQueuedEdus, type StoredEdu } from '@portico/storage/stores/federation/stored-edus.ts';
import { onBothEngines } from '@portico/testkit/both-engines.ts';
import { openTestRooms } from '@portico/testkit/rooms.ts';
import { createAbandoned, keptFor, strangersKeptFor } from './abandoned.ts';

const alice = '@alice:a';
const message: StoredEdu = { type: 'm.direct_to_device', content: '{}' };
const update = (userId: string, n: number): StoredEdu => ({
  type: 'm.device_list_update',
  content: JSON.stringify({ n, user_id: userId }),
});

/** A server that has not answered since a time. */
async function fails(db: Database, host: string, since: number, process = 'only'): Promise<void> {
  const set = createWriteSet();
  claimDestination(set, host, 0, process, 0);
  const state = { failures: 9, retry_at: since, failing_since: since, attempt: null };
  setDestination(set, process, { host, position: 0, receipt_position: 0, ...state });
  await db.commit(set);
}

async function store(
  db: Database,
  hosts: readonly string[],
  edus: readonly StoredEdu[],
  bounds = { unshared: 9999, most: 9999 },
) {
  const set = createWriteSet();
  queueEdus(set, alice, hosts, edus, bounds);
  await db.commit(set);
}

const waiting = async (db: Database, host: string) =>
  (await readQueuedEdus(db, host, 5000)).map(({ edu_type: type, content }) =>
    type === 'm.direct_to_device' ? 'message' : `${(JSON.parse(content) as { n: number }).n}`,
  );

function open(db: Database, clock: { at: number }, underWay: readonly string[] = []) {
  const log = { warn: (_: object, text: string) => assert.fail(text) };
  return createAbandoned({
    db,
    process: 'only',
    now: () => clock.at,
    log,
    isUnderWay: (host) => underWay.includes(host),
  });
}

onBothEngines('a stranger that has not answered for a week is forgotten with all that waits for it', async (db) => {
  const clock = { at: 1e12 };
  const forgotten: (string | number)[] = [];
  db.onChanges((batches) => {
    for (const { changes } of batches) {
      forgotten.push(...changes.filter(({ kind }) => kind === 'destination_forgotten').map(({ key }) => key));
    }
  });
  await fails(db, 'old.test', clock.at);
  await fails(db, 'busy.test', clock.at);
  await fails(db, 'foreign.test', clock.at, 'another');
  await fails(db, 'young.test', clock.at + 1);
  const hosts = ['old.test', 'busy.test', 'foreign.test', 'young.test'];
  await store(
    db,
    hosts,
    Array.from({ length: 1200 }, () => message),
  );
  clock.at += strangersKeptFor;
  const abandoned = open(db, clock, ['busy.test']);
  await abandoned.run();
  assert.deepEqual(
    await Promise.all(hosts.map(async (host) => (await waiting(db, host)).length)),
    [0, 1200, 1200, 1200],
  );
  assert.equal(await findDestination(db, 'old.test'), undefined);
  assert.deepEqual(forgotten, ['old.test']);
  clock.at++;
  await abandoned.run();
  assert.deepEqual(forgotten, ['old.test', 'young.test']);
  await abandoned.close();
});

onBothEngines(
  'of what waits for a server of rooms it is told in the end what is true, and there is room again',
  async (db) => {
    const [a, b] = await Promise.all(['a', 'b.test'].map((serverName) => openTestRooms(db, { serverName })));
    assert.ok(a && b);
    const roomId = await a.rooms.create({ userId: alice, deviceId: 'A' }, { preset: 'public_chat' });
    await b.rooms.join({ userId: '@bob:b.test', deviceId: 'B' }, roomId, { reason: undefined, via: [] });
    const clock = { at: 1e12 };
    await fails(db, 'b.test', clock.at);
    const bounds = { unshared: 1205, most: 1205 };
    const carol = '@carol:a';
    await store(db, ['b.test'], [update(alice, 1), message, update(carol, 2)], bounds);
    await store(
      db,
      ['b.test'],
      Array.from({ length: 1200 }, () => message),
      bounds,
    );
    await store(db, ['b.test'], [update(alice, 3), message, message], bounds);
    assert.equal((await waiting(db, 'b.test')).length, 1205, 'it is full');
    const abandoned = open(db, clock);
    clock.at += keptFor - 1;
    await abandoned.run();
    assert.equal((await waiting(db, 'b.test')).length, 1205);
    clock.at++;
    await abandoned.run();
    assert.deepEqual(await waiting(db, 'b.test'), ['2', '3']);
    assert.ok(await findDestination(db, 'b.test'));
    await store(db, ['b.test'], [update(alice, 4), ...Array.from({ length: 1202 }, () => message)], bounds);
    const after = await waiting(db, 'b.test');
    assert.deepEqual([after.length, after.slice(0, 4)], [1205, ['2', '3', '4', 'message']]);
    await abandoned.close();
  },
);
