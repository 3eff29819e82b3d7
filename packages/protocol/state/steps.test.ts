import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RoomEvent } from '../events/pdu.ts';
import { findRoomVersion } from '../room-versions/registry.ts';
import type { RoomVersionRules } from '../room-versions/rules.ts';
import { authChain, authDifference } from './auth-difference.ts';
import { conflictedSubgraph } from './conflicted-subgraph.ts';
import { iterativeAuthChecks } from './iterative-auth-checks.ts';
import { isPowerEvent, selectPowerEvents } from './power-events.ts';
import { reverseTopologicalPowerSort } from './reverse-topological-power-sort.ts';
import { splitConflicted } from './split-conflicted.ts';
import { entriesOf, stateMapOf } from './state-map.ts';
import { runSteps } from '../steps.ts';

const alice = '@alice:a.example';
const bob = '@bob:b.example';

function event(eventId: string, authEvents: readonly string[], fields: Partial<RoomEvent> = {}): RoomEvent {
  return {
    eventId,
    roomId: '!create',
    type: 'm.room.name',
    sender: alice,
    stateKey: '',
    content: {},
    originServerTs: 0,
    depth: 0,
    prevEvents: ['previous'],
    authEvents,
    redacts: undefined,
    rejected: false,
    ...fields,
  };
}

function byId(events: readonly RoomEvent[]): ReadonlyMap<string, RoomEvent> {
  return new Map(events.map((entry) => [entry.eventId, entry]));
}

// a ← b ← c ← e
//      ↖ d ← f
const graph = byId([
  event('a', []),
  event('b', ['a']),
  event('c', ['b']),
  event('d', ['b']),
  event('e', ['c', 'a']),
  event('f', ['d', 'unknown']),
]);
const find = (eventId: string): RoomEvent | undefined => graph.get(eventId);

test('an entry is in conflict unless all states have the same', () => {
  const one = stateMapOf([
    ['t', 'same', 'a'],
    ['t', 'other', 'b'],
    ['t', 'missing', 'c'],
  ]);
  const two = stateMapOf([
    ['t', 'same', 'a'],
    ['t', 'other', 'd'],
  ]);
  const { unconflicted, conflicts } = splitConflicted([one, two]);
  assert.deepEqual([...entriesOf(unconflicted)], [['t', 'same', 'a']]);
  assert.deepEqual(conflicts, [
    { type: 't', stateKey: 'other', eventIds: ['b', 'd'], missingInSome: false },
    { type: 't', stateKey: 'missing', eventIds: ['c'], missingInSome: true },
  ]);
});

test('types and state keys that would run together stay apart', () => {
  const { conflicts } = splitConflicted([stateMapOf([['a\0b', 'c', '1']]), stateMapOf([['a', 'b\0c', '2']])]);
  assert.equal(conflicts.length, 2);
});

test('an auth chain leads back to the start, without the event itself', () => {
  assert.deepEqual([...authChain(['e'], find)].toSorted(), ['a', 'b', 'c']);
  assert.deepEqual([...authChain(['f'], find)].toSorted(), ['a', 'b', 'd', 'unknown']);
});

test('the auth difference is what is not in every chain', () => {
  assert.deepEqual([...authDifference([['e'], ['f']], find)].toSorted(), ['c', 'd', 'e', 'f', 'unknown']);
  assert.deepEqual([...authDifference([['e'], ['c']], find)].toSorted(), ['e']);
  assert.deepEqual([...authDifference([['e'], ['e']], find)], []);
});

test('the conflicted subgraph is what lies between conflicted events, these included', () => {
  assert.deepEqual([...conflictedSubgraph(['e', 'b'], find)].toSorted(), ['b', 'c', 'e']);
  assert.deepEqual([...conflictedSubgraph(['e', 'f'], find)].toSorted(), ['e', 'f']);
  assert.deepEqual([...conflictedSubgraph(['e', 'f', 'a'], find)].toSorted(), ['a', 'b', 'c', 'd', 'e', 'f']);
});

test('power events take something away from others', () => {
  const member = (membership: string, stateKey: string): RoomEvent =>
    event('m', [], { type: 'm.room.member', stateKey, content: { membership } });
  assert.ok(isPowerEvent(event('p', [], { type: 'm.room.power_levels' })));
  assert.ok(isPowerEvent(event('j', [], { type: 'm.room.join_rules' })));
  assert.ok(isPowerEvent(member('ban', bob)));
  assert.ok(isPowerEvent(member('leave', bob)));
  assert.ok(!isPowerEvent(member('leave', alice)));
  assert.ok(!isPowerEvent(member('invite', bob)));
  assert.ok(!isPowerEvent(event('p', [], { type: 'm.room.power_levels', stateKey: 'other' })));
  assert.ok(!isPowerEvent(event('n', [])));
});

test('power events bring what leads to them', () => {
  const full = byId(
    [...graph.values(), event('p', ['c'], { type: 'm.room.power_levels' })].filter((e) => e.eventId !== 'a'),
  );
  assert.deepEqual([...runSteps(selectPowerEvents(full)).keys()].toSorted(), ['b', 'c', 'p']);
});

test('the power ordering puts auth events first, then power, then time, then ID', () => {
  const events = byId([
    event('late', [], { originServerTs: 2 }),
    event('z-early', [], { originServerTs: 1 }),
    event('a-early', [], { originServerTs: 1 }),
    event('follows', ['late'], { sender: bob }),
    event('powerful', [], { sender: bob, originServerTs: 9 }),
  ]);
  const sorted = runSteps(reverseTopologicalPowerSort(events, ({ sender }) => (sender === bob ? Infinity : 0)));
  assert.deepEqual(
    sorted.map(({ eventId }) => eventId),
    ['powerful', 'a-early', 'z-early', 'late', 'follows'],
  );
});

test('what the state lacks comes from the auth events, unless they were rejected', () => {
  const rules = findRoomVersion('11') as RoomVersionRules;
  const create = event('create', [], { type: 'm.room.create' });
  const join = event('join', ['create'], { type: 'm.room.member', stateKey: alice, content: { membership: 'join' } });
  const name = event('name', ['create', 'join']);
  const resolve = (joinEvent: RoomEvent): readonly string[] => {
    const known = byId([create, joinEvent, name]);
    const state = stateMapOf<RoomEvent>([]);
    const context = { rules, create: undefined, base: () => undefined, event: (id: string) => known.get(id) };
    runSteps(iterativeAuthChecks(context, [name], state));
    return [...entriesOf(state)].map(([, , { eventId }]) => eventId);
  };
  assert.deepEqual(resolve(join), ['name']);
  assert.deepEqual(resolve({ ...join, rejected: true }), []);
});
