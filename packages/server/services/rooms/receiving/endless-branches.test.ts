import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import {
  authEventKeys,
  buildEvent,
  findRoomVersion,
  type JsonObject,
  parsePdu,
  signingKeyFromSeed,
  toRoomEvent,
} from '@portico/protocol';
import { sql } from '@portico/storage';
import { longestTurn } from '@portico/testkit/longest-turn.ts';
import { alice, bob, partition } from '@portico/testkit/partition.ts';
import { maxBranches } from '../branches.ts';
import type { ReceivedEvent } from './received-event.ts';

const selectRoom = sql<
  { room_nid: number; create_event_nid: number; extremities: string; max_depth: number },
  [roomId: string]
>(
  'test.endless-branches.room',
  'select room_nid, create_event_nid, extremities, max_depth from rooms where room_id = $1',
);
const selectState = sql<{ type: string; state_key: string; event_id: string }, [roomId: string]>(
  'test.endless-branches.state',
  `select s.type, s.state_key, e.event_id from current_state s join events e on e.event_nid = s.event_nid
   where s.room_nid = (select room_nid from rooms where room_id = $1)`,
);

/** Each event of a server that forks a room without end. */
type Draft = { readonly type: string; readonly stateKey: string | undefined; readonly content: JsonObject };
const kinds: Readonly<Record<string, (index: number) => Draft>> = {
  'says something': (index) => ({ type: 'm.room.message', stateKey: undefined, content: { body: `${index}` } }),
  'changes something else': (index) => ({ type: 'org.example.some', stateKey: `${index}`, content: { index } }),
  'changes the same': (index) => ({ type: 'm.room.topic', stateKey: '', content: { topic: `${index}` } }),
  'changes the power levels': (index) => ({
    type: 'm.room.power_levels',
    stateKey: '',
    content: {
      users: { [alice.userId]: 100, [bob.userId]: 50, [`@n${index}:b`]: 10 },
      events: { 'm.room.power_levels': 50 },
    },
  }),
};
/** Twice as many as a room has. */
const many = Number(process.env['PORTICO_TEST_BRANCHES'] ?? 2 * maxBranches);

for (const [what, draftOf] of Object.entries(kinds)) {
  test(`who ${what} on branches without end keeps nobody from the room, nor from what they have changed`, async (context) => {
    const { a, roomId } = await partition(context, '11');
    const rules = findRoomVersion('11');
    assert.ok(rules);
    const powers = { users: { [alice.userId]: 100, [bob.userId]: 50 }, events: { 'm.room.power_levels': 50 } };
    await a.rooms.setState(alice, roomId, 'm.room.power_levels', '', powers);
    const row = await a.db.get(selectRoom, [roomId]);
    assert.ok(row);
    const state = await a.db.all(selectState, [roomId]);
    const receiving = { roomNid: row.room_nid, rules, createEventNid: row.create_event_nid };
    const signer = { serverName: 'b', key: signingKeyFromSeed('ed25519:test', randomBytes(32)) };
    const [[tip]] = JSON.parse(row.extremities) as [[string, number]];
    const make = (draft: Draft): ReceivedEvent => {
      const auth = authEventKeys(rules, { ...draft, sender: bob.userId });
      const built = buildEvent(
        rules,
        {
          ...draft,
          sender: bob.userId,
          roomId,
          originServerTs: Date.now(),
          depth: row.max_depth + 1,
          prevEvents: [tip],
          authEvents: auth.flatMap(
            ([type, key]) => state.find((each) => each.type === type && each.state_key === key)?.event_id ?? [],
          ),
        },
        signer,
      );
      assert.ok(built.kind === 'ok');
      const parsed = parsePdu(rules, built.pieces.before + built.pieces.content + built.pieces.after);
      assert.ok(parsed.kind === 'ok');
      return { event: toRoomEvent(rules, parsed.pdu, parsed.eventId, { rejected: false }), pieces: parsed.pieces };
    };
    await a.rooms.setState(alice, roomId, 'm.room.name', '', { name: 'of alice' });
    const branches = Array.from({ length: many }, (_, index) => make(draftOf(index)));
    const extremities = async () =>
      JSON.parse((await a.db.get(selectRoom, [roomId]))?.extremities ?? '[]') as [string, number, string][];
    const longest = await longestTurn(async () => {
      const received = a.rooms.receiver.receiveAll(receiving, branches.slice(0, many / 2));
      const flood = { isOver: false };
      const over = received.finally(() => (flood.isOver = true));
      for (let count = 0; !flood.isOver; count++) {
        await a.rooms.send(alice, roomId, 'm.room.message', `${count}`, { body: 'I am still here' });
      }
      // Then nobody here says anything for a while.
      const results = [...(await over), ...(await a.rooms.receiver.receiveAll(receiving, branches.slice(many / 2)))];
      assert.deepEqual(new Set(results.map(({ kind }) => kind)), new Set(['accepted']));
    });
    assert.equal((await extremities()).length, maxBranches);
    assert.ok(longest < 120, `${longest} ms at once`);
    const stateNow = await a.db.all(selectState, [roomId]);
    assert.ok(stateNow.some(({ type }) => type === 'm.room.name'));
    // Whoever says something leaves fewer of them, in the end one.
    for (let before = maxBranches, count = 0; before > 1; count++) {
      await a.rooms.send(alice, roomId, 'm.room.message', `further ${count}`, { body: 'on' });
      const after = (await extremities()).length;
      assert.equal(after, Math.max(before - 19, 1));
      before = after;
    }
  });
}
