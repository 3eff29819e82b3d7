import assert from 'node:assert/strict';
import { createWriteSet } from '@portico/storage';
import { onBothEngines } from '@portico/testkit';
import { addTimelineEvent, type NewEvent } from './events-write.ts';
import { readEdits } from './relations-read.ts';
import { addRelation, findEarlierRelations, removeRelation, type NewRelation } from './relations-write.ts';
import { readEvents } from './timeline.ts';

const event = (eventNid: number, eventId: string): NewEvent => ({
  eventNid,
  eventId,
  roomNid: 1,
  status: 0,
  type: 'm.room.message',
  stateKey: undefined,
  sender: '@a:x',
  originServerTs: 1,
  depth: 1,
  before: '{',
  content: '{}',
  after: '}',
  stateBefore: 1,
  stateAfter: undefined,
  headState: undefined,
  replacesNid: undefined,
  threadNid: undefined,
  ordinal: 0,
  chain: undefined,
  powerLevelsNid: undefined,
  transaction: undefined,
});
const relation = (eventNid: number, more: Partial<NewRelation> = {}): NewRelation => ({
  roomNid: 1,
  targetId: '$target',
  eventNid,
  eventId: `$${eventNid}`,
  relType: 'm.replace',
  eventType: 'm.room.message',
  sender: '@a:x',
  ts: 1,
  replaces: true,
  annotationKey: undefined,
  ...more,
});
const target = { roomNid: 1, eventId: '$target', upTo: Infinity };

onBothEngines('an event that comes after what relates to it is marked all the same', async (db) => {
  for (const [nid, relType] of [
    [1, 'm.replace'],
    [2, 'm.reference'],
    [3, 'm.annotation'],
  ] as const) {
    const set = createWriteSet();
    const position = set.takePosition();
    addTimelineEvent(set, event(nid, `$${nid}`), position);
    addRelation(set, relation(nid, { relType }), position, false);
    await db.commit(set);
  }
  for (const [nid, id] of [
    [9, '$target'],
    [10, '$other'],
  ] as const) {
    const set = createWriteSet();
    addTimelineEvent(set, event(nid, id), set.takePosition());
    findEarlierRelations(set, 1, nid, id);
    await db.commit(set);
  }
  const kinds = new Map((await readEvents(db, [9, 10])).map((row) => [row.event_nid, row.relation_kinds]));
  assert.deepEqual([kinds.get(9), kinds.get(10)], [2 + 4, null]);
  assert.deepEqual(await readEdits(db, [target]), [{ room_nid: 1, target_id: '$target', event_nid: 1 }]);
});

onBothEngines('of edits the latest counts, by time and then by ID', async (db) => {
  const add = async (nid: number, ts: number, eventId: string) => {
    const set = createWriteSet();
    const position = set.takePosition();
    addTimelineEvent(set, event(nid, nid === 1 ? '$target' : eventId), position);
    if (nid > 1) addRelation(set, relation(nid, { ts, eventId }), position, false);
    await db.commit(set);
  };
  await add(1, 1, '');
  await add(2, 5, '$b');
  await add(3, 5, '$a');
  await add(4, 3, '$z');
  const latest = async (upTo = Infinity) => (await readEdits(db, [{ ...target, upTo }]))[0]?.event_nid;
  assert.equal(await latest(), 2);
  assert.equal(await latest(1), undefined);
  const set = createWriteSet();
  removeRelation(set, 2);
  await db.commit(set);
  assert.equal(await latest(), 3);
});
