import assert from 'node:assert/strict';
import { createWriteSet, type Database, sql } from '@portico/storage';
import { eventStatus } from '@portico/storage/stores/events/event-row.ts';
import { addEventOutsideTimeline } from '@portico/storage/stores/events/events-write.ts';
import { onBothEngines } from '@portico/testkit/both-engines.ts';
import { openTestRooms } from '@portico/testkit/rooms.ts';
import { unplacedEvent } from '../rooms/unplaced-event.ts';
import { createStickyUpkeep } from './upkeep.ts';

const hour = 3_600_000;
const selectStored = sql<{ event_id: string; content: string; is_noted: number }, [roomNid: number]>(
  'test.sticky-upkeep.stored',
  `select e.event_id, e.content, case when s.event_nid is null then 0 else 1 end as is_noted
   from events e left join sticky_events s on s.event_nid = e.event_nid
   where e.room_nid = $1 and e.status = 1 order by e.event_nid`,
);
const selectRoom = sql<{ room_nid: number }, [roomId: string]>(
  'test.sticky-upkeep.room',
  'select room_nid from rooms where room_id = $1',
);

type Failed = { readonly id: string; readonly type?: string; readonly stateKey?: string; readonly until: number };

async function addSoftFailed(db: Database, roomNid: number, failed: readonly Failed[]): Promise<void> {
  const set = createWriteSet();
  let eventNid = await db.reserveIds('event', failed.length);
  for (const { id: eventId, type = 'm.room.message', stateKey, until } of failed) {
    const pieces = { before: '{"auth_events":[],"content":', content: '{"body":"spam"}', after: `,"type":"${type}"}` };
    const event = {
      eventId,
      roomId: '!r:x',
      type,
      sender: '@a:x',
      stateKey,
      content: {},
      originServerTs: 1,
      depth: 1,
      prevEvents: [],
      authEvents: [],
      redacts: undefined,
      rejected: false,
    };
    const stored = unplacedEvent({ eventNid: eventNid++, roomNid, status: eventStatus.softFailed }, event, pieces);
    addEventOutsideTimeline(set, { ...stored, sticky: { durationMs: until, until, at: 0, isOwn: false } });
  }
  await db.commit(set);
}

onBothEngines('of what failed softly and is sticky no more, what it says is not kept', async (db, context) => {
  const { rooms } = await openTestRooms(db);
  const roomId = await rooms.create({ userId: '@alice:localhost', deviceId: 'A' }, { preset: 'public_chat' });
  const { room_nid: roomNid } = (await db.get(selectRoom, [roomId])) ?? assert.fail();
  let at = 0;
  const upkeep = createStickyUpkeep({
    db,
    now: () => at,
    log: { warn: (_, message) => assert.fail(message) },
    every: 2 ** 31 - 1,
  });
  context.after(() => upkeep.close());
  await addSoftFailed(db, roomNid, [
    { id: '$ended', until: hour },
    { id: '$state', stateKey: '', until: hour },
    { id: '$redaction', type: 'm.room.redaction', until: hour },
    { id: '$sticky', until: 3 * hour },
  ]);
  const full = '{"body":"spam"}';
  const stored = async () =>
    (await db.all(selectStored, [roomNid])).map((row) => [row.event_id, row.content, row.is_noted]);
  await upkeep.run();
  at = hour;
  await upkeep.run();
  assert.deepEqual(
    (await stored()).map((row) => row.slice(1)),
    Array.from({ length: 4 }, () => [full, 1]),
    'one that is being judged once more may still get a place',
  );
  at = 2 * hour;
  await upkeep.run();
  assert.deepEqual(await stored(), [
    ['$ended', '{}', 0],
    ['$state', full, 0],
    ['$redaction', full, 0],
    ['$sticky', full, 1],
  ]);
});
