import { DatabaseSync } from 'node:sqlite';
import { Client } from 'pg';

export type RawColumn = { readonly table: string; readonly column: string; readonly type: 'text' | 'number' | 'other' };

/** A database of a server that is stopped, looked at from outside. */
export interface RawDatabase {
  columns(): Promise<readonly RawColumn[]>;
  /** With `$n` placeholders. */
  run(text: string, params?: readonly (string | number)[]): Promise<readonly Record<string, unknown>[]>;
  close(): Promise<void>;
}

/** Tables that are no tables, and what a full text index keeps for itself. */
const isInternal = (table: string): boolean => table.startsWith('message_search') || table.startsWith('sqlite_');

export async function openRawDatabase(url: string): Promise<RawDatabase> {
  return url.startsWith('sqlite:') ? openSqlite(url.slice('sqlite:'.length)) : openPostgres(url);
}

function typeOf(name: string): RawColumn['type'] {
  const type = name.toLowerCase();
  if (type === 'text') return 'text';
  return type.includes('int') ? 'number' : 'other';
}

/** How long to wait for a server that is writing, in milliseconds. */
const patience = 10_000;

function openSqlite(path: string): RawDatabase {
  const database = new DatabaseSync(path, { timeout: patience });
  return {
    async columns() {
      const found = database
        .prepare(
          `select m.name as "table", c.name as "column", c.type as type
           from sqlite_master m, pragma_table_info(m.name) c where m.type = 'table'`,
        )
        .all() as { table: string; column: string; type: string }[];
      return found.filter(({ table }) => !isInternal(table)).map((row) => ({ ...row, type: typeOf(row.type) }));
    },
    run: async (text, params = []) => database.prepare(text.replaceAll(/\$(\d+)/g, '?$1')).all(...params),
    close: async () => database.close(),
  };
}

async function openPostgres(url: string): Promise<RawDatabase> {
  const client = new Client({ connectionString: url });
  await client.connect();
  return {
    async columns() {
      const { rows } = await client.query<{ table: string; column: string; type: string }>(
        `select table_name as "table", column_name as "column", data_type as type
         from information_schema.columns where table_schema = 'public'`,
      );
      return rows.filter(({ table }) => !isInternal(table)).map((row) => ({ ...row, type: typeOf(row.type) }));
    },
    run: async (text, params = []) => (await client.query<Record<string, unknown>>(text, [...params])).rows,
    close: () => client.end(),
  };
}
