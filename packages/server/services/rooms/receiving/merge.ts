import type { StateChange, StateEdit, StateRoot, StateStore } from '@portico/storage/state-trie/index.ts';
import { NotInMemory, withReads } from '../decide.ts';
import type { Extremity, RoomHead } from '../head.ts';
import type { RoomOfStates, StateResolver } from '../resolution/state-resolver.ts';

export type Merged = { readonly state: StateRoot; readonly edit: StateEdit | undefined };

/**
 * Merges the branches of rooms, remembering resolutions: while a room is forked, each event asks for the same ones. States
 * that hold the same count as one, however they came about.
 */
export interface Merger {
  /** The state of a room with these extremities. Throws `NotInMemory`. */
  merge(room: RoomOfStates, extremities: readonly Extremity[]): Merged;
  /** The state before an event that follows these. */
  stateAfterAll(room: RoomOfStates, roots: readonly StateRoot[]): Promise<Merged>;
}

export function createMerger(states: StateStore, resolver: StateResolver, maxRemembered = 1000): Merger {
  const remembered = new Map<string, readonly StateChange[]>();

  async function remember(key: string, room: RoomOfStates, roots: readonly StateRoot[]): Promise<void> {
    remembered.set(key, await resolver.resolve(room, roots));
    if (remembered.size > maxRemembered) remembered.delete(remembered.keys().next().value ?? key);
  }

  function mergeNow(room: RoomOfStates, all: readonly StateRoot[]): Merged {
    const byContent = new Map(all.map((root) => [root.contentHash, root]));
    const roots = [...byContent.values()].toSorted((a, b) => a.rootId - b.rootId);
    const [first] = roots;
    if (first === undefined) throw new Error('there is no state to merge');
    if (roots.length === 1) return { state: first, edit: undefined };
    const key = roots.map(({ contentHash }) => contentHash).join(' ');
    const changes = remembered.get(key);
    if (changes === undefined) throw new NotInMemory(() => remember(key, room, roots));
    if (changes.length === 0) return { state: first, edit: undefined };
    const edit = states.set(first, changes);
    const done = edit.now();
    if (done === undefined) throw new NotInMemory(async () => states.settle(await edit.run(), false));
    return { state: done.value.root, edit: done.value };
  }

  return {
    merge: (room, extremities) =>
      mergeNow(
        room,
        extremities.map(({ state }) => state),
      ),
    stateAfterAll: (room, roots) => withReads(() => mergeNow(room, roots)),
  };
}

/** How many events one event can follow: https://spec.matrix.org/v1.19/rooms/v12/#event-format */
const maxExtremities = 20;

type Branches = { readonly extremities: readonly Extremity[]; readonly edit: StateEdit | undefined };

/**
 * The extremities after an event: those it follows are none any more. Where there are more than one event can follow, the
 * oldest is given up, so that the next event of this server merges all branches; what was changed there lives on in the state
 * of the next one, or whoever left while twenty others did would be there again. Throws `NotInMemory`.
 */
export function extremitiesAfter(
  { merge }: Pick<Merger, 'merge'>,
  head: RoomHead,
  prevEvents: readonly string[],
  added: Extremity,
): Branches {
  const left = head.extremities.filter(({ eventId }) => !prevEvents.includes(eventId));
  const extremities = [...left, added];
  const [oldest, next, ...others] = extremities;
  if (extremities.length <= maxExtremities || oldest === undefined || next === undefined) {
    return { extremities, edit: undefined };
  }
  const { state, edit } = merge(head, [oldest, next]);
  return { extremities: [{ eventId: next.eventId, state }, ...others], edit };
}
