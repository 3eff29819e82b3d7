import assert from 'node:assert/strict';
import { copyFileSync, existsSync } from 'node:fs';
import { test, type TestContext } from 'node:test';
import { findRoomVersion, parsePdu, toRoomEvent } from '@portico/protocol';
import { type Database, openDatabase, sql } from '@portico/storage';
import { openFor, temporarySqlite } from '@portico/testkit';
import { openTestRooms, type TestRooms } from '@portico/testkit/rooms.ts';

type PduRow = { readonly event_id: string; readonly pdu: string };
type Server = TestRooms & { readonly db: Database };

const selectNewPdus = sql<PduRow, [roomId: string, after: number]>(
  'test.fork-and-merge.new-pdus',
  `select event_id, before_content || content || after_content as pdu from events
   where room_nid = (select room_nid from rooms where room_id = $1) and stream_position > $2 order by room_order`,
);

const selectState = sql<{ type: string; state_key: string; event_id: string }, [roomId: string]>(
  'test.fork-and-merge.state',
  `select s.type, s.state_key, e.event_id from current_state s join events e on e.event_nid = s.event_nid
   where s.room_nid = (select room_nid from rooms where room_id = $1) order by s.type, s.state_key`,
);

const selectMembers = sql<{ user_id: string; membership: string }, [roomId: string]>(
  'test.fork-and-merge.members',
  `select user_id, membership from memberships
   where room_nid = (select room_nid from rooms where room_id = $1) order by user_id`,
);

const selectRoom = sql<
  { room_nid: number; create_event_nid: number; extremities: string; joined_count: number },
  [roomId: string]
>(
  'test.fork-and-merge.room',
  'select room_nid, create_event_nid, extremities, joined_count from rooms where room_id = $1',
);

const alice = { userId: '@alice:a', deviceId: 'A' };
const bob = { userId: '@bob:b', deviceId: 'B' };
const carol = { userId: '@carol:b', deviceId: 'C' };
const join = { reason: undefined, via: [] };

/** Two servers that have the same room with people of both, and do not hear of each other. */
async function partition(context: TestContext, version: string) {
  const url = temporarySqlite(context);
  const common = await openDatabase({ url, durability: 'relaxed' });
  const options = { roomVersion: version };
  const { rooms } = await openTestRooms(common, { ...options, serverName: 'a' });
  const power = { users: { '@bob:b': 50, ...(version === '12' ? {} : { '@alice:a': 100 }) } };
  const roomId = await rooms.create(alice, { preset: 'public_chat', power_level_content_override: power });
  const guests = await openTestRooms(common, { ...options, serverName: 'b' });
  await guests.rooms.join(bob, roomId, join);
  await guests.rooms.join(carol, roomId, join);
  await common.close();
  const copy = temporarySqlite(context);
  for (const suffix of ['', '-wal']) {
    const [from, to] = [url, copy].map((each) => `${each.slice('sqlite:'.length)}${suffix}`);
    if (existsSync(from ?? '')) copyFileSync(from ?? '', to ?? '');
  }
  const open = async (at: string, serverName: string): Promise<Server> => {
    const db = await openFor(context, at);
    return { db, ...(await openTestRooms(db, { ...options, serverName })) };
  };
  return { roomId, a: await open(url, 'a'), b: await open(copy, 'b') };
}

async function deliver(pdus: readonly PduRow[], to: Server, roomId: string, version: string): Promise<string[]> {
  const rules = findRoomVersion(version);
  const room = await to.db.get(selectRoom, [roomId]);
  assert.ok(rules !== undefined && room !== undefined);
  const outcomes: string[] = [];
  for (const { event_id: eventId, pdu } of pdus) {
    const parsed = parsePdu(rules, pdu);
    assert.equal(parsed.kind, 'ok');
    const event = toRoomEvent(rules, parsed.pdu, eventId, { rejected: false });
    const receiving = { roomNid: room.room_nid, rules, createEventNid: room.create_event_nid };
    outcomes.push((await to.rooms.receiver.receive(receiving, { event, pieces: parsed.pieces })).kind);
  }
  return outcomes;
}

/** Lets both hear of all the other one did meanwhile. */
async function heal(a: Server, b: Server, since: { a: number; b: number }, roomId: string, version: string) {
  const fromA = await a.db.all(selectNewPdus, [roomId, since.a]);
  const fromB = await b.db.all(selectNewPdus, [roomId, since.b]);
  return { atB: await deliver(fromA, b, roomId, version), atA: await deliver(fromB, a, roomId, version) };
}

async function assertSame(a: Server, b: Server, roomId: string): Promise<void> {
  assert.deepEqual(await a.db.all(selectState, [roomId]), await b.db.all(selectState, [roomId]));
  assert.deepEqual(await a.db.all(selectMembers, [roomId]), await b.db.all(selectMembers, [roomId]));
  const joined = (await a.db.all(selectMembers, [roomId])).filter(({ membership }) => membership === 'join').length;
  assert.equal((await a.db.get(selectRoom, [roomId]))?.joined_count, joined);
  assert.equal((await b.db.get(selectRoom, [roomId]))?.joined_count, joined);
}

for (const version of ['10', '11', '12']) {
  test(`branches of a room are merged to the same state on both servers (version ${version})`, async (context) => {
    const { a, b, roomId } = await partition(context, version);
    const since = { a: a.db.currentPosition(), b: b.db.currentPosition() };
    await a.rooms.setState(alice, roomId, 'm.room.name', '', { name: 'by alice' });
    await a.rooms.ban(alice, roomId, carol.userId, undefined);
    await a.rooms.send(alice, roomId, 'm.room.message', '1', { body: 'on a' });
    await b.rooms.setState(bob, roomId, 'm.room.name', '', { name: 'by bob' });
    await b.rooms.send(carol, roomId, 'm.room.message', '1', { body: 'by carol, who does not know of the ban' });
    await b.rooms.setState(bob, roomId, 'm.room.topic', '', { topic: 'by bob' });

    const { atA, atB } = await heal(a, b, since, roomId, version);
    assert.deepEqual(atB, ['accepted', 'accepted', 'accepted']);
    // Carol is banned where alice's server stands by then: her message is kept, but not shown.
    assert.deepEqual(atA, ['accepted', 'soft-failed', 'accepted']);
    await assertSame(a, b, roomId);
    const members = new Map((await b.db.all(selectMembers, [roomId])).map((row) => [row.user_id, row.membership]));
    assert.equal(members.get(carol.userId), 'ban');

    const merged = { a: a.db.currentPosition(), b: b.db.currentPosition() };
    await a.rooms.send(alice, roomId, 'm.room.message', '2', { body: 'merges' });
    await heal(a, b, merged, roomId, version);
    await assertSame(a, b, roomId);
    assert.equal((JSON.parse((await b.db.get(selectRoom, [roomId]))?.extremities ?? '[]') as unknown[]).length, 1);
  });
}

test('an event that the room did not allow is rejected, and stays out of the state', async (context) => {
  const { a, b, roomId } = await partition(context, '11');
  const start = b.db.currentPosition();
  await b.rooms.setState(bob, roomId, 'm.room.name', '', { name: 'by bob' });
  const [honest] = await b.db.all(selectNewPdus, [roomId, start]);
  assert.ok(honest);
  // Carol has no power to name the room. Signatures are checked before events come here.
  const forged = honest.pdu.replaceAll('@bob:b', '@carol:b');
  const outcome = await deliver([{ event_id: '$forged', pdu: forged }], a, roomId, '11');
  assert.deepEqual(outcome, ['rejected']);
  assert.equal((await a.db.all(selectState, [roomId])).filter(({ type }) => type === 'm.room.name').length, 0);
  assert.deepEqual(await deliver([honest], a, roomId, '11'), ['accepted']);
  assert.deepEqual(await deliver([honest], a, roomId, '11'), ['known']);
});
