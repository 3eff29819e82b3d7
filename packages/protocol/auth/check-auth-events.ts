import type { RoomEvent } from '../events/pdu.ts';
import type { RoomVersionRules } from '../room-versions/rules.ts';
import { authEventKeys } from './auth-event-keys.ts';
import { allow, reject, type AuthDecision } from './decision.ts';

/**
 * The rule that considers an event's `auth_events` on their own: rule 2, since room version 12 rule 3. `authEvents` are
 * the events that the event names, all of them; whoever loads them deals with those that cannot be found.
 *
 * {@link https://spec.matrix.org/v1.19/rooms/v12/#authorisation-rules}
 */
export function checkAuthEvents(
  rules: RoomVersionRules,
  event: RoomEvent,
  authEvents: readonly RoomEvent[],
): AuthDecision {
  // "If type is `m.room.create`: […] Otherwise, allow." comes first, and says nothing about its auth events.
  if (event.type === 'm.room.create') return allow;
  return (
    checkDuplicates(authEvents) ??
    checkSelection(rules, event, authEvents) ??
    checkAccepted(authEvents) ??
    checkCreate(rules, authEvents) ??
    checkRoom(event, authEvents) ??
    allow
  );
}

/** 2.1 "If there are duplicate entries for a given `type` and `state_key` pair, reject." */
function checkDuplicates(authEvents: readonly RoomEvent[]): AuthDecision | undefined {
  const seen = new Map<string, Set<string | undefined>>();
  for (const event of authEvents) {
    const stateKeys = seen.get(event.type) ?? new Set();
    if (stateKeys.has(event.stateKey)) {
      return reject('auth_events.duplicate', `two auth events are the room's ${describe(event)}`);
    }
    seen.set(event.type, stateKeys.add(event.stateKey));
  }
  return undefined;
}

/**
 * 2.2 "If there are entries whose `type` and `state_key` don't match those specified by the auth events selection
 * algorithm described in the server specification, reject."
 */
function checkSelection(
  rules: RoomVersionRules,
  event: RoomEvent,
  authEvents: readonly RoomEvent[],
): AuthDecision | undefined {
  const keys = authEventKeys(rules, event);
  const unexpected = authEvents.find((authEvent) => !keys.some(([type, stateKey]) => isFor(authEvent, type, stateKey)));
  if (unexpected === undefined) return undefined;
  return reject('auth_events.unexpected', `an auth event is ${describe(unexpected)}, which does not authorise it`);
}

/** 2.3 "If there are entries which were themselves rejected under the checks performed on receipt of a PDU, reject." */
function checkAccepted(authEvents: readonly RoomEvent[]): AuthDecision | undefined {
  const rejected = authEvents.find((authEvent) => authEvent.rejected);
  return rejected && reject('auth_events.rejected', `the auth event ${rejected.eventId} was rejected`);
}

/** 2.4 "If there is no `m.room.create` event among the entries, reject." Until version 11. */
function checkCreate(rules: RoomVersionRules, authEvents: readonly RoomEvent[]): AuthDecision | undefined {
  if (!rules.event.createInAuthEvents) return undefined;
  if (authEvents.some((authEvent) => isFor(authEvent, 'm.room.create', ''))) return undefined;
  return reject('auth_events.no_create', 'the auth events do not name the create event');
}

/**
 * 2.5 "If any event in `auth_events` has a `room_id` which does not match that of the event being authorised, reject."
 */
function checkRoom(event: RoomEvent, authEvents: readonly RoomEvent[]): AuthDecision | undefined {
  const stray = authEvents.find((authEvent) => authEvent.roomId !== event.roomId);
  return stray && reject('auth_events.wrong_room', `the auth event ${stray.eventId} is in another room`);
}

function isFor(event: RoomEvent, type: string, stateKey: string | undefined): boolean {
  return event.type === type && event.stateKey === stateKey;
}

function describe(event: RoomEvent): string {
  return event.stateKey === undefined
    ? `a ${event.type} message`
    : `${event.type} of ${JSON.stringify(event.stateKey)}`;
}
