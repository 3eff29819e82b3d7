import type { StateKeyPair } from '@portico/protocol';
import { maxPrevEvents } from '@portico/protocol/events/limits.ts';
import type { StateRoot, StateStore } from '@portico/storage/state-trie/index.ts';
import type { ExtremityRow, RoomRow } from '@portico/storage/stores/rooms/rooms.ts';
import { branchesToFollow } from './branches.ts';

export type Followed = {
  readonly eventIds: readonly string[];
  /** The states after them, where those are not all that the room's state comes from. */
  readonly some: readonly StateRoot[] | undefined;
};

/** What the next event of a room follows, which these entries of its state allow. */
export async function eventsToFollow(
  states: Pick<StateStore, 'roots' | 'getMany'>,
  row: Pick<RoomRow, 'extremities' | 'state_root'>,
  keys: readonly StateKeyPair[],
): Promise<Followed> {
  const branches = JSON.parse(row.extremities) as readonly ExtremityRow[];
  if (branches.length <= maxPrevEvents) return { eventIds: branches.map(([eventId]) => eventId), some: undefined };
  const roots = await states.roots([row.state_root, ...branches.map(([, root]) => root)]).run();
  const [current = [], ...entries] = await Promise.all(roots.map((root) => states.getMany(root, keys).run()));
  const after = branches.map(([eventId], index) => ({ eventId, state: roots[index + 1] as StateRoot }));
  const followed = branchesToFollow(after, entries, current);
  return { eventIds: followed.map(({ eventId }) => eventId), some: followed.map(({ state }) => state) };
}
