import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildRoom, steps } from '@portico/testkit/random-room.ts';
import * as fc from 'fast-check';
import type { RoomEvent } from '../events/pdu.ts';
import { roomVersions } from '../room-versions/registry.ts';
import type { RoomVersionRules } from '../room-versions/rules.ts';
import { authDifference } from './auth-difference.ts';
import { conflictedSubgraph } from './conflicted-subgraph.ts';
import type { MainlinePositions, Resolution, ResolutionInput } from './resolution.ts';
import { mainlinePositions, powerLevelsOf } from './mainline.ts';
import { resolveStates } from './resolve-states.ts';
import { resolveConflicts } from './resolve.ts';
import { splitConflicted } from './split-conflicted.ts';
import { entriesOf, getEntry, setEntry, stateMapOf, type StateMap } from './state-map.ts';

type Find = (eventId: string) => RoomEvent | undefined;

/** Resolves knowing nothing at first but what differs, and afterwards only what was asked for. */
function resolveByAsking(rules: RoomVersionRules, states: readonly StateMap[], find: Find): StateMap {
  const { unconflicted, conflicts } = splitConflicted(states);
  const eventIds = states.map((state) => [...entriesOf(state)].map(([, , eventId]) => eventId));
  const known = new Map<string, RoomEvent | null>();
  const mainlines = new Map<string, MainlinePositions>();
  const looked = stateMapOf<string | null>([]);
  const input: ResolutionInput = {
    conflicts,
    unconflicted: (type, stateKey) => getEntry(looked, type, stateKey),
    event: (eventId) => known.get(eventId),
    mainlinePositions: (...question) => mainlines.get(JSON.stringify(question)),
    authDifference: authDifference(eventIds, find),
    conflictedSubgraph: conflictedSubgraph(
      conflicts.flatMap((conflict) => conflict.eventIds),
      find,
    ),
  };
  let resolution: Resolution = resolveConflicts(rules, input);
  while (resolution.kind === 'need') {
    const { events, unconflicted: keys, mainline } = resolution;
    assert.ok(events.length + keys.length > 0 || mainline !== undefined, 'needs something');
    for (const eventId of events) {
      assert.ok(!known.has(eventId), 'asks for an event once');
      known.set(eventId, find(eventId) ?? null);
    }
    for (const [type, stateKey] of keys) {
      assert.equal(getEntry(looked, type, stateKey), undefined, 'asks for an entry once');
      setEntry(looked, type, stateKey, getEntry(unconflicted, type, stateKey) ?? null);
    }
    if (mainline !== undefined) {
      const { powerLevels, bases } = mainline;
      const key = JSON.stringify([powerLevels, bases]);
      assert.ok(!mainlines.has(key), 'asks for positions once');
      mainlines.set(
        key,
        mainlinePositions(powerLevels, bases, (eventId) => powerLevelsOf(eventId, find)),
      );
    }
    resolution = resolveConflicts(rules, input);
  }
  const state = stateMapOf(entriesOf(unconflicted));
  for (const { type, stateKey, eventId } of resolution.entries) {
    if (eventId !== undefined) setEntry(state, type, stateKey, eventId);
  }
  return state;
}

function flat(state: StateMap): readonly string[] {
  return [...entriesOf(state)].map((entry) => JSON.stringify(entry)).toSorted();
}

for (const rules of roomVersions.filter(({ version }) => ['1', '10', '12'].includes(version))) {
  test(`room version ${rules.version}: given only what it asks for, a resolution comes out the same`, () => {
    fc.assert(
      fc.property(steps(40), (plan) => {
        buildRoom(rules, plan, (_, states, find) => {
          const resolved = resolveStates(rules, states, find);
          assert.deepEqual(flat(resolveByAsking(rules, states, find)), flat(resolved));
          return resolved;
        });
      }),
      { numRuns: 100 },
    );
  });

  test(`room version ${rules.version}: every order of delivery that the graph allows gives the same states`, () => {
    fc.assert(
      fc.property(steps(40), fc.array(fc.nat(), { minLength: 60, maxLength: 60 }), (plan, choices) => {
        const room = buildRoom(rules, plan, resolveStates);
        const after = new Map<string, StateMap>();
        const find: Find = (eventId) => (after.has(eventId) ? room.events.get(eventId) : undefined);
        for (const choice of choices) {
          const ready = [...room.events.values()].filter(
            (event) => !after.has(event.eventId) && event.prevEvents.every((eventId) => after.has(eventId)),
          );
          const event = ready[choice % ready.length];
          if (event === undefined) break;
          const states = event.prevEvents.toReversed().map((eventId) => after.get(eventId) ?? new Map());
          const state = stateMapOf(entriesOf(resolveStates(rules, states.length === 0 ? [new Map()] : states, find)));
          if (event.stateKey !== undefined) setEntry(state, event.type, event.stateKey, event.eventId);
          after.set(event.eventId, state);
          assert.deepEqual(flat(state), flat(room.stateAfter.get(event.eventId) ?? new Map()));
        }
      }),
      { numRuns: 100 },
    );
  });
}
