import type { StateConflict } from './resolution.ts';
import { entriesOf, getEntry, setEntry, type MutableStateMap, type StateMap } from './state-map.ts';

export type SplitState = {
  readonly unconflicted: StateMap;
  readonly conflicts: readonly StateConflict[];
};

/**
 * "If a given key *K* is present in every *Sᵢ* with the same value *V* in each state map, then the pair (*K*, *V*) belongs to
 * the *unconflicted state map*. Otherwise, *V* belongs to the *conflicted state set*."
 *
 * For whole states in memory. Where states are stored as trees that share their branches, comparing the trees finds the
 * conflicts without looking at what is shared.
 *
 * {@link https://spec.matrix.org/v1.19/rooms/v12/#definitions}
 */
export function splitConflicted(states: readonly StateMap[]): SplitState {
  const unconflicted: MutableStateMap = new Map();
  const conflicts: StateConflict[] = [];
  const seen: MutableStateMap<true> = new Map();
  for (const state of states) {
    for (const [type, stateKey, eventId] of entriesOf(state)) {
      if (getEntry(seen, type, stateKey) === true) continue;
      setEntry(seen, type, stateKey, true);
      const conflict = conflictAt(states, type, stateKey);
      if (conflict === undefined) setEntry(unconflicted, type, stateKey, eventId);
      else conflicts.push(conflict);
    }
  }
  return { unconflicted, conflicts };
}

function conflictAt(states: readonly StateMap[], type: string, stateKey: string): StateConflict | undefined {
  const eventIds = new Set<string>();
  let missingInSome = false;
  for (const state of states) {
    const eventId = getEntry(state, type, stateKey);
    if (eventId === undefined) missingInSome = true;
    else eventIds.add(eventId);
  }
  if (eventIds.size === 1 && !missingInSome) return undefined;
  return { type, stateKey, eventIds: [...eventIds], missingInSome };
}
