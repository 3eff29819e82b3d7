import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sql } from '@portico/storage';
import { alice, bob, carol, deliver, newPdus, type PartitionedServer, partition } from '@portico/testkit/partition.ts';

type Server = PartitionedServer;

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

const selectRoom = sql<{ extremities: string; joined_count: number }, [roomId: string]>(
  'test.fork-and-merge.room',
  'select extremities, joined_count from rooms where room_id = $1',
);

/** Lets both hear of all the other one did meanwhile. */
async function heal(a: Server, b: Server, since: { a: number; b: number }, roomId: string, version: string) {
  const fromA = await newPdus(a, roomId, since.a);
  const fromB = await newPdus(b, roomId, since.b);
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

for (const version of ['10', '12']) {
  test(`who leaves while others change the power levels has left on both servers (version ${version})`, async (context) => {
    const { a, b, roomId } = await partition(context, version);
    const since = { a: a.db.currentPosition(), b: b.db.currentPosition() };
    const powers = version === '12' ? { [bob.userId]: 100 } : { [alice.userId]: 100, [bob.userId]: 100 };
    await a.rooms.setState(alice, roomId, 'm.room.power_levels', '', { users: powers, invite: 100 });
    await b.rooms.leave(carol, roomId, undefined);

    const { atA, atB } = await heal(a, b, since, roomId, version);
    assert.deepEqual([atA, atB], [['accepted'], ['accepted']]);
    await assertSame(a, b, roomId);
    const members = new Map((await a.db.all(selectMembers, [roomId])).map((row) => [row.user_id, row.membership]));
    assert.equal(members.get(carol.userId), 'leave');
  });
}

test('branches with many events under the same power levels are merged', async (context) => {
  const { a, b, roomId } = await partition(context, '11');
  const since = { a: a.db.currentPosition(), b: b.db.currentPosition() };
  await a.rooms.setState(alice, roomId, 'm.room.power_levels', '', { users: { [alice.userId]: 100 } });
  for (let guest = 0; guest < 50; guest++) {
    const actor = { userId: `@guest${guest}:b`, deviceId: 'G' };
    await b.rooms.join(actor, roomId, { reason: undefined, via: [] });
  }
  const { atA, atB } = await heal(a, b, since, roomId, '11');
  assert.deepEqual(new Set([...atA, ...atB]), new Set(['accepted']));
  await assertSame(a, b, roomId);
});

test('an event that the room did not allow is rejected, and stays out of the state', async (context) => {
  const { a, b, roomId } = await partition(context, '11');
  const start = b.db.currentPosition();
  await b.rooms.setState(bob, roomId, 'm.room.name', '', { name: 'by bob' });
  const [honest] = await newPdus(b, roomId, start);
  assert.ok(honest);
  // Carol has no power to name the room. Signatures are checked before events come here.
  const forged = honest.pdu.replaceAll('@bob:b', '@carol:b');
  const outcome = await deliver([{ event_id: '$forged', pdu: forged }], a, roomId, '11');
  assert.deepEqual(outcome, ['rejected']);
  assert.equal((await a.db.all(selectState, [roomId])).filter(({ type }) => type === 'm.room.name').length, 0);
  assert.deepEqual(await deliver([honest], a, roomId, '11'), ['accepted']);
  assert.deepEqual(await deliver([honest], a, roomId, '11'), ['known']);
});

const selectStripped = sql<{ events: string }, [userId: string]>(
  'test.fork-and-merge.stripped',
  'select events from stripped_states where user_id = $1',
);

test('whom another server invites gets to see what the room is', async (context) => {
  const { a, b, roomId } = await partition(context, '12');
  const start = b.db.currentPosition();
  await b.rooms.invite(bob, roomId, '@dave:a', undefined);
  assert.deepEqual(await deliver(await newPdus(b, roomId, start), a, roomId, '12'), ['accepted']);
  const stripped = await a.db.get(selectStripped, ['@dave:a']);
  const types = (JSON.parse(stripped?.events ?? '[]') as { type: string }[]).map(({ type }) => type);
  assert.deepEqual(types.toSorted(), ['m.room.create', 'm.room.join_rules', 'm.room.member', 'm.room.member']);
});

test('an event that follows events of another room, or none, gets no place', async (context) => {
  for (const version of ['2', '6', '11', '12']) {
    const { a, b, roomId } = await partition(context, version);
    const other = await a.rooms.create(alice, { preset: 'public_chat' });
    const [first] = await newPdus(a, other, 0);
    const start = b.db.currentPosition();
    await b.rooms.send(bob, roomId, 'm.room.message', '1', { body: 'honest' });
    const [honest] = await newPdus(b, roomId, start);
    assert.ok(first !== undefined && honest !== undefined);
    const pdu = JSON.parse(honest.pdu) as Record<string, unknown>;
    const elsewhere = version === '2' ? [[first.event_id, {}]] : [first.event_id];
    const before = await a.db.all(selectState, [roomId]);
    for (const [index, prev] of [elsewhere, []].entries()) {
      const eventId = version === '2' ? `$misplaced${index}:b` : `$misplaced${index}`;
      const forged = JSON.stringify({ ...pdu, prev_events: prev, ...(version === '2' && { event_id: eventId }) });
      assert.deepEqual(await deliver([{ event_id: eventId, pdu: forged }], a, roomId, version), ['rejected']);
    }
    assert.deepEqual(await a.db.all(selectState, [roomId]), before);
    assert.equal((JSON.parse((await a.db.get(selectRoom, [roomId]))?.extremities ?? '[]') as unknown[]).length, 1);
  }
});
