import type { Migration } from '../../migrations/migration.ts';
import { pendingMigrations } from '../migrate.ts';
import { connectPostgres, usualIdleTimeout } from './client.ts';
import { toPostgresDdl } from './sql-text.ts';
import { supportSchema, supportStatements } from './support.ts';

/** An arbitrary number, the same in every process. */
const lock = 7_306_923_001;

const ledger = `create table if not exists schema_migrations (
  version bigint primary key,
  name text not null,
  applied_at bigint not null
)`;

/** Brings the schema up to date in one transaction; processes that start at the same time wait for the first one. */
export async function migratePostgres(
  url: string,
  migrations: readonly Migration[],
  idleInTransactionTimeout = usualIdleTimeout,
): Promise<readonly Migration[]> {
  const client = await connectPostgres({ url, name: 'portico migrations', idleInTransactionTimeout });
  try {
    const encoding = await client.query<{ server_encoding: string }>('show server_encoding');
    if (encoding.rows[0]?.server_encoding !== 'UTF8') {
      throw new Error(
        `The PostgreSQL database has the encoding ${encoding.rows[0]?.server_encoding}; make one with UTF8: ` +
          `create database … encoding 'UTF8' template template0`,
      );
    }
    await client.query('begin');
    await client.query(`select pg_advisory_xact_lock(${lock})`);
    await client.query(ledger);
    const { rows } = await client.query<{ version: string; name: string }>(
      'select version, name from schema_migrations',
    );
    const pending = pendingMigrations(migrations, new Map(rows.map(({ version, name }) => [Number(version), name])));
    const found = await client.query('select 1 from pg_namespace where nspname = $1', [supportSchema]);
    if (pending.length > 0 || found.rows.length === 0) {
      for (const statement of supportStatements) await client.query(statement);
    }
    for (const { version, name, statements } of pending) {
      for (const statement of statements) await client.query(toPostgresDdl(statement));
      await client.query('insert into schema_migrations values ($1, $2, $3)', [version, name, Date.now()]);
    }
    await client.query('commit');
    return pending;
  } finally {
    await client.end();
  }
}
