import type { RoomEvent } from '../events/pdu.ts';
import { compareCodePoints } from '../json/code-points.ts';
import type { Lookup } from './lookup.ts';
import type { MainlinePositions } from './resolution.ts';
import type { Steps } from '../steps.ts';

/** The `m.room.power_levels` event among an event's auth events. */
export function powerLevelsOf(eventId: string, find: (eventId: string) => RoomEvent | undefined): string | undefined {
  return find(eventId)?.authEvents.find((authEventId) => {
    const authEvent = find(authEventId);
    return authEvent?.type === 'm.room.power_levels' && authEvent.stateKey === '';
  });
}

/**
 * Orders events by how early in the mainline of *P*, the power levels in force, the power levels lie that they are based on.
 *
 * {@link https://spec.matrix.org/v1.19/rooms/v12/#definitions}
 */
export function* mainlineSort(
  powerLevels: string | undefined,
  events: readonly RoomEvent[],
  { event: find, mainlinePositions: positionsOf }: Pick<Lookup, 'event' | 'mainlinePositions'>,
): Steps<readonly RoomEvent[]> {
  const bases = new Map<RoomEvent, string | undefined>();
  for (const event of events) {
    bases.set(event, powerLevelsOf(event.eventId, find));
    yield;
  }
  const distinct = new Set(bases.values());
  // Without power levels there is no mainline that anything could belong to; and events of one base all have one position.
  const isOrdered = powerLevels !== undefined && distinct.size > 1;
  const named = [...distinct].filter((base) => base !== undefined);
  const positions = isOrdered ? positionsOf(powerLevels, named) : undefined;
  const positionOf = (base: string | undefined): number =>
    (base === undefined ? undefined : positions?.get(base)) ?? Infinity;
  return events
    .map((event) => ({ event, position: positionOf(bases.get(event)) }))
    .toSorted(compare)
    .map(({ event }) => event);
}

type Placed = { readonly event: RoomEvent; readonly position: number };

/**
 * "*x* < *y* if 1. the mainline position of *x* is **greater** than the mainline position of *y* […]; or 2. the mainline positions
 * of the events are the same, but *x*'s `origin_server_ts` is *less* than *y*'s `origin_server_ts`; or 3. the mainline positions of
 * the events are the same and the events have the same `origin_server_ts`, but *x*'s `event_id` is *less* than *y*'s `event_id`."
 */
function compare(x: Placed, y: Placed): number {
  if (x.position !== y.position) return x.position > y.position ? -1 : 1;
  return x.event.originServerTs - y.event.originServerTs || compareCodePoints(x.event.eventId, y.event.eventId);
}

/** The way from one base, *e₁*, to *e₂* and on, until it meets the mainline. */
type Walk = { readonly base: string; at: string };

/**
 * For each base, the place in the mainline of the first event that it has in common with it: "the smallest index *j* ≥ 1 for which
 * *eⱼ* belongs to the mainline of *P*".
 *
 * The mainline and the walks from all bases are lengthened together, a step at a time, so that the cost follows the distance to
 * where they meet and not the age of the room. They may meet at the end of the one or in the middle of the other. The first meeting
 * found is the one sought, since what follows an event in a walk also follows it in the mainline.
 */
export function mainlinePositions(
  powerLevels: string,
  bases: Iterable<string>,
  baseOf: (eventId: string) => string | undefined,
): MainlinePositions {
  const positions = new Map<string, number>();
  const mainline = new Map<string, number>();
  const passed = new Map<string, Set<Walk>>();

  /** Whether the walk goes on from where it has come to: not if that is in the mainline, nor if it has been there before. */
  const goesOn = (walk: Walk): boolean => {
    const position = mainline.get(walk.at);
    if (position !== undefined) positions.set(walk.base, position);
    const walks = passed.get(walk.at) ?? new Set();
    const isNew = !walks.has(walk);
    passed.set(walk.at, walks.add(walk));
    return position === undefined && isNew;
  };
  const step = (walk: Walk): boolean => {
    const next = positions.has(walk.base) ? undefined : baseOf(walk.at);
    if (next === undefined) return false;
    walk.at = next;
    return goesOn(walk);
  };

  const walks = [...bases].map((base): Walk => ({ base, at: base }));
  let moving = walks.filter(goesOn);
  let tip: string | undefined = powerLevels;
  while (positions.size < walks.length && (tip !== undefined || moving.length > 0)) {
    if (tip !== undefined) {
      for (const walk of passed.get(tip) ?? []) if (!positions.has(walk.base)) positions.set(walk.base, mainline.size);
      mainline.set(tip, mainline.size);
      // "repeatedly fetch *Pᵢ₊₁*, the `m.room.power_levels` event in the `auth_events` of *Pᵢ*"
      const next = baseOf(tip);
      tip = next !== undefined && mainline.has(next) ? undefined : next;
    }
    moving = moving.filter(step);
  }
  return positions;
}
