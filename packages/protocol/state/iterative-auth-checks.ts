import type { AuthState } from '../auth/auth-state.ts';
import { authorise } from '../auth/authorise.ts';
import type { RoomEvent } from '../events/pdu.ts';
import type { RoomVersionRules } from '../room-versions/rules.ts';
import { getEntry, setEntry, type MutableStateMap } from './state-map.ts';
import type { Steps } from '../steps.ts';

export type AuthCheckContext = {
  readonly rules: RoomVersionRules;
  /** The room's create event. */
  readonly create: RoomEvent | undefined;
  /** What the checks start from, besides what they add themselves: nothing in version 2.1. */
  readonly base: (type: string, stateKey: string) => RoomEvent | undefined;
  readonly event: (eventId: string) => RoomEvent | undefined;
};

/**
 * "iterating through the event list and applying the state event to the room state if the state event is allowed by the
 * authorisation rules. If the state event is not allowed by the authorisation rules, then the event is ignored."
 *
 * {@link https://spec.matrix.org/v1.19/rooms/v12/#definitions}
 */
export function* iterativeAuthChecks(
  context: AuthCheckContext,
  events: Iterable<RoomEvent>,
  state: MutableStateMap<RoomEvent>,
): Steps<void> {
  for (const event of events) {
    yield;
    if (event.stateKey === undefined) continue;
    const decision = authorise(context.rules, event, stateFor(context, event, state));
    if (decision.kind === 'allow') setEntry(state, event.type, event.stateKey, event);
  }
}

/**
 * "If a `(event_type, state_key)` key that is required for checking the authorisation rules is not present in the state, then the
 * appropriate state event from the event's `auth_events` is used if the auth event is not rejected."
 */
function stateFor(context: AuthCheckContext, event: RoomEvent, state: MutableStateMap<RoomEvent>): AuthState {
  return {
    create: context.create,
    get: (type, stateKey) =>
      getEntry(state, type, stateKey) ?? context.base(type, stateKey) ?? fromAuthEvents(context, event, type, stateKey),
  };
}

function fromAuthEvents(
  context: AuthCheckContext,
  event: RoomEvent,
  type: string,
  stateKey: string,
): RoomEvent | undefined {
  for (const eventId of event.authEvents) {
    const authEvent = context.event(eventId);
    if (authEvent?.type === type && authEvent.stateKey === stateKey && !authEvent.rejected) return authEvent;
  }
  return undefined;
}
