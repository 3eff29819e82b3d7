import type { StateKeyPair } from '@portico/protocol';
import { maxPrevEvents } from '@portico/protocol/events/limits.ts';
import type { StateStore } from '@portico/storage/state-trie/index.ts';
import type { ExtremityRow, RoomRow } from '@portico/storage/stores/rooms/rooms.ts';
import { branchesToFollow } from './branches.ts';

/** What the next event of a room follows, which these entries of its state allow. */
export async function eventsToFollow(
  states: Pick<StateStore, 'roots' | 'getMany'>,
  row: Pick<RoomRow, 'extremities' | 'state_root'>,
  keys: readonly StateKeyPair[],
): Promise<readonly string[]> {
  const branches = JSON.parse(row.extremities) as readonly ExtremityRow[];
  if (branches.length <= maxPrevEvents) return branches.map(([eventId]) => eventId);
  const roots = await states.roots([row.state_root, ...branches.map(([, root]) => root)]).run();
  const [current = [], ...entries] = await Promise.all(roots.map((root) => states.getMany(root, keys).run()));
  return branchesToFollow(branches, entries, current).map(([eventId]) => eventId);
}
