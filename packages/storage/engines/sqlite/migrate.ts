import type { DatabaseSync } from 'node:sqlite';
import type { Migration } from '../../migrations/migration.ts';
import { pendingMigrations } from '../migrate.ts';
import { toSqliteDdl } from './sql-text.ts';

const ledger = `create table if not exists schema_migrations (
  version integer primary key,
  name text not null,
  applied_at bigint not null
)`;

/** Brings the schema up to date in one transaction, which is also the lock against another process doing the same. */
export function migrateSqlite(db: DatabaseSync, migrations: readonly Migration[]): readonly Migration[] {
  db.exec('begin immediate');
  try {
    db.exec(ledger);
    const rows = db.prepare('select version, name from schema_migrations').all();
    const pending = pendingMigrations(
      migrations,
      new Map(rows.map((row) => [Number(row['version']), String(row['name'])])),
    );
    const record = db.prepare('insert into schema_migrations (version, name, applied_at) values (?1, ?2, ?3)');
    // A transaction that may not write begins like any other, and fails with the first thing that it is to change.
    db.exec('delete from schema_migrations where version < 0');
    for (const { version, name, statements } of pending) {
      for (const statement of statements) db.exec(toSqliteDdl(statement));
      record.run(version, name, Date.now());
    }
    db.exec('commit');
    return pending;
  } catch (error) {
    if (db.isTransaction) db.exec('rollback');
    throw error;
  }
}
