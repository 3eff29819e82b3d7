import type { Inspection } from './engines/inspection.ts';
import { DatabaseOpenError } from './errors.ts';
import { migrations } from './migrations/index.ts';

export type { Inspection } from './engines/inspection.ts';

/** The number of the newest migration that this version of the program knows. */
export const knownSchemaVersion = migrations.length;

type Options = {
  readonly url: string;
  readonly now: () => number;
  /** Whether a server may have it open: SQLite is then not written to in any way. */
  readonly inUse: boolean;
};

/** Opens a database to look at it. Rejects where it cannot be opened (`DatabaseOpenError`). */
export async function inspectDatabase({ url, now, inUse }: Options): Promise<Inspection> {
  try {
    if (url.startsWith('sqlite:')) {
      const { inspectSqlite } = await import('./engines/sqlite/inspect.ts');
      return inspectSqlite(url.slice('sqlite:'.length), { readOnly: inUse });
    }
    const { inspectPostgres } = await import('./engines/postgres/inspect.ts');
    return await inspectPostgres(url, now);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error;
    throw new DatabaseOpenError(error.message || String(error.code), { cause: error });
  }
}
