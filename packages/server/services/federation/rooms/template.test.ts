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
import { maxPrevEvents } from '@portico/protocol/events/limits.ts';
import { sql } from '@portico/storage';
import { alice, bob, partition } from '@portico/testkit/partition.ts';
import type { ReceivedEvent } from '../../rooms/receiving/received-event.ts';
import { makeTemplate } from './template.ts';

const selectRoom = sql<
  { room_nid: number; create_event_nid: number; extremities: string; max_depth: number },
  [roomId: string]
>('test.template.room', 'select room_nid, create_event_nid, extremities, max_depth from rooms where room_id = $1');
const selectState = sql<{ type: string; state_key: string; event_id: string }, [roomId: string]>(
  'test.template.state',
  `select s.type, s.state_key, e.event_id from current_state s join events e on e.event_nid = s.event_nid
   where s.room_nid = (select room_nid from rooms where room_id = $1)`,
);

test('who cannot join where the branches lead that a template names is not given one', async (context) => {
  const { a, roomId } = await partition(context, '11');
  const rules = findRoomVersion('11');
  const row = await a.db.get(selectRoom, [roomId]);
  assert.ok(rules !== undefined && row !== undefined);
  const state = await a.db.all(selectState, [roomId]);
  const [[tip]] = JSON.parse(row.extremities) as [[string]];
  const key = signingKeyFromSeed('ed25519:test', randomBytes(32));
  const levels = { users: { [alice.userId]: 100, [bob.userId]: 50 } };
  let made = 0;
  const make = (
    sender: string,
    type: string,
    stateKey: string | undefined,
    content: JsonObject,
    previous = tip,
  ): ReceivedEvent => {
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
  const { merger, readState, references, importing } = a.rooms;
  const joiner = '@guest:c';
  const template = () =>
    makeTemplate({ ...importing, merger, readState, references, now: Date.now }, row.room_nid, {
      sender: joiner,
      userId: joiner,
      content: { membership: 'join' },
    });

  // The branch with the newest power levels is the one where the room is closed, by somebody who is banned on another one.
  const closed = make(bob.userId, 'm.room.join_rules', '', { join_rule: 'invite' });
  const raised = make(alice.userId, 'm.room.power_levels', '', levels, closed.event.eventId);
  const ban = make(alice.userId, 'm.room.member', bob.userId, { membership: 'ban' });
  const others = Array.from({ length: maxPrevEvents }, (_, index) =>
    make(alice.userId, 'm.room.message', undefined, { body: `${index}` }),
  );
  await receive([closed, raised, ban, ...others]);
  const now = await readState(row.room_nid, [['m.room.join_rules', '']]);
  assert.equal(now.state('m.room.join_rules')?.content['join_rule'], 'public');
  await assert.rejects(template(), { reason: 'forbidden' });
  // It is everywhere that one can join once the room goes on as one.
  for (const body of ['one', 'two']) await a.rooms.send(alice, roomId, 'm.room.message', body, { body });
  assert.equal(((await template()).event['prev_events'] as string[]).length, 1);
});
