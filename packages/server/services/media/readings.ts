import type { Database } from '@portico/storage';
import type { MediaKey, MediaRow } from '@portico/storage/stores/media/media.ts';
import { dayOfReading, noteReading } from '@portico/storage/stores/media/unused-media.ts';
import { createGatheredNotes } from '../gathered-notes.ts';
import type { HousekeepingLog } from './housekeeping.ts';

/** On which day each of this server's own files was read last, and neither by whom nor how often. */
export interface Readings {
  /** Notes that a file is read. It is written soon. */
  note(key: MediaKey, row: MediaRow): void;
  /** Writes what has been noted. */
  flush(): Promise<void>;
}

type Dependencies = {
  readonly db: Pick<Database, 'commit'>;
  readonly now: () => number;
  readonly log: HousekeepingLog;
  /** Milliseconds for which notes are gathered before they are written. */
  readonly gather?: number;
};

export function createReadings({ db, now, log, gather = 1000 }: Dependencies): Readings {
  const notes = createGatheredNotes<string, { readonly key: MediaKey; readonly day: number }>({
    db,
    gather,
    write: (set, { key, day }) => noteReading(set, key, day),
    // Files are there to be read also where nothing can be written, as on a full disk.
    onFailure: (error) => log.error({ err: error }, 'noting that files were read failed'),
  });
  return {
    note(key, { read_at: cached, last_read_day: noted }) {
      const day = Math.floor(now() / dayOfReading);
      // Images of previews lie under this server's name, and in the cache.
      if (cached !== null || (noted !== null && noted >= day)) return;
      notes.add(`${day} ${key.mediaId}`, { key, day });
    },
    flush: notes.flush,
  };
}
