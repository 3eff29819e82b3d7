import assert from 'node:assert/strict';
import { type Database, sql } from '@portico/storage';
import { onBothEngines } from '@portico/testkit';
import { openTestRooms } from '@portico/testkit/rooms.ts';

const selectTimeline = sql<{ event_id: string; before_content: string; after_content: string }, [roomId: string]>(
  'test.concurrent-writers.timeline',
  `select event_id, before_content, content, after_content from events
   where room_nid = (select room_nid from rooms where room_id = $1) order by room_order`,
);

/** Checks that every event of a room names the one before it, and returns their IDs. */
async function linearTimeline(db: Database, roomId: string): Promise<string[]> {
  const ids: string[] = [];
  for (const row of await db.all(selectTimeline, [roomId])) {
    const pdu = JSON.parse(`${row.before_content}{}${row.after_content}`) as { prev_events: string[] };
    assert.deepEqual(pdu.prev_events, ids.slice(-1), `prev_events of event ${ids.length}`);
    ids.push(row.event_id);
  }
  return ids;
}

const alice = { userId: '@alice:localhost', deviceId: 'A' };

onBothEngines('a room that many send to at once stays one line of events', async (db) => {
  const { rooms } = await openTestRooms(db);
  const roomId = await rooms.create(alice, { preset: 'public_chat' });
  const sent = await Promise.all(
    Array.from({ length: 200 }, (_, index) =>
      rooms.send(alice, roomId, 'm.room.message', `t${index}`, { body: `${index}`, msgtype: 'm.text' }),
    ),
  );
  const timeline = await linearTimeline(db, roomId);
  assert.deepEqual(timeline.slice(-200).toSorted(), sent.toSorted());
});

onBothEngines('a transaction that is sent again makes no second event', async (db) => {
  const { rooms } = await openTestRooms(db);
  const roomId = await rooms.create(alice, {});
  const send = () => rooms.send(alice, roomId, 'm.room.message', 'once', { body: 'hello', msgtype: 'm.text' });
  const [first, second] = await Promise.all([send(), send()]);
  assert.equal(first, second);
  // Another service knows of the transaction from the database only, as after a restart.
  const restarted = await openTestRooms(db);
  const again = restarted.rooms.send(alice, roomId, 'm.room.message', 'once', { body: 'hello', msgtype: 'm.text' });
  assert.equal(await again, first);
  const other = await rooms.send({ ...alice, deviceId: 'A2' }, roomId, 'm.room.message', 'once', { body: 'hello' });
  assert.notEqual(other, first);
});
