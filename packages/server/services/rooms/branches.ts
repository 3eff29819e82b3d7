import { type RoomEvent, serverNameOf } from '@portico/protocol';
import { maxPrevEvents } from '@portico/protocol/events/limits.ts';
import type { StateRoot } from '@portico/storage/state-trie/index.ts';
import type { Extremity, RoomHead } from './head.ts';

/**
 * How many branches a room can have. The state is the resolution of all of them, so that each event of a branch costs what all
 * have that differs: this bounds what a server can make of that.
 */
export const maxBranches = 200;

/**
 * In how many entries they can differ altogether, beyond as many branches as an event can follow: those from far behind cost as
 * much as very many others.
 */
const mostDiffering = 5000;

export function extremityOf({ eventId, sender }: RoomEvent, state: StateRoot): Extremity {
  return { eventId, server: serverNameOf(sender) ?? '', state };
}

/**
 * The extremities after an event: those it follows are none any more. Where there are too many, the server that has most of
 * them loses its oldest: whoever forks a room without end makes it forget branches of their own, not what others have done.
 */
export function extremitiesAfter(
  { extremities, differing }: Pick<RoomHead, 'extremities' | 'differing'>,
  prevEvents: readonly string[],
  added: Extremity,
): readonly Extremity[] {
  const followed = new Set(prevEvents);
  let all = [...extremities.filter(({ eventId }) => !followed.has(eventId)), added];
  const most = Math.min(maxBranches, Math.max(maxPrevEvents, (extremities.length * mostDiffering) / differing));
  while (all.length > most) all = withoutOne(all);
  return all;
}

function withoutOne(all: readonly Extremity[]): Extremity[] {
  const counts = new Map<string, number>();
  for (const { server } of all) counts.set(server, (counts.get(server) ?? 0) + 1);
  const most = Math.max(...counts.values());
  const lost = all.findIndex(({ server }) => counts.get(server) === most);
  return all.toSpliced(lost, 1);
}

/**
 * Which of a room's branches its next event follows, where it cannot follow all: those that agree most with the room's state on
 * what allows the event, as `entries` and `current` have it, so that the event is allowed where they lead; and the newest.
 */
export function branchesToFollow<T>(
  branches: readonly T[],
  entries: readonly (readonly (number | undefined)[])[],
  current: readonly (number | undefined)[],
): readonly T[] {
  if (branches.length <= maxPrevEvents) return branches;
  const ranked = branches
    .map((branch, index) => ({
      branch,
      index,
      agreement: current.filter((nid, at) => entries[index]?.[at] === nid).length,
    }))
    .toSorted((a, b) => b.agreement - a.agreement || b.index - a.index);
  // What allows the event may come from several branches, one of which may be the only one to have its part.
  const needed = new Set(current.map((nid, at) => ranked.find(({ index }) => entries[index]?.[at] === nid)));
  return ranked
    .toSorted((a, b) => Number(needed.has(b)) - Number(needed.has(a)))
    .slice(0, maxPrevEvents)
    .map(({ branch }) => branch);
}
