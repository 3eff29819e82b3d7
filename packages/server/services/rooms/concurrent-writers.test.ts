import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { createWriteSet, type Database, sql } from '@portico/storage';
import { setAccountData } from '@portico/storage/stores/accounts/accounts-data.ts';
import { createTestDatabase, onBothEngines, openFor } from '@portico/testkit';
import { checkRooms } from '@portico/testkit/check-rooms.ts';
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
const bob = { userId: '@bob:localhost', deviceId: 'B' };

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

onBothEngines('who changes their own rules while they make rooms gets these all the same', async (db) => {
  // As on a busy machine: each event takes so long that others have their turns before the next.
  const now = () => {
    const begun = performance.now();
    while (performance.now() - begun < 3);
    return Date.now();
  };
  const { rooms } = await openTestRooms(db, { now });
  const over = new AbortController();
  const change = async () => {
    while (!over.signal.aborted) {
      await nextTurn();
      const set = createWriteSet();
      setAccountData(set, { userId: alice.userId, roomId: '', type: 'm.push_rules', content: '{}' });
      await db.commit(set);
    }
  };
  const changing = change();
  try {
    for (let count = 0; count < 30; count++) {
      await Promise.all([rooms.create(alice, { preset: 'public_chat' }), rooms.create(alice, {})]);
    }
  } finally {
    over.abort();
    await changing;
  }
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

const selectAfter = sql<{ event_id: string; stream_position: number }, [roomId: string, after: number, upTo: number]>(
  'test.concurrent-writers.after',
  `select event_id, stream_position from events
   where room_nid = (select room_nid from rooms where room_id = $1) and stream_position > $2 and stream_position <= $3
   order by stream_position`,
);

/** Reads a room as `/sync` does: whenever something happened, what is new up to the position that is known. */
async function tail(db: Database, roomId: string, until: () => boolean): Promise<readonly string[]> {
  const seen: string[] = [];
  let reached = 0;
  for (;;) {
    const upTo = db.currentPosition();
    for (const row of await db.all(selectAfter, [roomId, reached, upTo])) seen.push(row.event_id);
    reached = upTo;
    if (until() && db.currentPosition() === upTo) return seen;
    await new Promise((resolve) => {
      const timer = setTimeout(done, 20);
      const stop = db.onChanges(done);
      function done() {
        clearTimeout(timer);
        stop();
        resolve(undefined);
      }
    });
  }
}

test('two processes on one PostgreSQL keep a room one line of events, which no reader skips', async (context) => {
  const url = await createTestDatabase();
  const reader = await openFor(context, url);
  const firstDb = await openFor(context, url);
  const one = await openTestRooms(firstDb);
  const two = await openTestRooms(await openFor(context, url));
  const roomId = await one.rooms.create(alice, { preset: 'public_chat' });
  await two.rooms.join(bob, roomId, { reason: undefined, via: [] });
  let done = false;
  const tailing = tail(reader, roomId, () => done);
  const perConnection = 10;
  const sent = await Promise.all(
    Array.from({ length: 64 }, async (_, connection) => {
      const [actor, { rooms }] = connection % 2 === 0 ? [alice, one] : [bob, two];
      const ids: string[] = [];
      for (let index = 0; index < perConnection; index++) {
        const name = `${connection}-${index}`;
        // Some of it is state, for which both have to agree on more than the end of the room.
        if (index % 5 === 4) {
          const profile = { membership: 'join', displayname: name };
          ids.push(await rooms.setState(actor, roomId, 'm.room.member', actor.userId, profile));
        } else {
          ids.push(await rooms.send(actor, roomId, 'm.room.message', name, { body: 'x' }));
        }
      }
      return ids;
    }),
  );
  const timeline = await linearTimeline(reader, roomId);
  assert.deepEqual(timeline.slice(-64 * perConnection).toSorted(), sent.flat().toSorted());
  await checkRooms(reader);
  const position = firstDb.currentPosition();
  while (reader.currentPosition() < position) await new Promise((resolve) => setTimeout(resolve, 5));
  done = true;
  assert.deepEqual(await tailing, timeline, 'what a reader saw');
});

onBothEngines('rooms that one person makes at the same moment are different rooms', async (db) => {
  const { rooms } = await openTestRooms(db, { now: () => 1_700_000_000_000 });
  const made = await Promise.all(Array.from({ length: 8 }, () => rooms.create(alice, {})));
  assert.equal(new Set(made).size, 8);
});
