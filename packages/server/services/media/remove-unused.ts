import type { ServerName } from '@portico/protocol';
import type { Database, Reader } from '@portico/storage';
import { readPictureTexts } from '@portico/storage/stores/media/pictures.ts';
import { listUnusedMedia } from '@portico/storage/stores/media/unused-media.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import type { ContentStore } from './content-store.ts';
import type { Readings } from './readings.ts';
import { removeFiles } from './remove-media.ts';

export type Unused = {
  /** Throws `request.invalid-param` if it is said and another server. */
  readonly origin?: string;
  /** When they were last used, in milliseconds. */
  readonly before: number;
  /** In bytes. */
  readonly largerThan: number;
  /** Whether what people of this server and rooms have as their picture stays. */
  readonly keepsPictures: boolean;
};

/**
 * Deletes files of this server that nobody has used for long, neither protected nor quarantined ones, and answers their
 * IDs: at most ten thousand, since whoever asks waits for it.
 */
export type RemoveUnused = (unused: Unused, signal: AbortSignal) => Promise<readonly string[]>;

type Dependencies = {
  readonly db: Database;
  readonly store: ContentStore;
  readonly readings: Pick<Readings, 'flush'>;
  readonly serverName: ServerName;
};

const mostAtOnce = 10_000;
const filesAtOnce = 100;

export function createRemoveUnused({ db, store, readings, serverName }: Dependencies): RemoveUnused {
  return async ({ origin = serverName, before, largerThan, keepsPictures }, signal) => {
    if (origin !== serverName) {
      throw new MatrixError('request.invalid-param', { message: 'Only files of this server can be deleted.' });
    }
    await readings.flush();
    const removed: string[] = [];
    for (let after = ''; ;) {
      const page = await listUnusedMedia(db.long, serverName, { after, before, largerThan, limit: mostAtOnce });
      const pictures = keepsPictures && page.length > 0 ? await findPictures(db.long, serverName) : new Set<string>();
      const going = page.filter((row) => !pictures.has(row.media_id)).slice(0, mostAtOnce - removed.length);
      for (let at = 0; at < going.length; at += filesAtOnce) {
        if (signal.aborted) return removed;
        const some = going.slice(at, at + filesAtOnce);
        await removeFiles({ db, store }, some);
        removed.push(...some.map((row) => row.media_id));
      }
      after = page.at(-1)?.media_id ?? after;
      if (page.length < mostAtOnce || removed.length >= mostAtOnce) return removed;
    }
  };
}

/** The IDs of this server's files that are pictures of people and rooms. */
async function findPictures(reader: Reader, serverName: ServerName): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  for await (const text of readPictureTexts(reader)) {
    for (const rest of text.split(`mxc://${serverName}/`).slice(1)) {
      const [id] = /^[A-Za-z0-9_-]+/.exec(rest) ?? [];
      if (id !== undefined) found.add(id);
    }
  }
  return found;
}
