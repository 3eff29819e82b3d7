import assert from 'node:assert/strict';
import { chmodSync, closeSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { createTestDatabase } from '@portico/testkit';
import { makeConfig, makeFolder, run, start } from '@portico/testkit/program.ts';

test('the doctor finds a new server well, running or not', async (context) => {
  const { file } = await makeConfig(makeFolder(context));
  const doctor = (...more: string[]) => run(['doctor', '--config', file, ...more]);
  assert.equal(run(['user', 'add', 'alice', '--config', file, '--server-name', 'localhost']).status, 0);
  const stopped = doctor('--server-name', 'localhost');
  assert.equal(stopped.status, 0, stopped.stdout);
  assert.match(stopped.stdout, /^warn {2}server: does not run\n {6}→ Start it/m);
  assert.match(stopped.stdout, /^ok {4}database: \S+portico\.db is whole \(SQLite/m);
  const server = await start(context, ['serve', '--config', file, '--server-name', 'localhost']);
  const running = doctor('--server-name', 'localhost');
  assert.equal(running.status, 0, running.stdout);
  for (const line of [
    'server: runs',
    'signing key: ed25519:',
    'schema: version',
    'disk: ',
    'clients: reach the server',
  ]) {
    assert.match(running.stdout, new RegExp(`^ok {4}${line}`, 'm'));
  }
  assert.doesNotMatch(running.stdout, /^fail/m);
  assert.equal(await server.stop(), 0);
});

test('the doctor says what fails, and exits 1; a wrong configuration is 78', async (context) => {
  const folder = makeFolder(context);
  const { file } = await makeConfig(folder);
  assert.equal(run(['user', 'add', 'alice', '--config', file]).status, 0);
  const data = join(folder, 'data');
  chmodSync(data, 0o755);
  writeFileSync(join(data, 'signing.key'), 'not a key');
  const database = new DatabaseSync(join(data, 'portico.db'));
  database.exec(`insert into schema_migrations values (9999, 'later', 0)`);
  const { rootpage } = database.prepare(`select rootpage from sqlite_schema where name = 'rooms'`).get() ?? {};
  database.close();
  const opened = openSync(join(data, 'portico.db'), 'r+');
  writeSync(opened, Buffer.alloc(4096, 0xff), 0, 4096, (Number(rootpage) - 1) * 4096);
  closeSync(opened);
  const { status, stdout } = run(['doctor', '--config', file]);
  assert.equal(status, 1);
  assert.match(stdout, /^fail {2}signing key: .*is not a signing key.*\n {6}→ Restore it from a backup/m);
  assert.match(stdout, /^fail {2}database: .* is damaged: /m);
  assert.match(stdout, /^fail {2}schema: version 9999, and this program knows/m);
  assert.match(stdout, /^warn {2}permissions: others can read/m);
  assert.equal(run(['doctor', '--config', file, '--log-level', 'loud']).status, 78);
});

test('the doctor looks at PostgreSQL, its clock too', async (context) => {
  const url = await createTestDatabase();
  const { file } = await makeConfig(makeFolder(context), `database: "${url}"\n`);
  const { stdout } = run(['doctor', '--config', file]);
  assert.match(stdout, /^ok {4}database: PostgreSQL \d\S*, encoding UTF8, collation /m);
  assert.match(stdout, /^ok {4}schema: version/m);
  assert.match(stdout, /^ok {4}clock: that of the database says the same/m);
  const away = run(['doctor', '--config', file, '--database', 'postgres://a:hush@127.0.0.1:1/a']);
  assert.equal(away.status, 1);
  assert.match(away.stdout, /^fail {2}database: it cannot be opened: .*\n {6}→ Look at the setting database/m);
  assert.doesNotMatch(away.stdout, /hush/);
});
