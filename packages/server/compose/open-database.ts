import { type Database, openDatabase, type OpenOptions } from '@portico/storage';
import { SchemaTooNewError } from '@portico/storage/engines/migrate.ts';
import { DatabaseOpenError } from '@portico/storage/errors.ts';
import { StartError } from '../process/start-error.ts';

/** Opens the database of the configuration. Throws `StartError` where that is the matter. */
export async function openConfiguredDatabase(options: OpenOptions): Promise<Database> {
  try {
    return await openDatabase(options);
  } catch (error) {
    throw explain(error, options.url);
  }
}

/** A database that cannot be used is a matter of configuration, and said without the password in its address. */
function explain(error: unknown, url: string): unknown {
  const shown = url.replace(/:\/\/.*@/, '://…@');
  if (error instanceof SchemaTooNewError) return new StartError(`database is ${shown}: ${error.message}`);
  if (!(error instanceof DatabaseOpenError)) return error;
  return new StartError(
    `database is ${shown}, which cannot be opened: ${error.message}. Check the setting and the database.`,
  );
}
