import assert from 'node:assert/strict';
import { onBothEngines } from '@portico/testkit/both-engines.ts';
import { longestTurn } from '@portico/testkit/longest-turn.ts';
import { openTestRooms } from '@portico/testkit/rooms.ts';

const alice = { userId: '@alice:localhost', deviceId: 'A' };
const stateOf = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ type: 'org.example', state_key: `${index}`, content: {} }));

onBothEngines('others have their turn while a room of a thousand events is made', async (db) => {
  const { rooms } = await openTestRooms(db);
  await rooms.create(alice, { initial_state: stateOf(20) });
  const longest = await longestTurn(() => rooms.create(alice, { initial_state: stateOf(1000) }));
  assert.ok(longest < 250, `${longest} ms at once`);
});

onBothEngines('a room starts with so many events, and no more', async (db) => {
  const { rooms } = await openTestRooms(db);
  await assert.rejects(rooms.create(alice, { initial_state: stateOf(1001) }), { reason: 'request.invalid-param' });
});
