import type { StateKeyPair } from '../auth/auth-event-keys.ts';
import type { RoomEvent } from '../events/pdu.ts';
import type { MainlinePositions, Need, ResolutionInput } from './resolution.ts';
import { entriesOf, getEntry, setEntry, stateMapOf, type MutableStateMap } from './state-map.ts';

/**
 * Answers from what has been loaded, and remembers what has not: a step asks for all it will look at, then checks once
 * whether anything was missing.
 */
export type Lookup = {
  readonly event: (eventId: string) => RoomEvent | undefined;
  readonly unconflicted: (type: string, stateKey: string) => RoomEvent | undefined;
  readonly isUnconflicted: (type: string, stateKey: string) => boolean;
  readonly mainlinePositions: (powerLevels: string, bases: readonly string[]) => MainlinePositions | undefined;
  /** What was asked for in vain, if anything was. */
  readonly need: () => Need | undefined;
};

export function createLookup(input: ResolutionInput): Lookup {
  const events = new Set<string>();
  let mainline: Need['mainline'];
  const keys: MutableStateMap<StateKeyPair> = new Map();

  const event = (eventId: string): RoomEvent | undefined => {
    const found = input.event(eventId);
    if (found === undefined) events.add(eventId);
    return found ?? undefined;
  };
  const conflicted = stateMapOf(input.conflicts.map(({ type, stateKey }) => [type, stateKey, true] as const));
  const unconflictedId = (type: string, stateKey: string): string | undefined => {
    if (getEntry(conflicted, type, stateKey) === true) return undefined;
    const found = input.unconflicted(type, stateKey);
    if (found === undefined) setEntry(keys, type, stateKey, [type, stateKey] as const);
    return found ?? undefined;
  };

  return {
    event,
    unconflicted(type, stateKey) {
      const eventId = unconflictedId(type, stateKey);
      return eventId === undefined ? undefined : event(eventId);
    },
    isUnconflicted: (type, stateKey) => unconflictedId(type, stateKey) !== undefined,
    mainlinePositions(powerLevels, bases) {
      const found = input.mainlinePositions(powerLevels, bases);
      if (found === undefined) mainline = { powerLevels, bases };
      return found;
    },
    need() {
      if (events.size === 0 && keys.size === 0 && mainline === undefined) return undefined;
      return {
        kind: 'need',
        events: [...events],
        unconflicted: [...entriesOf(keys)].map(([, , pair]) => pair),
        mainline,
      };
    },
  };
}
