import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createEmptyTestDatabase, openFor, temporarySqlite } from '@portico/testkit';
import { openDatabase, SchemaTooNewError, sql } from '../index.ts';
import { migrations } from '../migrations/index.ts';
import type { Migration } from '../migrations/index.ts';

const applied = sql<{ readonly version: number }>(
  'test.migrations',
  'select version from schema_migrations order by version',
);

const next: Migration = {
  version: migrations.length + 1,
  name: 'from-the-future',
  statements: ['create table future (id bigint primary key)'],
};

for (const [name, freshUrl] of [
  ['SQLite', async (context: Parameters<typeof temporarySqlite>[0]) => temporarySqlite(context)],
  ['PostgreSQL', async () => createEmptyTestDatabase()],
] as const) {
  test(`a database is brought up to date once, by whoever comes first (${name})`, async (context) => {
    const url = await freshUrl(context);
    const [first] = await Promise.all([openFor(context, url), openFor(context, url)]);
    const versions = (await first.all(applied, [])).map(({ version }) => version);
    assert.deepEqual(
      versions,
      migrations.map(({ version }) => version),
    );
  });

  test(`a database of a newer version is refused and stays as it is (${name})`, async (context) => {
    const url = await freshUrl(context);
    const newer = await openDatabase({ url, migrations: [...migrations, next] });
    await newer.close();
    await assert.rejects(
      openDatabase({ url }),
      (error) => error instanceof SchemaTooNewError && /newer/.test(error.message),
    );
    const again = await openFor(context, url, { migrations: [...migrations, next] });
    assert.equal((await again.all(applied, [])).length, next.version);
  });

  test(`a migration that fails leaves nothing behind (${name})`, async (context) => {
    const url = await freshUrl(context);
    const broken: Migration = {
      ...next,
      statements: [...next.statements, 'create table future (id bigint primary key)'],
    };
    await assert.rejects(openDatabase({ url, migrations: [...migrations, broken] }), /already exists/);
    const fixed = await openFor(context, url, { migrations: [...migrations, next] });
    assert.equal((await fixed.all(applied, [])).length, next.version);
  });
}

test('a URL of neither engine is refused', async () => {
  await assert.rejects(openDatabase({ url: 'mysql://x' }), /sqlite:/);
});
