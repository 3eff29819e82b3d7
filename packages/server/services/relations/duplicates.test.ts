import assert from 'node:assert/strict';
import { onBothEngines } from '@portico/testkit';
import { openTestRooms } from '@portico/testkit/rooms.ts';

onBothEngines('of two equal reactions at the same moment one is refused', async (db) => {
  const { rooms } = await openTestRooms(db);
  const actor = { userId: '@alice:localhost', deviceId: 'D' };
  const roomId = await rooms.create(actor, { preset: 'public_chat' });
  const eventId = await rooms.send(actor, roomId, 'm.room.message', 'm', { body: 'x' });
  const reaction = { 'm.relates_to': { rel_type: 'm.annotation', event_id: eventId, key: '👍' } };
  const outcomes = await Promise.allSettled(
    ['a', 'b', 'c'].map((txn) => rooms.send(actor, roomId, 'm.reaction', txn, reaction)),
  );
  assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1);
  // The room goes on, although what was refused had been decided on top of the others.
  await rooms.send(actor, roomId, 'm.room.message', 'n', { body: 'y' });
});
