import { hash } from 'node:crypto';
import { authEventKeys } from '../auth/auth-event-keys.ts';
import type { AuthState } from '../auth/auth-state.ts';
import { authorise } from '../auth/authorise.ts';
import type { RoomEvent } from '../events/pdu.ts';
import type { RoomVersionRules } from '../room-versions/rules.ts';
import { createLookup, type Lookup } from './lookup.ts';
import type { Resolution, ResolutionInput, ResolvedEntry, StateConflict } from './resolution.ts';
import { getEntry, setEntry, type MutableStateMap } from './state-map.ts';
import type { Steps } from '../steps.ts';

type Contest = { readonly conflict: StateConflict; readonly events: readonly RoomEvent[] };
type Allows = (event: RoomEvent) => boolean;

/**
 * Version 1 of the algorithm. *R* is what the states agree on together with what has been resolved so far.
 *
 * "A *conflict* occurs between states where those states have different `event_ids` for the same `(event_type, state_key)`": an entry
 * that some states lack, and the others agree on, is no conflict here.
 *
 * {@link https://spec.matrix.org/v1.19/rooms/v1/#state-resolution}
 */
export function* resolveV1(rules: RoomVersionRules, input: ResolutionInput): Steps<Resolution> {
  const lookup = createLookup(input);
  const contests: Contest[] = [];
  for (const conflict of input.conflicts) {
    contests.push({ conflict, events: sortedEvents(conflict, lookup) });
    yield;
  }
  const missingEvents = lookup.need();
  if (missingEvents !== undefined) return missingEvents;
  for (const { events } of contests) {
    for (const event of events) {
      for (const [type, stateKey] of authEventKeys(rules, event)) lookup.unconflicted(type, stateKey);
    }
    yield;
  }
  const missingState = lookup.need();
  if (missingState !== undefined) return missingState;

  const resolved: MutableStateMap<RoomEvent> = new Map();
  const settle = ({ conflict: { type, stateKey } }: Contest, event: RoomEvent | undefined): void => {
    if (event !== undefined) setEntry(resolved, type, stateKey, event);
  };
  const r: AuthState = {
    get: (type, stateKey) => getEntry(resolved, type, stateKey) ?? lookup.unconflicted(type, stateKey),
  };
  const allowedIn =
    (state: AuthState): Allows =>
    (event) =>
      authorise(rules, event, state).kind === 'allow';

  // "Start by setting *R* to the union of the states to be resolved, excluding any *conflicting* events."
  for (const contest of contests) if (contest.events.length === 1) settle(contest, contest.events[0]);
  const open = contests.filter(({ events }) => events.length > 1);

  // "First we resolve conflicts between `m.room.power_levels` events. […] Repeat the above process for conflicts between
  // `m.room.join_rules` events. Repeat the above process for conflicts between `m.room.member` events."
  const passes = [isPowerLevels, isOfType('m.room.join_rules'), isOfType('m.room.member')];
  for (const isInPass of passes) {
    // *R* changes between the passes: within one, the outcome would depend on the order of the keys, which the text leaves open.
    const winners = yield* winnersOf(open.filter(isInPass), (contest) => lastAllowed(contest, r, allowedIn));
    for (const [contest, winner] of winners) settle(contest, winner);
  }
  // "for all other conflicts, just pick the event with the highest depth and lowest `sha1(event_id)` that passes authentication in *R*
  // and add it to *R*." Again, all against the same *R*.
  const left = open.filter((contest) => !passes.some((isInPass) => isInPass(contest)));
  const others = yield* winnersOf(left, (contest) => highestAllowed(contest, allowedIn(r)));
  for (const [contest, winner] of others) settle(contest, winner);

  return { kind: 'resolved', entries: input.conflicts.map((conflict) => entryFor(conflict, resolved)) };
}

function* winnersOf(
  contests: readonly Contest[],
  winnerOf: (contest: Contest) => RoomEvent | undefined,
): Steps<readonly (readonly [Contest, RoomEvent | undefined])[]> {
  const winners: (readonly [Contest, RoomEvent | undefined])[] = [];
  for (const contest of contests) {
    winners.push([contest, winnerOf(contest)]);
    yield;
  }
  return winners;
}

function isPowerLevels({ conflict }: Contest): boolean {
  return conflict.type === 'm.room.power_levels' && conflict.stateKey === '';
}

function isOfType(type: string): (contest: Contest) => boolean {
  return ({ conflict }) => conflict.type === type;
}

/** "Sort the list by ascending `depth` then descending `sha1(event_id)`." */
function sortedEvents(conflict: StateConflict, lookup: Lookup): readonly RoomEvent[] {
  const events = conflict.eventIds.map(lookup.event).filter((event) => event !== undefined);
  if (events.length < 2) return events;
  return events
    .map((event) => ({ event, sha1: hash('sha1', event.eventId) }))
    .toSorted((a, b) => a.event.depth - b.event.depth || (a.sha1 < b.sha1 ? 1 : -1))
    .map(({ event }) => event);
}

/**
 * "Add the first event in the list to *R*. For each subsequent event in the list, check that the event would be allowed by the
 * authorisation rules for a room in state *R*. If the event would be allowed, then update *R* with the event and continue with the next
 * event in the list. If it would not be allowed, stop".
 */
function lastAllowed(
  { conflict, events }: Contest,
  r: AuthState,
  allowedIn: (state: AuthState) => Allows,
): RoomEvent | undefined {
  let winner = events[0];
  const allows = allowedIn({
    get: (type, stateKey) =>
      type === conflict.type && stateKey === conflict.stateKey ? winner : r.get(type, stateKey),
  });
  for (const event of events.slice(1)) {
    if (!allows(event)) break;
    winner = event;
  }
  return winner;
}

/** The text does not say what happens if none passes. Other servers keep the event of least depth, so as not to lose the entry. */
function highestAllowed({ events }: Contest, allows: Allows): RoomEvent | undefined {
  return events.findLast(allows) ?? events[0];
}

function entryFor({ type, stateKey }: StateConflict, resolved: MutableStateMap<RoomEvent>): ResolvedEntry {
  return { type, stateKey, eventId: getEntry(resolved, type, stateKey)?.eventId };
}
