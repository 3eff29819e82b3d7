import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite, test, type TestContext } from 'node:test';
import { openDatabase } from '@portico/storage';
import { migratePostgres } from '@portico/storage/engines/postgres/migrate.ts';
import { migrations } from '@portico/storage/migrations/index.ts';
import { createEmptyTestDatabase } from '@portico/testkit';
import { openRawDatabase } from '@portico/testkit/raw-database.ts';
import { freePort, startServerProcess, tryServerProcess } from '@portico/testkit/server-process.ts';
import { createTestClient } from '@portico/testkit/test-client.ts';
import { until } from '@portico/testkit/until.ts';
import { hashToken } from '@portico/server/services/accounts/access-tokens.ts';
import { copyDatabase, type Engine, makeOldDatabase, readAll } from './old-database.ts';
import { createRandom } from './random.ts';

/** Fixed, so that a failure can be had again; `PORTICO_CRASH_SEED` tries others. */
const seed = Number(process.env['PORTICO_CRASH_SEED'] ?? 3);
const rounds = Number(process.env['PORTICO_CRASH_ROUNDS'] ?? 4);

/** A process that migrates a database, and gives itself the signal before that statement of those that are due. */
const program = (url: string, before: number, signal: string, idleInTransactionTimeout?: number) => `
  import { openDatabase } from '@portico/storage';
  import { migrations } from '@portico/storage/migrations/index.ts';
  let left = ${before};
  const pass = () => left-- === 0 && process.kill(process.pid, '${signal}');
  const killing = migrations.map((migration) => ({
    ...migration,
    statements: {
      *[Symbol.iterator]() {
        for (const statement of migration.statements) {
          pass();
          yield statement;
        }
        if (migration === migrations.at(-1)) pass();
      },
    },
  }));
  const options = ${JSON.stringify({ url, idleInTransactionTimeout })};
  const database = await openDatabase({ ...options, migrations: killing });
  await database.close();
`;

function startMigrating(...options: Parameters<typeof program>): ChildProcess {
  return spawn(process.execPath, ['--input-type=module', '-e', program(...options)], {
    cwd: import.meta.dirname,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

async function migrateAndDie(url: string, before: number): Promise<void> {
  const [, signal] = (await once(startMigrating(url, before, 'SIGKILL'), 'close')) as [unknown, string];
  assert.equal(signal, 'SIGKILL');
}

function folderFor(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'portico-migrations-'));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const freshUrl = async (engine: Engine, folder: string): Promise<string> =>
  engine === 'sqlite' ? `sqlite:${join(folder, 'portico.db')}` : createEmptyTestDatabase();

async function migrate(url: string): Promise<void> {
  await (await openDatabase({ url })).close();
}

suite('migrations that are killed', { concurrency: true }, () => {
  for (const engine of ['sqlite', 'postgres'] as const) {
    for (const version of [4, 40]) {
      test(`leave what was there, and go through the next time (${engine}, from ${version})`, async (context) => {
        const random = createRandom(seed + version);
        const old = await freshUrl(engine, folderFor(context));
        await makeOldDatabase(old, version);
        const before = await readAll(old);
        const whole = await copyDatabase(old, 'whole');
        await migrate(whole);
        const after = await readAll(whole);
        assert.ok((after.get('accounts')?.split('\n').length ?? 0) > 40);

        const tried = await copyDatabase(old, 'tried');
        const due = migrations.slice(version).reduce((sum, { statements }) => sum + statements.length, 0);
        const points = [0, due, ...Array.from({ length: rounds }, () => random.below(due))];
        for (const point of points) {
          await migrateAndDie(tried, point);
          assert.deepEqual(await readAll(tried), before, `killed before statement ${point} of ${due}`);
        }
        await migrate(tried);
        assert.deepEqual(await readAll(tried), after);
      });
    }

    test(`a server that is killed while it starts on an old database starts in the end (${engine})`, async (context) => {
      const random = createRandom(seed);
      const folder = folderFor(context);
      const databaseUrl = await freshUrl(engine, folder);
      const version = 4;
      const first = await openDatabase({ url: databaseUrl, migrations: migrations.slice(0, version) });
      await first.close();
      const raw = await openRawDatabase(databaseUrl);
      const [user, token] = ['@alice:localhost', 'a token'];
      await raw.run('insert into accounts (user_id, is_admin, created_at) values ($1, 0, 1)', [user]);
      await raw.run(`insert into devices (user_id, device_id, created_at) values ($1, 'D', 1)`, [user]);
      await raw.run(`insert into access_tokens (token_hash, user_id, device_id, created_at) values ($1, $2, 'D', 1)`, [
        hashToken(token),
        user,
      ]);
      await raw.close();

      const options = { dataDir: join(folder, 'data'), databaseUrl, port: await freePort() };
      const kept = await copyDatabase(databaseUrl, 'kept');
      const trial = await startServerProcess({ ...options, dataDir: join(folder, 'trial'), databaseUrl: kept });
      trial.signal('SIGKILL');
      await trial.ended;
      for (let round = 0; round < rounds; round += 1) {
        const started = await tryServerProcess({ ...options, killAfter: random.below(Math.ceil(trial.readyAfter)) });
        if (typeof started !== 'string') await started.ended;
        const written = typeof started === 'string' ? started : started.output();
        assert.doesNotMatch(written, /"level":(?:50|60)/);
      }
      const server = await startServerProcess(options);
      context.after(() => server.signal('SIGKILL'));
      const alice = createTestClient(server.baseUrl, { userId: user, accessToken: token, deviceId: 'D' });
      const { status, body } = await alice.get('/_matrix/client/v3/account/whoami');
      assert.deepEqual([status, body['user_id']], [200, user]);
      const room = await alice.post('/_matrix/client/v3/createRoom', {});
      assert.equal(room.status, 200);
      server.signal('SIGTERM');
      assert.equal(await server.ended, 0, server.output());
      assert.doesNotMatch(server.output(), /"level":(?:50|60)/);
    });
  }

  test('one that stands still in the middle is not waited for (postgres)', async (context) => {
    const url = await createEmptyTestDatabase();
    const child = startMigrating(url, 20, 'SIGSTOP', 2000);
    context.after(() => child.kill('SIGKILL'));
    const raw = await openRawDatabase(url);
    context.after(() => raw.close());
    const idle = `select 1 as one from pg_stat_activity
      where datname = current_database() and state = 'idle in transaction' and state_change < now() - interval '0.3 seconds'`;
    await until(async () => (await raw.run(idle)).length > 0, 'it stands still');
    await migrate(url);
    assert.equal((await raw.run('select version from schema_migrations')).length, migrations.length);
  });

  test('one that stands still is waited for for ten seconds, unless it is said otherwise (postgres)', async (context) => {
    const url = await createEmptyTestDatabase();
    const asked = `create table asked as select current_setting('idle_in_transaction_session_timeout') as patience`;
    await migratePostgres(url, [{ version: 1, name: 'asking', statements: [asked] }]);
    const raw = await openRawDatabase(url);
    context.after(() => raw.close());
    assert.deepEqual(await raw.run('select patience from asked'), [{ patience: '10s' }]);
  });
});
