import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  entriesOf,
  findRoomVersion,
  resolveStates,
  stateMapOf,
  type RoomEvent,
  type RoomVersionRules,
  type StateMap,
} from '@portico/protocol';
import { slowResolve } from '@portico/testkit/slow-resolution.ts';
import { toEvent, type VectorEvent } from './auth-cases.ts';
import { readVectors } from './vector-file.ts';

type StateFile = {
  readonly room: readonly VectorEvent[];
  readonly cases: readonly {
    readonly name: string;
    readonly roomVersions: readonly string[];
    readonly events: readonly VectorEvent[];
    readonly states: readonly (readonly string[])[];
    readonly resolved: readonly string[];
  }[];
};

type Resolve = (
  rules: RoomVersionRules,
  states: readonly StateMap[],
  event: (eventId: string) => RoomEvent | undefined,
) => StateMap;

const implementations: Readonly<Record<string, Resolve>> = {
  resolution: resolveStates,
  'slow resolution': slowResolve,
};

for (const file of ['versions-1-to-11', 'version-12']) {
  const { room, cases } = readVectors(`state-resolution/${file}.json`) as StateFile;
  for (const { name, roomVersions, events, states, resolved } of cases) {
    for (const [kind, resolve] of Object.entries(implementations)) {
      test(`${kind}: ${name} (versions ${roomVersions.join(', ')})`, () => {
        for (const version of roomVersions) {
          const rules = findRoomVersion(version);
          assert.ok(rules);
          const known = new Map([...room, ...events].map((event) => [event.event_id, toEvent(rules, event)] as const));
          const maps = states.map((state) => stateMapOf(state.map((eventId) => entryOf(known.get(eventId)))));
          const result = resolve(rules, maps, (eventId) => known.get(eventId));
          const eventIds = [...entriesOf(result)].map(([, , eventId]) => eventId);
          assert.deepEqual(eventIds.toSorted(), resolved.toSorted(), `in version ${version}`);
        }
      });
    }
  }
}

function entryOf(event: RoomEvent | undefined): readonly [type: string, stateKey: string, eventId: string] {
  assert.ok(event?.stateKey !== undefined);
  return [event.type, event.stateKey, event.eventId];
}
