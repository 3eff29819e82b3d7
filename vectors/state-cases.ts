import { findRoomVersion, stateMapOf, type RoomEvent, type RoomVersionRules, type StateMap } from '@portico/protocol';
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

export type StateCase = {
  readonly name: string;
  readonly rules: RoomVersionRules;
  readonly events: ReadonlyMap<string, RoomEvent>;
  readonly states: readonly StateMap[];
  /** Event IDs. */
  readonly resolved: readonly string[];
};

/** One for each room version of a case. */
export function readStateCases(): readonly StateCase[] {
  return ['versions-1-to-11', 'version-12'].flatMap((file) => {
    const { room, cases } = readVectors(`state-resolution/${file}.json`) as StateFile;
    return cases.flatMap(({ name, roomVersions, events, states, resolved }) =>
      roomVersions.map((version): StateCase => {
        const rules = findRoomVersion(version);
        if (rules === undefined) throw new RangeError(`There is no room version ${version}`);
        const known = new Map([...room, ...events].map((event) => [event.event_id, toEvent(rules, event)]));
        const maps = states.map((state) => stateMapOf(state.map((eventId) => entryOf(known, eventId))));
        return { name: `${name} (version ${version})`, rules, events: known, states: maps, resolved };
      }),
    );
  });
}

function entryOf(
  events: ReadonlyMap<string, RoomEvent>,
  eventId: string,
): readonly [type: string, stateKey: string, eventId: string] {
  const event = events.get(eventId);
  if (event?.stateKey === undefined) throw new RangeError(`${eventId} is not a state event of the case`);
  return [event.type, event.stateKey, eventId];
}
