import type { Database } from './database.ts';
import type { OpenOptions } from './engines/options.ts';
import { DatabaseOpenError } from './errors.ts';

export type { OpenOptions, StorageLog, StorageMetrics } from './engines/options.ts';

/**
 * Opens the database of the URL, brings its schema up to date, and refuses one that a newer version of the program made
 * (`SchemaTooNewError`). Rejects where it cannot be reached (`DatabaseOpenError`).
 */
export async function openDatabase(options: OpenOptions): Promise<Database> {
  try {
    return await openEngine(options);
  } catch (error) {
    // Drivers and the system give their errors a code; what has none is a defect.
    if (!(error instanceof Error && 'code' in error)) throw error;
    throw new DatabaseOpenError(error.message || String(error.code), { cause: error });
  }
}

async function openEngine(options: OpenOptions): Promise<Database> {
  if (options.url.startsWith('sqlite:')) {
    const { openSqlite } = await import('./engines/sqlite/open.ts');
    return openSqlite(options.url.slice('sqlite:'.length), options);
  }
  if (/^postgres(ql)?:\/\//.test(options.url)) {
    const { openPostgres } = await import('./engines/postgres/open.ts');
    return openPostgres(options);
  }
  throw new Error(`A database URL starts with 'sqlite:' or 'postgres://'`);
}
