import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { nothingRequired } from '@portico/protocol/sliding-sync/required-state.ts';
import type { UserRoom } from '../sync/online-index.ts';
import type { Moves } from '../sync/plan.ts';
import type { Candidate } from './candidate.ts';
import type { SentRoom } from './connection-state.ts';
import { makeSlidingPlan } from './plan.ts';

/** More rooms with more of the past than one answer holds, in all of which something has happened. */
const count = 60;
const since = 100;

function candidate(nid: number): Candidate {
  const id = `!${nid}`;
  const room = {
    nid,
    id,
    users: new Set<never>(),
    history: [since + nid],
    activity: since + nid,
    knownSince: 0,
    streams: new Map<string, number>(),
  };
  const entry: UserRoom = { room, nid, id, membership: 'join', eventNid: nid, order: nid, position: 1 };
  return {
    nid,
    id,
    membership: 'join',
    activity: room.activity,
    position: 1,
    entry,
    departed: undefined,
    isLast: false,
  };
}

const known: SentRoom = {
  sentTo: 'live',
  limit: 1,
  membership: 'join',
  isDm: false,
  state: nothingRequired,
  behind: '',
};

function plan(moves: ReadonlyMap<number, Moves>) {
  const rooms = Array.from({ length: count }, (_, nid) => candidate(nid));
  const config = { limit: 200, state: nothingRequired };
  const wanted = rooms.map((room) => ({ room, lists: ['a'], isSubscribed: false, config }));
  const sent = new Map(rooms.map(({ nid }) => [nid, known]));
  return makeSlidingPlan(rooms, { rooms: wanted, matched: new Set(rooms), counts: new Map() }, sent, {
    since,
    moves,
    ends: new Map(),
    direct: new Set(),
  });
}

describe('more than one answer of sliding sync holds', () => {
  test('what happened in the rooms that wait for the next answer is not taken for told', () => {
    const { joined, paused, isComplete } = plan(new Map());
    assert.equal(isComplete, false);
    assert.ok(joined.length < count);
    for (let nid = joined.length; nid < count; nid++) assert.deepEqual(paused.get(nid), { ...known, sentTo: since });
    assert.equal(paused.size, count - joined.length);
  });

  test('a room that was left meanwhile is then a new one', () => {
    const last = count - 1;
    const { paused } = plan(new Map([[last, { left: true } as Moves]]));
    assert.equal(paused.get(last)?.membership, undefined);
    assert.equal(paused.has(last), true);
  });
});
