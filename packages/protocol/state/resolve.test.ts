import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildRoom, steps, type RandomRoom } from '@portico/testkit/random-room.ts';
import { slowResolve } from '@portico/testkit/slow-resolution.ts';
import * as fc from 'fast-check';
import type { RoomEvent } from '../events/pdu.ts';
import { roomVersions } from '../room-versions/registry.ts';
import { resolveStates } from './resolve-states.ts';
import { entriesOf, type StateMap } from './state-map.ts';

/** Each version of the algorithm, with the rules of a version of rooms that has most of what may conflict. */
const versions = roomVersions.filter(({ version }) => ['1', '2', '6', '10', '11', '12'].includes(version));
const numRuns = Number(process.env['PORTICO_PROPERTY_RUNS'] ?? 300);

function flat(state: StateMap): readonly string[] {
  return [...entriesOf(state)].map((entry) => JSON.stringify(entry)).toSorted();
}

function find(room: RandomRoom): (eventId: string) => RoomEvent | undefined {
  return (eventId) => room.events.get(eventId);
}

/** The states after a few events of the room, the last among them. */
function someStates(room: RandomRoom, picks: readonly number[]): readonly StateMap[] {
  const states = [...room.stateAfter.values()];
  return [0, ...picks].map((back) => states[Math.max(0, states.length - 1 - back)] ?? new Map());
}

const picks = fc.array(fc.nat({ max: 12 }), { minLength: 1, maxLength: 3 });

for (const rules of versions) {
  test(`room version ${rules.version}: states resolve as a literal reading of the text has it`, () => {
    fc.assert(
      fc.property(steps(40), picks, (plan, chosen) => {
        const room = buildRoom(rules, plan, resolveStates);
        const states = someStates(room, chosen);
        assert.deepEqual(flat(resolveStates(rules, states, find(room))), flat(slowResolve(rules, states, find(room))));
      }),
      { numRuns },
    );
  });

  test(`room version ${rules.version}: neither the order nor the number of times that states are given matters`, () => {
    fc.assert(
      fc.property(steps(40), picks, (plan, chosen) => {
        const room = buildRoom(rules, plan, resolveStates);
        const states = someStates(room, chosen);
        const resolved = flat(resolveStates(rules, states, find(room)));
        assert.deepEqual(flat(resolveStates(rules, states.toReversed(), find(room))), resolved);
        assert.deepEqual(flat(resolveStates(rules, [...states, ...states.slice(1)], find(room))), resolved);
      }),
      { numRuns },
    );
  });
}
