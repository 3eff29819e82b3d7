import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import {
  authEventKeys,
  buildEvent,
  findRoomVersion,
  parsePdu,
  signingKeyFromSeed,
  toRoomEvent,
} from '@portico/protocol';
import { maxPrevEvents } from '@portico/protocol/events/limits.ts';
import { sql } from '@portico/storage';
import { bob, partition } from '@portico/testkit/partition.ts';
import type { ReceivedEvent } from './received-event.ts';

const selectRoom = sql<
  { room_nid: number; create_event_nid: number; extremities: string; max_depth: number },
  [roomId: string]
>('test.far-behind.room', 'select room_nid, create_event_nid, extremities, max_depth from rooms where room_id = $1');
const selectState = sql<{ type: string; state_key: string; event_id: string }, [roomId: string]>(
  'test.far-behind.state',
  `select s.type, s.state_key, e.event_id from current_state s join events e on e.event_nid = s.event_nid
   where s.room_nid = (select room_nid from rooms where room_id = $1)`,
);

test('who speaks everywhere in what a large room was once makes only as many branches as can be afforded', async (context) => {
  const { a, roomId } = await partition(context, '11');
  const rules = findRoomVersion('11');
  const row = await a.db.get(selectRoom, [roomId]);
  assert.ok(rules !== undefined && row !== undefined);
  const state = await a.db.all(selectState, [roomId]);
  const [[tip]] = JSON.parse(row.extremities) as [[string]];
  const key = signingKeyFromSeed('ed25519:test', randomBytes(32));
  let made = 0;
  const make = (sender: string, membership: string | undefined, previous: string): ReceivedEvent => {
    const [type, stateKey] = membership === undefined ? ['m.room.message', undefined] : ['m.room.member', sender];
    const content = membership === undefined ? { body: 'here' } : { membership };
    const auth = authEventKeys(rules, { type, stateKey, sender, content });
    const built = buildEvent(
      rules,
      {
        type,
        stateKey,
        sender,
        content,
        roomId,
        originServerTs: Date.now() + made++,
        depth: row.max_depth + made,
        prevEvents: [previous],
        authEvents: auth.flatMap(
          ([each, of]) => state.find((one) => one.type === each && one.state_key === of)?.event_id ?? [],
        ),
      },
      { serverName: sender.split(':')[1] ?? '', key },
    );
    assert.ok(built.kind === 'ok');
    const parsed = parsePdu(rules, built.pieces.before + built.pieces.content + built.pieces.after);
    assert.ok(parsed.kind === 'ok');
    return { event: toRoomEvent(rules, parsed.pdu, parsed.eventId, { rejected: false }), pieces: parsed.pieces };
  };
  const receiving = { roomNid: row.room_nid, rules, createEventNid: row.create_event_nid };
  const receive = async (events: readonly ReceivedEvent[]) => {
    const results = await a.rooms.receiver.receiveAll(receiving, events);
    assert.deepEqual(new Set(results.map(({ kind }) => kind)), new Set(['accepted']));
  };
  const joins: ReceivedEvent[] = [];
  for (let count = 0; count < 1000; count++) {
    joins.push(make(`@guest${count}:c`, 'join', joins.at(-1)?.event.eventId ?? tip));
  }
  await receive(joins);
  await receive(
    joins.filter((_, index) => index % 10 === 0).map(({ event }) => make(bob.userId, undefined, event.eventId)),
  );
  const { extremities = '[]' } = (await a.db.get(selectRoom, [roomId])) ?? {};
  const left = JSON.parse(extremities) as readonly [string, number, string][];
  assert.ok(left.length >= maxPrevEvents && left.length < 60, `${left.length} branches`);
  assert.equal(left[0]?.[2], 'c', 'it is their own that they lose');
  const now = await a.db.all(selectState, [roomId]);
  assert.equal(now.filter(({ type }) => type === 'm.room.member').length, 1003);
});
