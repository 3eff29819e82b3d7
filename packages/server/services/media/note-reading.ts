import { createWriteSet, type Database } from '@portico/storage';
import type { MediaKey, MediaRow } from '@portico/storage/stores/media/media.ts';
import { dayOfReading, noteReading } from '@portico/storage/stores/media/unused-media.ts';
import type { HousekeepingLog } from './housekeeping.ts';

/** Notes that one of this server's own files is read: on which day, and neither by whom nor how often. */
export type NoteReading = (key: MediaKey, row: MediaRow) => Promise<void>;

type Dependencies = { readonly db: Database; readonly now: () => number; readonly log: HousekeepingLog };

export function createNoteReading({ db, now, log }: Dependencies): NoteReading {
  return async (key, { read_at: cached, last_read_day: noted }) => {
    const today = Math.floor(now() / dayOfReading);
    // Images of previews lie under this server's name, and in the cache.
    if (cached !== null || (noted !== null && noted >= today)) return;
    const set = createWriteSet();
    noteReading(set, key, today);
    try {
      await db.commit(set);
    } catch (error) {
      // Files are there to be read also where nothing can be written, as on a full disk.
      log.error({ err: error }, 'noting that a file was read failed');
    }
  };
}
