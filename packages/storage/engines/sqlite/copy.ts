import { backup, DatabaseSync } from 'node:sqlite';

export type CopyProgress = (copiedPages: number, totalPages: number) => void;

/** Pages of 4 KiB that are copied before others get a turn, and the progress is told. */
const pagesAtOnce = 2000;

/**
 * Copies a database into a file that does not exist, as it is at this moment, while others go on reading and writing it.
 *
 * The transaction is what holds on to the moment: without it the copy would begin again with every commit of another process, and under
 * an even load never end. The log cannot be emptied meanwhile.
 */
export async function copySqlite(from: string, to: string, progress: CopyProgress): Promise<void> {
  const source = new DatabaseSync(from, { readOnly: true, timeout: 5000 });
  try {
    source.exec('begin');
    source.prepare('select count(*) from sqlite_schema').get();
    await backup(source, to, {
      rate: pagesAtOnce,
      progress: ({ totalPages, remainingPages }) => progress(totalPages - remainingPages, totalPages),
    });
  } finally {
    source.close();
  }
}
