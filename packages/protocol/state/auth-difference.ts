import type { RoomEvent } from '../events/pdu.ts';

/**
 * "first calculating the full auth chain for each state *Sᵢ*, that is the union of the auth chains for each event in *Sᵢ*, and then
 * taking every event that doesn't appear in every auth chain": the union of the chains without their intersection.
 *
 * To the letter, an event of a state is in the state's chain only if another one leads to it. As practised, it always is; to agree with
 * other servers, so it is here. It matters for an event that all states share, and only some lead to.
 *
 * Walks the chains, for rooms held in memory. Storage answers the same question from its chain cover.
 *
 * {@link https://spec.matrix.org/v1.19/rooms/v12/#definitions}
 */
export function authDifference(
  states: readonly Iterable<string>[],
  event: (eventId: string) => RoomEvent | undefined,
): Set<string> {
  const chains = states.map((state) => new Set([...state, ...authChain(state, event)]));
  const difference = new Set<string>();
  for (const chain of chains) {
    for (const eventId of chain) {
      if (!chains.every((other) => other.has(eventId))) difference.add(eventId);
    }
  }
  return difference;
}

/**
 * "the set containing all of *E*'s auth events, all of *their* auth events, and so on recursively, stretching back to the start
 * of the room": for every event given, which belong to it only if another one leads to them.
 */
export function authChain(
  eventIds: Iterable<string>,
  event: (eventId: string) => RoomEvent | undefined,
): ReadonlySet<string> {
  const chain = new Set<string>();
  const open = [...eventIds];
  for (let eventId = open.pop(); eventId !== undefined; eventId = open.pop()) {
    for (const authEvent of event(eventId)?.authEvents ?? []) {
      if (chain.has(authEvent)) continue;
      chain.add(authEvent);
      open.push(authEvent);
    }
  }
  return chain;
}
