import type { StateConflict, StateKeyPair } from '@portico/protocol';
import type { Steps } from '@portico/protocol/steps.ts';
import type { Difference } from '@portico/storage/state-trie/index.ts';
import type { StateEvent } from '../head.ts';
import { stateCacheKey } from '../head.ts';

export type EventsByNid = ReadonlyMap<number, StateEvent>;

/** Keys under which states differ, and the place among these of each event that is there in one of them. */
export type Keys = { readonly pairs: readonly StateKeyPair[]; readonly places: ReadonlyMap<number, number> };

export type Conflicts = {
  readonly conflicts: readonly StateConflict[];
  /** What each state has under the conflicted keys. */
  readonly sets: readonly (readonly number[])[];
  /** In how many entries the states differ from the first one, all together except the few that differ most. */
  readonly differing: number;
};

/** Differences, or entries of a state, that are looked at at once. */
const atOnce = 500;

/** Of a few states that have been far away from the others for long nothing is to be said. */
const mostFarAway = 2;

export function* keysOfDifferences(
  events: EventsByNid,
  differences: readonly (readonly Pick<Difference, 'before' | 'after'>[])[],
): Steps<Keys> {
  const pairs: StateKeyPair[] = [];
  const places = new Map<number, number>();
  const byKey = new Map<string, number>();
  let done = 0;
  for (const ofOne of differences) {
    for (const { before, after } of ofOne) {
      for (const nid of [before, after]) {
        if (nid === undefined || places.has(nid)) continue;
        const { type, stateKey = '' } = getEvent(events, nid);
        const key = stateCacheKey(type, stateKey);
        const place = byKey.get(key) ?? pairs.push([type, stateKey]) - 1;
        byKey.set(key, place);
        places.set(nid, place);
      }
      if (++done % atOnce === 0) yield;
    }
  }
  return { pairs, places };
}

/**
 * Where states are in conflict, told by how each of the others differs from the first, which has `firsts` under the keys: asking each
 * for all of it would cost its square.
 */
export function* conflictsBetween(
  events: EventsByNid,
  { pairs, places }: Keys,
  firsts: readonly (number | undefined)[],
  differences: readonly (readonly Pick<Difference, 'before' | 'after'>[])[],
): Steps<Conflicts> {
  const entries = firsts.map((nid) => new Set([nid]));
  const sets: (readonly number[])[] = [];
  let done = 0;
  for (const ofOne of [[], ...differences]) {
    const set = [...firsts];
    for (const { before, after } of ofOne) {
      const place = places.get(before ?? after ?? -1) ?? 0;
      set[place] = after;
      entries[place]?.add(after);
      if (++done % atOnce === 0) yield;
    }
    sets.push(set.filter((nid) => nid !== undefined));
    done += set.length;
    if (set.length > 0) yield;
  }
  const conflicts: StateConflict[] = [];
  for (const [index, [type, stateKey]] of pairs.entries()) {
    const found = entries[index] ?? new Set();
    const eventIds = [...found].flatMap((nid) => (nid === undefined ? [] : [getEvent(events, nid).eventId]));
    conflicts.push({ type, stateKey, eventIds, missingInSome: found.has(undefined) });
    if (index % atOnce === 0) yield;
  }
  const lengths = differences.map(({ length }) => length).toSorted((a, b) => a - b);
  const differing = lengths.slice(0, -mostFarAway).reduce((sum, length) => sum + length, 0);
  return { conflicts, sets, differing };
}

export function getEvent(events: EventsByNid, nid: number): StateEvent['event'] {
  const found = events.get(nid);
  if (found === undefined) throw new Error(`state event ${nid} does not exist`);
  return found.event;
}
