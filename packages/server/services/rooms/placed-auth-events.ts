import type { Reader } from '@portico/storage';
import { readUnplaced } from '@portico/storage/stores/rooms/room-import.ts';

/**
 * Those auth events of an event by which it gets its place in the auth chains. They all have one, or it is not to be placed;
 * only what is rejected may name others of which it is not known what allowed them, since nothing will be resolved by it.
 */
export async function placedAuthEvents(
  reader: Reader,
  authEventNids: readonly number[],
  isRejected: boolean,
): Promise<readonly number[]> {
  if (!isRejected) return authEventNids;
  const unplaced = await readUnplaced(reader, authEventNids);
  return authEventNids.filter((nid) => !unplaced.has(nid));
}
