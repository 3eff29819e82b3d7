import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openDatabase } from '@portico/storage';
import { createTestDatabase } from '@portico/testkit/postgres.ts';
import { connectPostgres } from './client.ts';

test('a database opens again, whatever its user is called', async () => {
  const url = new URL(await createTestDatabase());
  const client = await connectPostgres({ url: url.href });
  // What PostgreSQL makes for a user goes into the schema of that name as soon as there is one.
  await client.query('create role portico superuser login');
  await client.end();
  url.username = 'portico';
  for (const times of ['first', 'second', 'third']) {
    const database = await openDatabase({ url: url.href, durability: 'relaxed' });
    const rows = await database.all({ name: 'test.migrations', text: 'select version from schema_migrations' }, []);
    assert.ok(rows.length > 0, times);
    await database.close();
  }
});
