import assert from 'node:assert/strict';
import { globSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { after, before, test } from 'node:test';
import { createTestDatabase } from '@portico/testkit';
import type { Client, Connection, Submittable } from 'pg';
import { connectPostgres } from './engines/postgres/client.ts';
import { toPostgresText } from './engines/postgres/sql-text.ts';
import { sessionSetup } from './engines/postgres/support.ts';
import { parserFor } from './engines/postgres/values.ts';
import { migrateSqlite } from './engines/sqlite/migrate.ts';
import { toSqliteText } from './engines/sqlite/sql-text.ts';
import { allowedFullScans } from './full-scans.ts';
import { migrations } from './migrations/index.ts';
import { statements } from './sql.ts';

type Column = { readonly name: string; readonly type: string | undefined };

const sqlite = new DatabaseSync(':memory:');
let postgres: Client;

before(async () => {
  migrateSqlite(sqlite, migrations);
  const modules = globSync('**/*.ts', {
    cwd: import.meta.dirname,
    exclude: (path) => /node_modules|\.test\.ts$|test-[^/]*\.ts$|-thread\.ts$/.test(path),
  });
  for (const path of modules) await import(new URL(path, import.meta.url).href);
  postgres = await connectPostgres({ url: await createTestDatabase(), setup: sessionSetup });
});
after(async () => {
  sqlite.close();
  await postgres.end();
});

const sqliteTypes: ReadonlyMap<string, string> = new Map([
  ['bigint', 'int8'],
  ['integer', 'int8'],
  ['text', 'text'],
  ['blob', 'bytea'],
  ['double precision', 'float8'],
]);
const postgresTypes: ReadonlyMap<number, string> = new Map([
  [20, 'int8'],
  [25, 'text'],
  [17, 'bytea'],
  [701, 'float8'],
]);

/** The columns of a statement as PostgreSQL describes them, without running it. */
function describe(name: string, text: string): Promise<Column[]> {
  return new Promise((resolve, reject) => {
    let columns: Column[] = [];
    const query = {
      submit(connection: Connection) {
        connection.parse({ name, text, types: [] }, true);
        connection.describe({ type: 'S', name }, true);
        connection.sync();
      },
      handleRowDescription({ fields }: { fields: { name: string; dataTypeID: number }[] }) {
        columns = fields.map((field) => {
          parserFor(field.dataTypeID, field.name);
          return { name: field.name, type: postgresTypes.get(field.dataTypeID) };
        });
      },
      handleError: (error: Error) => reject(new Error(`${name}: ${error.message}`)),
      handleReadyForQuery: () => resolve(columns),
    } satisfies Submittable & Record<string, unknown>;
    postgres.query(query);
  });
}

/** What an alias stands for in a text; the same alias may stand for several tables. */
function meanings(text: string, alias: string): string[] {
  const mentions = text.matchAll(/\b(?:from|join|update|into)\s+(\w+)(?:\s+(?:as\s+)?(\w+))?/gi);
  return [...mentions].flatMap(([, table = '', as]) => (as === alias || table === alias ? [table] : []));
}

/** Tables that a statement walks from end to end; its own subqueries and lists given as JSON do not count. */
function fullScans(text: string): string[] {
  const tables = new Set(
    sqlite
      .prepare(`select name from sqlite_master where type = 'table'`)
      .all()
      .map((row) => row['name']),
  );
  const plan = sqlite
    .prepare(`explain query plan ${text}`)
    .all()
    .map((row) => String(row['detail']));
  return plan.filter((step) => {
    const alias = /^SCAN (\w+)/.exec(step)?.[1];
    return alias !== undefined && meanings(text, alias).some((table) => tables.has(table));
  });
}

test('every statement prepares on both engines, with the same columns', async () => {
  assert.ok(statements.size > 20, 'the stores were imported');
  for (const { name, text } of statements.values()) {
    assert.ok(name.length < 64, `PostgreSQL cuts the name ${name}`);
    let ours: Column[];
    try {
      ours = sqlite
        .prepare(toSqliteText(text))
        .columns()
        .map((column) => ({ name: column.name, type: sqliteTypes.get(column.type?.toLowerCase() ?? '') }));
    } catch (error) {
      throw new Error(`${name} on SQLite`, { cause: error });
    }
    const theirs = await describe(name, toPostgresText(text));
    assert.deepEqual(
      ours.map((column) => column.name),
      theirs.map((column) => column.name),
      `the columns of ${name}`,
    );
    for (const [index, { name: column, type }] of ours.entries()) {
      if (type !== undefined) assert.equal(theirs[index]?.type, type, `the type of ${name}'s column ${column}`);
    }
  }
});

test('no statement reads a whole table, unless it is listed with its reason', () => {
  const unlisted: Record<string, readonly string[]> = {};
  for (const { name, text } of statements.values()) {
    const scans = fullScans(toSqliteText(text));
    if (scans.length > 0 && !allowedFullScans.has(name)) unlisted[name] = scans;
  }
  assert.deepEqual(unlisted, {});
  for (const name of allowedFullScans.keys()) assert.ok(statements.has(name), `${name} is listed but does not exist`);
});

test('the test for full scans sees one', () => {
  assert.deepEqual(fullScans('select value from server_metadata s where value = ?1'), ['SCAN s']);
  assert.deepEqual(fullScans('select value from server_metadata where key = ?1'), []);
});

/** Of these what is searched is as little as one person, connection or call has. */
const shortSearches: ReadonlySet<string> = new Set([
  'fallback-keys.set',
  'push-context.missed-calls',
  'sliding-configs.delete-unused',
  'sliding-rooms.merge-answer',
  'thread-subscriptions.among',
]);

test('what a list names is looked up by the list: SQLite does not go through a whole room for each part of it', () => {
  const slow: string[] = [];
  for (const { name, text } of statements.values()) {
    const plan = sqlite.prepare(`explain query plan ${toSqliteText(text)}`).all() as {
      parent: number;
      detail: string;
    }[];
    for (const steps of Map.groupBy(plan, ({ parent }) => parent).values()) {
      let searched: string | undefined;
      for (const { detail } of steps) {
        if (detail.startsWith('SEARCH')) searched = detail.includes('(rowid=?)') ? searched : detail;
        else if (searched !== undefined && /^SCAN .*VIRTUAL TABLE/.test(detail)) slow.push(name);
        else if (!detail.startsWith('SCAN')) searched = undefined;
      }
    }
  }
  assert.deepEqual(
    slow.filter((name) => !shortSearches.has(name)),
    [],
  );
});
