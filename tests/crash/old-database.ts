import { cpSync } from 'node:fs';
import { openDatabase } from '@portico/storage';
import { migrations } from '@portico/storage/migrations/index.ts';
import { createEmptyTestDatabase } from '@portico/testkit';
import { openRawDatabase, type RawColumn, type RawDatabase } from '@portico/testkit/raw-database.ts';

export type Engine = 'sqlite' | 'postgres';

const rowsPerTable = 40;

/** Not to be filled: what the program itself puts there once, and what keeps the schema. */
const fixed: ReadonlySet<string> = new Set(['position_counter', 'consumers', 'schema_migrations']);

/** Every text is JSON, since some migrations look into theirs. What is neither text nor a number takes text on both engines. */
function valueOf({ type }: RawColumn, row: number): string {
  if (type === 'number') return String(row);
  return type === 'text' ? `'{"n":${row}}'` : `'${row}'`;
}

/** Makes a database as a program had it whose last migration was that one, with something in every table. */
export async function makeOldDatabase(url: string, version: number): Promise<void> {
  const old = await openDatabase({ url, durability: 'relaxed', migrations: migrations.slice(0, version) });
  await old.close();
  const raw = await openRawDatabase(url);
  try {
    await raw.run('begin');
    for (const [table, columns] of Map.groupBy(await raw.columns(), (column) => column.table)) {
      if (fixed.has(table)) continue;
      const row = (_: unknown, index: number) => `(${columns.map((column) => valueOf(column, index + 1)).join(', ')})`;
      const names = columns.map(({ column }) => `"${column}"`).join(', ');
      await raw.run(`insert into ${table} (${names}) values ${Array.from({ length: rowsPerTable }, row).join(', ')}`);
    }
    await raw.run('commit');
  } finally {
    await raw.close();
  }
}

/** Another database with the same in it. Nobody may use the one that it is made of. */
export async function copyDatabase(url: string, name: string): Promise<string> {
  if (url.startsWith('sqlite:')) {
    const from = url.slice('sqlite:'.length);
    const to = `${from}-${name}`;
    cpSync(from, to);
    return `sqlite:${to}`;
  }
  const copy = new URL(await createEmptyTestDatabase());
  const [to, from] = [copy, new URL(url)].map(({ pathname }) => pathname.slice(1));
  const other = new URL(url);
  other.pathname = '/postgres';
  const raw = await openRawDatabase(other.href);
  try {
    await raw.run(`drop database ${to}`);
    await raw.run(`create database ${to} template ${from} strategy file_copy`);
  } finally {
    await raw.close();
  }
  return copy.href;
}

/** All that is in a database but when it was migrated, as text, by table; and its indexes. */
export async function readAll(url: string): Promise<ReadonlyMap<string, string>> {
  const raw = await openRawDatabase(url);
  try {
    const all = new Map<string, string>();
    for (const [table, columns] of Map.groupBy(await raw.columns(), (column) => column.table)) {
      const names = columns
        .map(({ column }) => column)
        .filter((name) => name !== 'applied_at')
        .sort();
      const rows = await raw.run(`select ${names.map((name) => `"${name}"`).join(', ')} from ${table}`);
      all.set(table, [names.join(), ...rows.map((row) => JSON.stringify(Object.values(row))).sort()].join('\n'));
    }
    return all.set('indexes', (await indexesOf(raw, url)).sort().join('\n'));
  } finally {
    await raw.close();
  }
}

async function indexesOf(raw: RawDatabase, url: string): Promise<string[]> {
  const text = url.startsWith('sqlite:')
    ? `select name from sqlite_master where type = 'index'`
    : `select indexname as name from pg_indexes where schemaname = 'public'`;
  return (await raw.run(text)).map(({ name }) => String(name));
}
