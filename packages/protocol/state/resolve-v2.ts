import { authEventKeys } from '../auth/auth-event-keys.ts';
import type { RoomEvent } from '../events/pdu.ts';
import { createEventIdOfRoom } from '../events/room-event.ts';
import type { RoomVersionRules } from '../room-versions/rules.ts';
import { iterativeAuthChecks, type AuthCheckContext } from './iterative-auth-checks.ts';
import { createLookup, type Lookup } from './lookup.ts';
import { mainlineSort } from './mainline.ts';
import { selectPowerEvents } from './power-events.ts';
import type { Resolution, ResolutionInput, ResolvedEntry } from './resolution.ts';
import { reverseTopologicalPowerSort, senderPowerByAuthEvents } from './reverse-topological-power-sort.ts';
import { entriesOf, getEntry, type MutableStateMap } from './state-map.ts';
import type { Steps } from '../steps.ts';

/**
 * Versions 2 and 2.1 of the algorithm, step by step.
 *
 * {@link https://spec.matrix.org/v1.19/rooms/v2/#algorithm}, {@link https://spec.matrix.org/v1.19/rooms/v12/#algorithm}
 */
export function* resolveV2(rules: RoomVersionRules, input: ResolutionInput): Steps<Resolution> {
  const lookup = createLookup(input);
  const full = yield* fullConflictedSet(rules, input, lookup);
  const missingEvents = lookup.need();
  if (missingEvents !== undefined) return missingEvents;

  const context = authCheckContext(rules, full, lookup);
  yield* askAhead(rules, full, lookup, context);
  const missingContext = lookup.need();
  if (missingContext !== undefined) return missingContext;

  // 1. Select the power events with what leads to them, and sort them.
  const powerEvents = yield* selectPowerEvents(full);
  const sorted = yield* reverseTopologicalPowerSort(powerEvents, (event) =>
    senderPowerByAuthEvents(rules, event, context.create, lookup.event),
  );
  // 2. "Apply the *iterative auth checks algorithm*, starting from the *unconflicted state map*, to the list of events from the
  // previous step to get a partially resolved state." In version 2.1, "starting from an *empty* state map".
  const state: MutableStateMap<RoomEvent> = new Map();
  yield* iterativeAuthChecks(context, sorted, state);

  // 3. "Take all remaining events that weren't picked in step 1 and order them by the mainline ordering based on the power level in
  // the partially resolved state obtained in step 2."
  const powerLevels = getEntry(state, 'm.room.power_levels', '') ?? context.base('m.room.power_levels', '');
  const remaining = [...full.values()].filter((event) => !powerEvents.has(event.eventId));
  const ordered = yield* mainlineSort(powerLevels?.eventId, remaining, lookup);
  const missingMainline = lookup.need();
  if (missingMainline !== undefined) return missingMainline;

  // 4. "Apply the *iterative auth checks algorithm* on the partial resolved state and the list of events from the previous step."
  yield* iterativeAuthChecks(context, ordered, state);

  // 5. "Update the result by replacing any event with the event with the same key from the *unconflicted state map*, if such an
  // event exists, to get the final resolved state."
  return { kind: 'resolved', entries: resolvedEntries(input, state, lookup) };
}

/**
 * "The *full conflicted set* is the union of the conflicted state set and the auth difference." In version 2.1, "of the conflicted
 * state set, the conflicted state subgraph, and the auth difference".
 */
function* fullConflictedSet(
  rules: RoomVersionRules,
  input: ResolutionInput,
  lookup: Lookup,
): Steps<ReadonlyMap<string, RoomEvent>> {
  const eventIds = new Set(input.authDifference);
  for (const conflict of input.conflicts) for (const eventId of conflict.eventIds) eventIds.add(eventId);
  if (rules.stateResolution === 'v2.1') for (const eventId of input.conflictedSubgraph) eventIds.add(eventId);
  const events = new Map<string, RoomEvent>();
  for (const eventId of eventIds) {
    const event = lookup.event(eventId);
    if (event !== undefined) events.set(eventId, event);
    yield;
  }
  return events;
}

function authCheckContext(
  rules: RoomVersionRules,
  full: ReadonlyMap<string, RoomEvent>,
  lookup: Lookup,
): AuthCheckContext {
  const [first] = full.values();
  // "The `room_id` (being the `m.room.create` event's ID) implies this": https://spec.matrix.org/v1.19/rooms/v12/#authorisation-rules
  const impliesCreate = rules.event.roomId === 'create-event' && first !== undefined;
  return {
    rules,
    create: impliesCreate ? lookup.event(createEventIdOfRoom(first.roomId)) : undefined,
    base: rules.stateResolution === 'v2.1' ? () => undefined : lookup.unconflicted,
    event: lookup.event,
  };
}

/** Looks up all that the checks will: the auth events, and what the states agree on where the rules look. */
function* askAhead(
  rules: RoomVersionRules,
  full: ReadonlyMap<string, RoomEvent>,
  lookup: Lookup,
  context: AuthCheckContext,
): Steps<void> {
  context.base('m.room.power_levels', '');
  for (const event of full.values()) {
    for (const eventId of event.authEvents) lookup.event(eventId);
    for (const [type, stateKey] of authEventKeys(rules, event)) context.base(type, stateKey);
    if (event.stateKey !== undefined) lookup.isUnconflicted(event.type, event.stateKey);
    yield;
  }
}

function resolvedEntries(
  input: ResolutionInput,
  state: MutableStateMap<RoomEvent>,
  lookup: Lookup,
): readonly ResolvedEntry[] {
  const entries: ResolvedEntry[] = [];
  for (const { type, stateKey } of input.conflicts) {
    entries.push({ type, stateKey, eventId: getEntry(state, type, stateKey)?.eventId });
    state.get(type)?.delete(stateKey);
  }
  for (const [type, stateKey, event] of entriesOf(state)) {
    if (!lookup.isUnconflicted(type, stateKey)) entries.push({ type, stateKey, eventId: event.eventId });
  }
  return entries;
}
