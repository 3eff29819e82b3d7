import type { RoomEvent } from '../events/pdu.ts';

/**
 * "Starting from an event in the *conflicted state set* and following `auth_events` edges may lead to another event in the
 * conflicted state set. The union of all such paths between any pair of events in the conflicted state set (including endpoints)
 * forms a subgraph of the original `auth_event` graph, called the *conflicted state subgraph*."
 *
 * What lies on such a path is what a conflicted event leads to and what leads to a conflicted event. Walks the chains, for rooms
 * held in memory. Storage answers the same question from its chain cover.
 *
 * {@link https://spec.matrix.org/v1.19/rooms/v12/#definitions}
 */
export function conflictedSubgraph(
  conflicted: Iterable<string>,
  event: (eventId: string) => RoomEvent | undefined,
): Set<string> {
  const ends = new Set(conflicted);
  return follow(ends, citedBy(ends, event));
}

/** For everything that the events lead to, and the events themselves: which of these name it among their auth events. */
function citedBy(
  ends: ReadonlySet<string>,
  event: (eventId: string) => RoomEvent | undefined,
): ReadonlyMap<string, readonly string[]> {
  const citations = new Map<string, string[]>();
  const seen = new Set(ends);
  const open = [...ends];
  for (let eventId = open.pop(); eventId !== undefined; eventId = open.pop()) {
    for (const authEvent of event(eventId)?.authEvents ?? []) {
      const citing = citations.get(authEvent);
      if (citing === undefined) citations.set(authEvent, [eventId]);
      else citing.push(eventId);
      if (seen.has(authEvent)) continue;
      seen.add(authEvent);
      open.push(authEvent);
    }
  }
  return citations;
}

function follow(ends: ReadonlySet<string>, citations: ReadonlyMap<string, readonly string[]>): Set<string> {
  const reached = new Set(ends);
  const open = [...ends];
  for (let eventId = open.pop(); eventId !== undefined; eventId = open.pop()) {
    for (const citing of citations.get(eventId) ?? []) {
      if (reached.has(citing)) continue;
      reached.add(citing);
      open.push(citing);
    }
  }
  return reached;
}
