import type { Database, WriteSet } from '@portico/storage';
import type { MediaKey } from '@portico/storage/stores/media/media.ts';
import { readEventsNamingMedia } from '@portico/storage/stores/media/media-of-room.ts';
import { addToQuarantine } from './add-to-quarantine.ts';
import { mediaInEvent } from './media-in-event.ts';

export type RoomQuarantineProgress = {
  /** Events before this place in the room's order are still to be looked at. */
  readonly before: number;
  readonly examined: number;
  /** Files that were not quarantined before. */
  readonly added: number;
  readonly isDone: boolean;
};

export const quarantineBegun: RoomQuarantineProgress = {
  before: Number.MAX_SAFE_INTEGER,
  examined: 0,
  added: 0,
  isDone: false,
};

/** What every step of going through a room needs. */
export type RoomQuarantineDependencies = {
  readonly db: Database;
  readonly now: () => number;
  /** Events that are looked at together. */
  readonly perPage?: number;
};

/** Files in one commit. An event may name thousands. */
const perCommit = 200;

/** Quarantines what the next events of a room are about, the newest first. */
export async function quarantinePage(
  { db, now, perPage = 500 }: RoomQuarantineDependencies,
  { by, roomNid }: { readonly by: string; readonly roomNid: number },
  progress: RoomQuarantineProgress,
  hold?: (set: WriteSet) => void,
): Promise<RoomQuarantineProgress> {
  const rows = await readEventsNamingMedia(db.long, roomNid, { before: progress.before, limit: perPage });
  let { added } = progress;
  let found: MediaKey[] = [];
  for (const { content } of rows) {
    if (content !== '') found.push(...mediaInEvent(content));
    for (; found.length >= perCommit; found = found.slice(perCommit)) {
      added += await addToQuarantine({ db, now }, by, found.slice(0, perCommit), hold);
    }
  }
  added += await addToQuarantine({ db, now }, by, found, hold);
  return {
    before: rows.at(-1)?.room_order ?? progress.before,
    examined: progress.examined + rows.length,
    added,
    isDone: rows.length < perPage,
  };
}
