import { DatabaseSync } from 'node:sqlite';
import type { Inspection } from '../inspection.ts';
import { createReader } from './reader.ts';

/** More than this many damaged places say nothing more. */
const mostFindings = 10;

/** Opened for writing where it may, since the files beside it would otherwise be left behind. */
export function inspectSqlite(path: string, { readOnly }: { readonly readOnly: boolean }): Inspection {
  const db = new DatabaseSync(path, { readOnly, timeout: 5000 });
  try {
    return {
      reader: createReader(db),
      engine: `SQLite ${String(db.prepare('select sqlite_version() as version').get()?.['version'])}`,
      schemaVersion: schemaVersionOf(db),
      clockAhead: 0,
      findDamage: () => findDamage(db),
      remarks: [],
      close: async () => db.close(),
    };
  } catch (error) {
    db.close();
    throw error;
  }
}

/** What is damaged badly enough keeps the look from its end. */
function findDamage(db: DatabaseSync): string[] {
  try {
    const rows = db.prepare(`pragma quick_check(${mostFindings})`).all();
    const said = rows.map((row) => String(Object.values(row)[0]));
    return said.length === 1 && said[0] === 'ok' ? [] : said;
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  }
}

function schemaVersionOf(db: DatabaseSync): number | undefined {
  const there = db.prepare(`select 1 from sqlite_schema where type = 'table' and name = 'schema_migrations'`).get();
  if (there === undefined) return undefined;
  const newest = db.prepare('select max(version) as version from schema_migrations').get()?.['version'];
  return newest === null ? undefined : Number(newest);
}
