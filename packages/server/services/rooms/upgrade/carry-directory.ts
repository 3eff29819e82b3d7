import { createWriteSet, type Database, type WriteSet } from '@portico/storage';
import { readAliasesOfRoom } from '@portico/storage/stores/directory/aliases-read.ts';
import { moveAliasesOfRoom } from '@portico/storage/stores/directory/room-aliases.ts';
import { findPublished } from '@portico/storage/stores/directory/room-directory.ts';
import { addPublishedRoom, removePublishedRoom } from '@portico/storage/stores/directory/room-directory-write.ts';
import { readRoomNids } from '@portico/storage/stores/directory/room-summaries.ts';
import type { ReadState } from '../read-state.ts';

type Dependencies = {
  readonly db: Database;
  readonly readState: ReadState;
  readonly onFailure: (error: unknown) => void;
};

/** Brings a room's aliases of this server, and its place in this server's directory, to the one that replaces it. */
export function moveInDirectory(set: WriteSet, from: number, to: number, isPublished: boolean): void {
  moveAliasesOfRoom(set, from, to);
  if (!isPublished) return;
  removePublishedRoom(set, from);
  addPublishedRoom(set, to);
}

/**
 * The same for a room that was upgraded on another server, once somebody of this one has followed. Anybody may claim that their room
 * replaces another one: what counts is the tombstone of the old room, which takes power there.
 */
export function createCarryDirectory({ db, readState, onFailure }: Dependencies) {
  async function carry(fromId: string, toId: string): Promise<void> {
    const nids = await readRoomNids(db, [fromId, toId]);
    const [from, to] = [nids.get(fromId), nids.get(toId)];
    if (from === undefined || to === undefined) return;
    const [aliases, published] = await Promise.all([readAliasesOfRoom(db, from), findPublished(db, [from])]);
    if (aliases.length === 0 && published.size === 0) return;
    const { state } = await readState(from, [['m.room.tombstone', '']]);
    if (state('m.room.tombstone')?.content['replacement_room'] !== toId) return;
    const set = createWriteSet();
    moveInDirectory(set, from, to, published.has(from));
    await db.commit(set);
  }

  /** Somebody is in the new room already: what fails must not look as if they were not. */
  return async (fromId: string, toId: string): Promise<void> => {
    try {
      await carry(fromId, toId);
    } catch (error) {
      onFailure(error);
    }
  };
}
