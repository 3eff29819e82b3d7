import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { createWriteSet, type Database } from '@portico/storage';
import { openFor, temporarySqlite } from '@portico/testkit';
import { createOnlineIndex, lastPositionOf, normalPosition, type OnlineUser } from './online-index.ts';

type Options = { readonly maxUsers?: number; readonly ephemeralKinds?: ReadonlySet<string> };

async function open(context: TestContext, options: Options = {}) {
  const db = await openFor(context, temporarySqlite(context));
  const clock = { now: 0 };
  const index = createOnlineIndex({
    db,
    now: () => clock.now,
    userKinds: new Set(['account_data']),
    roomKinds: new Set(['receipt']),
    maxUsers: 1000,
    ...options,
  });
  context.after(() => index.close());
  return { db, clock, index };
}

async function change(db: Database, ...changes: readonly (readonly [kind: string, key: string | number])[]) {
  const set = createWriteSet();
  set.takePosition();
  for (const [kind, key] of changes) set.change(kind, key);
  await db.commit(set);
}

function countWakes(user: OnlineUser): { count: number } {
  const wakes = { count: 0 };
  user.waiters.add(() => {
    wakes.count += 1;
  });
  return wakes;
}

const endOfTick = () => new Promise((resolve) => setImmediate(resolve));

test('an event wakes who is joined and online, once a tick, and nobody else', async (context) => {
  const { db, index } = await open(context);
  const [alice, bob, carol] = [index.touch('@alice:x'), index.touch('@bob:x'), index.touch('@carol:x')];
  const room = index.enterRoom(alice, 7, '!seven', 0);
  index.enterRoom(bob, 7, '!seven', 0);
  index.enterRoom(carol, 8, '!eight', 0);
  index.leaveRoom(bob, 7);
  const wakes = [alice, bob, carol].map(countWakes);
  await change(db, ['room', 7], ['receipt', 7], ['room', 7]);
  await endOfTick();
  assert.deepEqual(
    wakes.map(({ count }) => count),
    [1, 0, 0],
  );
  assert.equal(lastPositionOf(room.history), db.currentPosition());
  assert.equal(room.streams.get('receipt'), db.currentPosition());
  assert.equal(alice.lastChange, db.currentPosition());
  assert.ok(carol.lastChange < db.currentPosition());
});

test('ephemeral events that come at the same moment are all due at once, to whom they concern', async (context) => {
  const { db, index } = await open(context, { ephemeralKinds: new Set(['receipt']) });
  const [alice, bob] = [index.touch('@alice:x'), index.touch('@bob:x')];
  for (const nid of [7, 8, 9]) index.enterRoom(alice, nid, `!${nid}`, 0);
  index.enterRoom(bob, 9, '!9', 0);
  const due: boolean[] = [];
  alice.waiters.add(() => due.push(index.ephemeral.isDue(alice) && index.ephemeral.begin(alice)));
  const wakesOfBob = countWakes(bob);
  await change(db, ['receipt', 7], ['receipt', 8]);
  index.wakeRoomForEphemeral(9, (userId) => userId === alice.userId);
  await endOfTick();
  assert.deepEqual([due, wakesOfBob.count], [[true], 0]);
  assert.equal(alice.lastEphemeral, db.currentPosition());
  await change(db, ['receipt', 7]);
  assert.equal(index.ephemeral.isDue(alice), false, 'what follows waits');
});

test('what concerns one person wakes that person', async (context) => {
  const { db, index } = await open(context);
  const [alice, bob] = [index.touch('@alice:x'), index.touch('@bob:x')];
  const wakes = [alice, bob].map(countWakes);
  await change(db, ['account_data', '@alice:x'], ['membership', '5 @bob:x'], ['other', '@bob:x']);
  await endOfTick();
  assert.deepEqual(
    wakes.map(({ count }) => count),
    [1, 1],
  );
  assert.equal(bob.membershipPosition, db.currentPosition());
  assert.equal(alice.streams.get('account_data'), db.currentPosition());
});

test('who has gone is forgotten with the rooms that nobody else is in; who waits is not', async (context) => {
  const { clock, index } = await open(context);
  const [gone, waits] = [index.touch('@gone:x'), index.touch('@waits:x')];
  countWakes(waits);
  for (const user of [gone, waits]) {
    user.rooms.set(1, { room: undefined, nid: 1, id: '!1', membership: 'join', eventNid: 1, order: 1, position: 1 });
    index.enterRoom(user, 1, '!1', 0);
  }
  gone.rooms.set(2, { room: undefined, nid: 2, id: '!2', membership: 'join', eventNid: 1, order: 1, position: 1 });
  index.enterRoom(gone, 2, '!2', 0);
  clock.now = 10 * 60_000;
  index.touch('@new:x');
  assert.deepEqual([...index.users.keys()].toSorted(), ['@new:x', '@waits:x']);
  assert.deepEqual([...index.rooms.keys()], [1]);
});

test('there are never more users than there may be, the longest silent go first', async (context) => {
  const { index } = await open(context, { maxUsers: 10 });
  for (let count = 0; count < 100; count++) {
    index.touch(`@${count}:x`);
    index.touch('@0:x');
  }
  assert.ok(index.users.size <= 11);
  assert.ok(index.users.has('@0:x'));
  assert.ok(!index.users.has('@1:x'));
});

test('positions between two events of a room are the same to it', () => {
  const history = [5, 9, 14];
  assert.deepEqual(
    [4, 5, 8, 9, 13, 14, 99].map((position) => normalPosition(history, position)),
    [4, 5, 5, 9, 9, 14, 14],
  );
});
