import assert from 'node:assert/strict';
import { createWriteSet, type Database } from '@portico/storage';
import { readPresent, setPresence } from '@portico/storage/stores/presence/presence.ts';
import { onBothEngines } from '@portico/testkit/both-engines.ts';
import { createVirtualClock } from '@portico/testkit/virtual-clock.ts';
import { keepStates } from './keep-states.ts';
import { createOwnPeople } from './own-people.ts';
import { lookOf } from './view.ts';

const alice = '@alice:a.test';

function open(db: Database) {
  const clock = createVirtualClock();
  const own = createOwnPeople({ reader: db, now: clock.now, after: clock.after });
  const changes: string[] = [];
  own.onChange((userId, cause) => changes.push(`${lookOf(own.known(userId)) || 'offline'} by ${cause}`));
  return {
    clock,
    own,
    /** What has changed since it was last asked for. */
    changed: () => changes.splice(0).map((change) => change.replace(/ +/g, ' ')),
    state: () => own.known(alice)?.state,
    sync: async (deviceId: string, asked: 'online' | 'unavailable' | 'offline' = 'online') =>
      own.beginSync(alice, deviceId, asked),
  };
}

onBothEngines(
  'who does nothing is idle after five minutes, and offline half a minute after the last sync',
  async (db) => {
    const { clock, own, changed, sync } = open(db);
    const end = await sync('A');
    assert.deepEqual(changed(), ['online true by action']);
    clock.pass(5 * 60_000 - 1000);
    assert.deepEqual(changed(), []);
    clock.pass(2000);
    assert.deepEqual(changed(), ['unavailable false by time']);
    // Polling goes on, and is no activity.
    end();
    (await sync('A'))();
    clock.pass(29_000);
    assert.deepEqual(changed(), []);
    own.noteActivity(alice, 'A');
    assert.deepEqual(changed(), ['online true by action']);
    clock.pass(2000);
    assert.deepEqual(changed(), ['offline by time']);
    // Nobody is made online by what a device does that is not there.
    own.noteActivity(alice, 'A');
    assert.deepEqual(changed(), []);
  },
);

onBothEngines('the strongest device counts, and each of them leaves by itself', async (db) => {
  const { clock, own, changed, state, sync } = open(db);
  const endPhone = await sync('phone', 'unavailable');
  assert.equal(state(), 'unavailable');
  const endLaptop = await sync('laptop');
  assert.equal(state(), 'online');
  await own.set(alice, 'tablet', 'busy', 'in a call');
  assert.equal(state(), 'busy');
  assert.equal(own.known(alice)?.statusMsg, 'in a call');
  changed();
  // What was set without a sync lasts a minute.
  clock.pass(61_000);
  assert.deepEqual([state(), changed()], ['online', ['online true in a call by time']]);
  endLaptop();
  clock.pass(31_000);
  assert.equal(state(), 'unavailable');
  endPhone();
  clock.pass(31_000);
  assert.deepEqual([state(), own.known(alice)?.isActive], ['offline', false]);
  assert.equal(own.known(alice)?.statusMsg, 'in a call');
});

onBothEngines('a client that does not want to be seen makes nobody online', async (db) => {
  const { changed, sync } = open(db);
  (await sync('A', 'offline'))();
  assert.deepEqual(changed(), []);
});

onBothEngines('being active ends before being online does, and is told once', async (db) => {
  const { clock, own, changed } = open(db);
  await own.set(alice, 'A', 'busy', undefined);
  const end = await own.beginSync(alice, 'A', 'online');
  for (let minute = 0; minute < 4; minute++) {
    clock.pass(60_000);
    own.noteActivity(alice, 'A');
  }
  assert.deepEqual(changed(), ['busy true by action']);
  clock.pass(5 * 60_000 + 1000);
  assert.deepEqual(changed(), ['busy false by time']);
  end();
});

onBothEngines('a process that was killed leaves nobody online', async (db) => {
  const failures: unknown[] = [];
  const onFailure = (error: unknown) => failures.push(error);
  const first = open(db);
  await keepStates({ db, own: first.own, after: first.clock.after, onFailure });
  const end = await first.sync('A');
  await first.own.set(alice, 'A', 'online', 'here');
  first.clock.pass(1000);
  while ((await readPresent(db, 10)).length === 0) await db.commit(createWriteSet());
  // From here on the first one is not heard of any more.
  end();

  const second = open(db);
  await keepStates({ db, own: second.own, after: second.clock.after, onFailure });
  assert.deepEqual(second.changed(), ['online true here by time']);
  second.clock.pass(31_000);
  assert.deepEqual(second.changed(), ['offline by time']);
  second.clock.pass(1000);
  while ((await readPresent(db, 10)).length > 0) await db.commit(createWriteSet());
  assert.deepEqual(failures, []);
});

onBothEngines('who comes back in time was never away', async (db) => {
  const set = createWriteSet();
  setPresence(set, { user_id: alice, presence: 'online', status_msg: null, last_active: 1_700_000_000_000 });
  await db.commit(set);
  const { clock, own, changed, sync } = open(db);
  await keepStates({ db, own, after: clock.after, onFailure: (error) => assert.fail(String(error)) });
  changed();
  clock.pass(10_000);
  await sync('A');
  clock.pass(60_000);
  assert.deepEqual(changed(), []);
  assert.equal(own.known(alice)?.state, 'online');
});

onBothEngines('whose account ends is offline there and then, and leaves no status', async (db) => {
  const { clock, own, changed, sync } = open(db);
  const end = await sync('A');
  await own.set(alice, 'B', 'busy', 'in a call');
  changed();
  own.end(alice);
  assert.deepEqual(changed(), ['offline by action']);
  const { statusMsg, lastActive } = own.known(alice) ?? {};
  assert.deepEqual([statusMsg, lastActive], [undefined, undefined]);
  end();
  clock.pass(120_000);
  assert.deepEqual(changed(), []);
});
