import { hash } from 'node:crypto';
import type { StateEdit, StateRoot, StateStore } from '@portico/storage/state-trie/index.ts';
import { NotInMemory, withReads } from '../decide.ts';
import type { Resolved, RoomOfStates, StateResolver } from '../resolution/state-resolver.ts';

export type Merged = Pick<Resolved, 'differing'> & { readonly state: StateRoot; readonly edit: StateEdit | undefined };

/**
 * Merges the branches of rooms, remembering resolutions: while a room is forked, each event asks for the same ones. States
 * that hold the same count as one, however they came about.
 */
export interface Merger {
  /** The resolution of some states, made out of `base`: where that is much the same, it costs little. Throws `NotInMemory`. */
  merge(room: RoomOfStates, roots: readonly StateRoot[], base: StateRoot): Merged;
  /** The state before an event that follows these. */
  stateAfterAll(room: RoomOfStates, roots: readonly StateRoot[]): Promise<Merged>;
}

const mostRemembered = 1000;
/** Entries of states that all that is remembered changes: a resolution of states that are far apart may change thousands. */
const mostChanges = 200_000;

export function createMerger(
  states: Pick<StateStore, 'set' | 'settle'>,
  resolver: StateResolver,
  { maxRemembered = mostRemembered, maxChanges = mostChanges } = {},
): Merger {
  const remembered = new Map<string, Resolved>();
  let changesHeld = 0;

  function forget(key: string): void {
    changesHeld -= remembered.get(key)?.changes.length ?? 0;
    remembered.delete(key);
  }

  async function remember(
    key: string,
    room: RoomOfStates,
    roots: readonly StateRoot[],
    base: StateRoot,
  ): Promise<void> {
    const resolved = await resolver.resolve(room, roots, base);
    forget(key);
    remembered.set(key, resolved);
    changesHeld += resolved.changes.length;
    for (const [oldest] of remembered) {
      // The newest is what somebody waits for.
      if (oldest === key || (remembered.size <= maxRemembered && changesHeld <= maxChanges)) return;
      forget(oldest);
    }
  }

  function merge(room: RoomOfStates, all: readonly StateRoot[], base: StateRoot | undefined): Merged {
    const byContent = new Map(all.map((root) => [root.contentHash, root]));
    const roots = [...byContent.values()].toSorted((a, b) => a.rootId - b.rootId);
    const [first] = roots;
    if (first === undefined) throw new Error('there is no state to merge');
    if (roots.length === 1) return { state: first, edit: undefined, differing: 0 };
    const start = base ?? first;
    const key = hash('sha256', [start, ...roots].map(({ contentHash }) => contentHash).join(' '));
    const known = remembered.get(key);
    if (known === undefined) throw new NotInMemory(() => remember(key, room, roots, start));
    const { changes, differing } = known;
    if (changes.length === 0) return { state: start, edit: undefined, differing };
    const edit = states.set(start, changes);
    const done = edit.now();
    if (done === undefined) throw new NotInMemory(async () => states.settle(await edit.run(), false));
    return { state: done.value.root, edit: done.value, differing };
  }

  return {
    merge,
    stateAfterAll: (room, roots) => withReads(() => merge(room, roots, undefined)),
  };
}
