import type { RoomEvent } from '../events/pdu.ts';
import type { RoomVersionRules } from '../room-versions/rules.ts';
import { authDifference } from './auth-difference.ts';
import { conflictedSubgraph } from './conflicted-subgraph.ts';
import { mainlinePositions, powerLevelsOf } from './mainline.ts';
import type { ResolutionInput } from './resolution.ts';
import { resolveConflicts } from './resolve.ts';
import { splitConflicted } from './split-conflicted.ts';
import { entriesOf, getEntry, setEntry, type MutableStateMap, type StateMap } from './state-map.ts';

/** Resolves whole states of a room whose events are all in memory. Walks auth chains: for what storage does not hold yet. */
export function resolveStates(
  rules: RoomVersionRules,
  states: readonly StateMap[],
  event: (eventId: string) => RoomEvent | undefined,
): StateMap {
  const { unconflicted, conflicts } = splitConflicted(states);
  if (conflicts.length === 0) return unconflicted;
  const eventIds = states.map((state) => [...entriesOf(state)].map(([, , eventId]) => eventId));
  const conflicted = conflicts.flatMap((conflict) => conflict.eventIds);
  const input: ResolutionInput = {
    conflicts,
    unconflicted: (type, stateKey) => getEntry(unconflicted, type, stateKey) ?? null,
    event: (eventId) => event(eventId) ?? null,
    mainlinePositions: (powerLevels, bases) => mainlinePositions(powerLevels, bases, (at) => powerLevelsOf(at, event)),
    authDifference: rules.stateResolution === 'v1' ? [] : authDifference(eventIds, event),
    conflictedSubgraph: rules.stateResolution === 'v2.1' ? conflictedSubgraph(conflicted, event) : [],
  };
  const resolution = resolveConflicts(rules, input);
  // Nothing can be needed of what answers every question.
  if (resolution.kind === 'need') throw new Error('State resolution asked for what it had been given');

  const resolved: MutableStateMap = new Map();
  for (const [type, stateKey, eventId] of entriesOf(unconflicted)) setEntry(resolved, type, stateKey, eventId);
  for (const { type, stateKey, eventId } of resolution.entries) {
    if (eventId !== undefined) setEntry(resolved, type, stateKey, eventId);
  }
  return resolved;
}
