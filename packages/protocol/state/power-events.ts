import type { RoomEvent } from '../events/pdu.ts';
import type { Steps } from '../steps.ts';

/**
 * "A *power event* is a state event with type `m.room.power_levels` or `m.room.join_rules`, or a state event with type
 * `m.room.member` where the `membership` is `leave` or `ban` and the `sender` does not match the `state_key`."
 *
 * The state key of the first two is the empty string by their schemas; under another one they have no power.
 *
 * {@link https://spec.matrix.org/v1.19/rooms/v12/#definitions}
 */
export function isPowerEvent(event: RoomEvent): boolean {
  switch (event.type) {
    case 'm.room.power_levels':
    case 'm.room.join_rules':
      return event.stateKey === '';
    case 'm.room.member': {
      const membership = event.content['membership'];
      return (membership === 'leave' || membership === 'ban') && event.sender !== event.stateKey;
    }
    default:
      return false;
  }
}

/**
 * Step 1: "Select the set *X* of all *power events* that appear in the *full conflicted set*. For each such power event *P*,
 * enlarge *X* by adding the events in the auth chain of *P* which also belong to the full conflicted set."
 *
 * The chain is followed through the full conflicted set only, as other servers do: an event that is reached from *P* through
 * events outside of it alone is in every state's auth chain.
 *
 * {@link https://spec.matrix.org/v1.19/rooms/v12/#algorithm}
 */
export function* selectPowerEvents(
  fullConflictedSet: ReadonlyMap<string, RoomEvent>,
): Steps<ReadonlyMap<string, RoomEvent>> {
  const selected = new Map<string, RoomEvent>();
  const open: RoomEvent[] = [];
  const select = (event: RoomEvent): void => {
    if (selected.has(event.eventId)) return;
    selected.set(event.eventId, event);
    open.push(event);
  };
  for (const event of fullConflictedSet.values()) {
    if (isPowerEvent(event)) select(event);
    yield;
  }
  for (let event = open.pop(); event !== undefined; event = open.pop()) {
    for (const eventId of event.authEvents) {
      const authEvent = fullConflictedSet.get(eventId);
      if (authEvent !== undefined) select(authEvent);
    }
    yield;
  }
  return selected;
}
