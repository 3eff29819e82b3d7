import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findRoomVersion, parsePdu, toRoomEvent } from '@portico/protocol';
import { sql } from '@portico/storage';
import {
  alice,
  bob,
  carol,
  newPdus,
  type PartitionedServer,
  partition,
  type PduRow,
} from '@portico/testkit/partition.ts';
import { MissingEventsError, type ReceivedEvent, type Result } from './received-event.ts';

const rules = findRoomVersion('11');
assert.ok(rules);

const selectRoom = sql<{ room_nid: number; create_event_nid: number; head_version: number }, [roomId: string]>(
  'test.receive-all.room',
  'select room_nid, create_event_nid, head_version from rooms where room_id = $1',
);

function received({ event_id: eventId, pdu }: PduRow): ReceivedEvent {
  assert.ok(rules);
  const parsed = parsePdu(rules, pdu);
  assert.equal(parsed.kind, 'ok');
  return { event: toRoomEvent(rules, parsed.pdu, eventId, { rejected: false }), pieces: parsed.pieces };
}

async function roomAt({ db }: PartitionedServer, roomId: string) {
  const row = await db.get(selectRoom, [roomId]);
  assert.ok(rules !== undefined && row !== undefined);
  const room = { roomNid: row.room_nid, rules, createEventNid: row.create_event_nid };
  return { room, version: row.head_version };
}

const kinds = (results: readonly Result[]) => results.map(({ kind }) => kind);

test('events that come together are stored together', async (context) => {
  const { a, b, roomId } = await partition(context, '11');
  const start = b.db.currentPosition();
  for (let index = 0; index < 20; index++) {
    await b.rooms.send(bob, roomId, 'm.room.message', `${index}`, { body: `${index}` });
  }
  await b.rooms.setState(bob, roomId, 'm.room.topic', '', { topic: 'new' });
  const events = (await newPdus(b, roomId, start)).map(received);
  const { room, version } = await roomAt(a, roomId);
  assert.deepEqual(new Set(kinds(await a.rooms.receiver.receiveAll(room, events))), new Set(['accepted']));
  assert.equal((await roomAt(a, roomId)).version, version + 1, 'the room moved once');
  assert.deepEqual(new Set(kinds(await a.rooms.receiver.receiveAll(room, events))), new Set(['known']));
  assert.equal(
    (await a.rooms.readState(room.roomNid, [['m.room.topic', '']])).state('m.room.topic')?.content['topic'],
    'new',
  );
});

test('what is wrong with some events changes nothing for those that come with them', async (context) => {
  const { a, b, roomId } = await partition(context, '11');
  const start = b.db.currentPosition();
  const send = (index: number) => b.rooms.send(bob, roomId, 'm.room.message', `${index}`, { body: `${index}` });
  for (let index = 0; index < 3; index++) await send(index);
  await b.rooms.setState(bob, roomId, 'm.room.topic', '', { topic: 'forged' });
  await b.rooms.send(carol, roomId, 'm.room.message', 'c', { body: 'by whom alice has banned' });
  for (let index = 3; index < 6; index++) await send(index);
  const pdus = await newPdus(b, roomId, start);
  const [first, second, third, topic, message, ...others] = pdus;
  assert.ok(first && second && third && topic && message);
  await a.rooms.ban(alice, roomId, carol.userId, undefined);

  // Carol has no power to set the topic. Signatures are checked before events come here.
  const forged = { event_id: topic.event_id, pdu: topic.pdu.replaceAll(bob.userId, carol.userId) };
  const lost = { event_id: '$lost', pdu: second.pdu.replaceAll(first.event_id, '$unknown') };
  const { room } = await roomAt(a, roomId);
  const all = [lost, first, second, third, forged, message, ...others].map(received);
  const results = await a.rooms.receiver.receiveAll(room, all);
  assert.equal(
    kinds(results).join(' '),
    'failed accepted accepted accepted rejected soft-failed accepted accepted accepted',
  );
  assert.ok(results[0]?.kind === 'failed' && results[0].error instanceof MissingEventsError);
});

test('an event that others of its group allow, or whose thread they began, is received after those', async (context) => {
  const { a, b, roomId } = await partition(context, '11');
  const start = b.db.currentPosition();
  const dave = { userId: '@dave:b', deviceId: 'D' };
  await b.rooms.join(dave, roomId, { reason: undefined, via: [] });
  await b.rooms.send(dave, roomId, 'm.room.message', '1', { body: 'by who has just joined' });
  const root = await b.rooms.send(bob, roomId, 'm.room.message', '2', { body: 'begins a thread' });
  const relation = { 'm.relates_to': { rel_type: 'm.thread', event_id: root } };
  await b.rooms.send(bob, roomId, 'm.room.message', '3', { body: 'in the thread', ...relation });
  const { room } = await roomAt(a, roomId);
  const results = await a.rooms.receiver.receiveAll(room, (await newPdus(b, roomId, start)).map(received));
  assert.deepEqual(kinds(results), ['accepted', 'accepted', 'accepted', 'accepted']);
  const [row] = await a.db.all(selectThreads, [room.roomNid]);
  assert.deepEqual(row, { event_id: root });
});

const selectThreads = sql<{ event_id: string }, [roomNid: number]>(
  'test.receive-all.threads',
  'select distinct r.event_id from events e join events r on r.event_nid = e.thread_nid where e.room_nid = $1',
);
