import assert from 'node:assert/strict';
import { findRoomVersion } from '@portico/protocol';
import { sql } from '@portico/storage';
import { onBothEngines } from '@portico/testkit/both-engines.ts';
import { longestTurn } from '@portico/testkit/longest-turn.ts';
import { openTestRooms } from '@portico/testkit/rooms.ts';
import { createPacer } from '../../pacer.ts';
import { createErasedSenders } from '../../reading/erased-senders.ts';
import { createStateEvents } from '../../rooms/state-events.ts';
import { createHideErasedProfiles } from './erased-profiles.ts';
import { readStateIds, statePieces } from './state-before.ts';

const alice = { userId: '@alice:localhost', deviceId: 'A' };
const many = 900;

const selectRoot = sql<{ state_after: number }>(
  'test.state-before.root',
  'select state_after from events where state_after is not null order by event_nid desc limit 1',
);

onBothEngines('a large state is given in short pieces, to many at once in turns', async (db) => {
  const { rooms, states } = await openTestRooms(db, { roomVersion: '11' });
  await rooms.create(alice, {
    initial_state: Array.from({ length: many }, (_, index) => ({
      type: 'org.example',
      state_key: `${index}`,
      content: { text: 'x'.repeat(500) },
    })),
  });
  const rules = findRoomVersion('11');
  const root = (await db.get(selectRoot, []))?.state_after;
  assert.ok(rules && root !== undefined);
  const hideErased = createHideErasedProfiles({ erased: createErasedSenders(db), serverName: 'localhost' });
  const reading = { db, states, stateEvents: createStateEvents(db), hideErased, pace: createPacer() };

  const pieces = await Array.fromAsync(statePieces(reading, rules, root, { name: 'pdus' }));
  const given = JSON.parse(`{${pieces.join('')}}`) as { readonly pdus: unknown[]; readonly auth_chain: unknown[] };
  const { state, authChain } = await readStateIds(reading, rules, root);
  assert.ok(given.pdus.length > many);
  assert.deepEqual([given.pdus.length, given.auth_chain.length], [state.length, authChain.length]);
  assert.ok(pieces.every((piece) => piece.length < pieces.join('').length / 5));

  async function drain(): Promise<void> {
    for await (const _ of statePieces(reading, rules as NonNullable<typeof rules>, root as number, { name: 'pdus' }));
  }
  const longest = await longestTurn(() => Promise.all(Array.from({ length: 50 }, drain)));
  assert.ok(longest < 90, `${longest} ms at once`);
});
