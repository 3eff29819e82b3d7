import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { StartError } from './start-error.ts';

const sqliteBusy = 5;

/** A connection that nothing refers to is closed when its memory is collected, and its lock would go with it. */
const held = new Set<DatabaseSync>();

/**
 * Takes a folder for this process; the answer is the function that gives it up. Throws if another process has it.
 *
 * The lock is the operating system's on a file, held through an SQLite transaction since Node itself offers none. So it
 * ends with the process however that ends, a copied folder carries no lock, and processes see each other's across
 * process namespaces. Nothing else in this process may open the file: POSIX drops a process's locks on a file as soon
 * as any descriptor of it is closed.
 */
export function lockFolder(folder: string): () => void {
  const database = openLock(join(folder, 'lock'));
  try {
    // Nothing is ever written; a journal file would only be left behind.
    database.exec('pragma journal_mode = memory; begin exclusive');
    held.add(database);
    return () => {
      held.delete(database);
      database.close();
    };
  } catch (error) {
    database.close();
    if (!(error instanceof Error && 'errcode' in error && error.errcode === sqliteBusy)) throw error;
    throw new StartError(
      `data_dir is ${folder}, which another running Portico uses. Stop that one, or give this one a data_dir of its own.`,
    );
  }
}

function openLock(file: string): DatabaseSync {
  try {
    return new DatabaseSync(file, { timeout: 0 });
  } catch (error) {
    throw new StartError(`data_dir cannot be used: ${file}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
