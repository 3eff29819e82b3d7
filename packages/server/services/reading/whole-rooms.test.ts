import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onBothEngines } from '@portico/testkit';
import { openTestRooms } from '@portico/testkit/rooms.ts';
import { readJoinedMembers, readMembers } from './members.ts';
import { createReading } from './reading.ts';
import { readRoomState } from './room-state.ts';
import { createWholeRooms, readInTurn } from './whole-rooms.ts';

async function* batchesOf(...sizes: readonly number[]): AsyncGenerator<readonly number[]> {
  for (const size of sizes) {
    await Promise.resolve();
    yield Array.from({ length: size }, (_, index) => index);
  }
}

async function count(batches: AsyncIterable<readonly number[]>): Promise<number> {
  let all = 0;
  for await (const batch of batches) all += batch.length;
  return all;
}

/** All turns are taken until it is called. */
function takeAllTurns(wholeRooms: ReturnType<typeof createWholeRooms>): () => void {
  const { promise, resolve } = Promise.withResolvers<void>();
  for (const person of ['a', 'b', 'c', 'd']) void wholeRooms.run(person, async () => await promise);
  return resolve;
}

test('whole rooms: a thousand events are read at once, and more of them in turn', async () => {
  const wholeRooms = createWholeRooms();
  const giveBack = takeAllTurns(wholeRooms);
  assert.equal(await readInTurn(wholeRooms, 'e', batchesOf(), count), 0);
  assert.equal(await readInTurn(wholeRooms, 'e', batchesOf(400, 0, 600), count), 1000);
  let isRead = false;
  const many = readInTurn(wholeRooms, 'e', batchesOf(400, 600, 1, 1000), (batches) => {
    isRead = true;
    return count(batches);
  });
  // Whatever could be read is read by now: nothing of it waits for more than promises.
  for (let turns = 0; turns < 100; turns++) await Promise.resolve();
  assert.equal(isRead, false);
  giveBack();
  assert.equal(await many, 2001);
});

onBothEngines('whole rooms: members and states of large rooms are read in turn', async (db) => {
  const { rooms, states } = await openTestRooms(db);
  const creator = { userId: '@creator:localhost', deviceId: 'A' };
  const [small, large] = [
    await rooms.create(creator, { preset: 'public_chat' }),
    await rooms.create(creator, { preset: 'public_chat' }),
  ];
  const members = Array.from({ length: 1000 }, (_, index) => ({ userId: `@m${index}:localhost`, deviceId: 'A' }));
  await Promise.all(members.map((member) => rooms.join(member, large, { reason: undefined, via: [] })));
  const context = createReading({ db, states, now: Date.now });
  let turns = 0;
  const run: typeof context.wholeRooms.run = (userId, read) => {
    assert.equal(userId, creator.userId);
    turns++;
    return context.wholeRooms.run(userId, read);
  };
  const counted = { ...context, wholeRooms: { run } };
  const request = { membership: undefined, notMembership: undefined, at: undefined };
  const readers = [
    async (roomId: string) => (JSON.parse(await readRoomState(counted, creator, roomId)) as unknown[]).length,
    async (roomId: string) =>
      (JSON.parse(await readMembers(counted, creator, { ...request, roomId })) as { chunk: unknown[] }).chunk.length,
    async (roomId: string) =>
      Object.keys((JSON.parse(await readJoinedMembers(counted, creator, roomId)) as { joined: object }).joined).length,
  ];
  const seen = [];
  for (const read of readers) {
    const before = turns;
    const few = await read(small);
    assert.equal(turns, before);
    seen.push([await read(large), few, turns - before]);
  }
  const ofRoom = seen[0]?.[1] ?? 0;
  assert.deepEqual(seen, [
    [ofRoom + 1000, ofRoom, 1],
    [1001, 1, 1],
    [1001, 1, 1],
  ]);
});
