import { type Database, openDatabase, type OpenOptions, parseFailpoint } from '@portico/storage';
import { SchemaTooNewError } from '@portico/storage/engines/migrate.ts';
import { DatabaseOpenError } from '@portico/storage/errors.ts';
import type { Config } from '../config/config.ts';
import type { Logger } from '../observability/logger.ts';
import type { Metrics } from '../observability/metrics.ts';
import { StartError } from '../process/start-error.ts';

type Context = {
  readonly config: Pick<Config, 'database' | 'durability' | 'testing'>;
  readonly metrics: Metrics | undefined;
  readonly log: Logger;
};

/** Opens the database of the configuration. Throws `StartError` where that is the matter. */
export async function openConfiguredDatabase({ config, metrics, log }: Context): Promise<Database> {
  const { url } = config.database;
  const { failpoint, maxDatabaseBytes } = config.testing;
  const options: OpenOptions = {
    url,
    durability: config.durability,
    ...(failpoint !== undefined && { failpoint: parseFailpoint(failpoint) }),
    ...(maxDatabaseBytes !== undefined && { maxBytes: maxDatabaseBytes }),
    log: (level, message, details) => log[level](details ?? {}, message),
    ...(metrics && { metrics: metrics.storage }),
  };
  try {
    return await openDatabase(options);
  } catch (error) {
    throw explain(error, url);
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
