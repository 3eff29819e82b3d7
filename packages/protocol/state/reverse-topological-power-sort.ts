import { userPowerLevel } from '../auth/power-levels.ts';
import type { RoomEvent } from '../events/pdu.ts';
import { compareCodePoints } from '../json/code-points.ts';
import type { RoomVersionRules } from '../room-versions/rules.ts';
import { createHeap } from './heap.ts';
import type { Steps } from '../steps.ts';

type Vertex = {
  readonly event: RoomEvent;
  readonly power: number;
  /** How many of its auth events in the set have not been put out yet. */
  waitingFor: number;
  readonly citedBy: Vertex[];
};

/**
 * "the lexicographically smallest topological ordering based on the DAG formed by auth events. The reverse topological power
 * ordering is ordered from earliest event to latest." By Kahn's algorithm, "at each step selecting, among all the candidate
 * vertices, the smallest vertex".
 *
 * {@link https://spec.matrix.org/v1.19/rooms/v12/#definitions}
 */
export function* reverseTopologicalPowerSort(
  events: ReadonlyMap<string, RoomEvent>,
  senderPower: (event: RoomEvent) => number,
): Steps<readonly RoomEvent[]> {
  const vertices = new Map<string, Vertex>();
  for (const event of events.values()) {
    vertices.set(event.eventId, { event, power: senderPower(event), waitingFor: 0, citedBy: [] });
    yield;
  }
  for (const vertex of vertices.values()) {
    for (const eventId of new Set(vertex.event.authEvents)) {
      const authEvent = vertices.get(eventId);
      if (authEvent === undefined) continue;
      authEvent.citedBy.push(vertex);
      vertex.waitingFor += 1;
    }
    yield;
  }

  const candidates = createHeap(comesFirst);
  for (const vertex of vertices.values()) {
    if (vertex.waitingFor === 0) candidates.push(vertex);
  }
  const sorted: RoomEvent[] = [];
  for (let vertex = candidates.pop(); vertex !== undefined; vertex = candidates.pop()) {
    sorted.push(vertex.event);
    for (const citing of vertex.citedBy) {
      citing.waitingFor -= 1;
      if (citing.waitingFor === 0) candidates.push(citing);
    }
    yield;
  }
  return sorted;
}

/**
 * "*x* < *y* if 1. *x*'s sender has *greater* power level than *y*'s sender […]; or 2. the senders have the same power level, but
 * *x*'s `origin_server_ts` is *less* than *y*'s `origin_server_ts`; or 3. the senders have the same power level and the events
 * have the same `origin_server_ts`, but *x*'s `event_id` is *less* than *y*'s `event_id`."
 */
function comesFirst(x: Vertex, y: Vertex): boolean {
  if (x.power !== y.power) return x.power > y.power;
  if (x.event.originServerTs !== y.event.originServerTs) return x.event.originServerTs < y.event.originServerTs;
  return compareCodePoints(x.event.eventId, y.event.eventId) < 0;
}

/** The power level of an event's sender "when looking at their respective `auth_event`s". */
export function senderPowerByAuthEvents(
  rules: RoomVersionRules,
  event: RoomEvent,
  create: RoomEvent | undefined,
  lookup: (eventId: string) => RoomEvent | undefined,
): number {
  const authEvents = event.authEvents.map(lookup);
  const cited = authEvents.find((authEvent) => authEvent?.type === 'm.room.create');
  const powerLevels = authEvents.find(
    (authEvent) => authEvent?.type === 'm.room.power_levels' && authEvent.stateKey === '',
  );
  return userPowerLevel(rules, rules.event.createInAuthEvents ? cited : create, powerLevels, event.sender);
}
