import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, chownSync, closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDatabase } from '@portico/storage';
import { connectPostgres } from '@portico/storage/engines/postgres/client.ts';
import { migrations } from '@portico/storage/migrations/index.ts';
import { findPostgres, serverUser } from './postgres-binaries.ts';

/** In milliseconds. A process that loads a dozen test files looks at nothing else meanwhile. */
const connectTimeout = 120_000;

export type TestPostgres = {
  /** Of the database `postgres`, by its superuser. */
  readonly url: string;
  readonly stop: () => Promise<void>;
  /** Stops the server as a crash would (`kill`) or with its connections (`fast`), and starts it again on the same data. */
  readonly restart: (how: 'kill' | 'fast') => Promise<void>;
  readonly halt: (how: 'kill' | 'fast') => Promise<void>;
  readonly resume: () => Promise<void>;
};

const environmentName = 'PORTICO_TEST_POSTGRES';

const settings = [
  'listen_addresses=',
  'fsync=off',
  'full_page_writes=off',
  'shared_buffers=32MB',
  'max_connections=300',
  'log_min_messages=panic',
  'log_min_error_statement=panic',
];

function withName(url: string, name: string): string {
  const parsed = new URL(url);
  parsed.pathname = `/${name}`;
  return parsed.href;
}

async function query(url: string, text: string): Promise<readonly Record<string, unknown>[]> {
  const client = await connectPostgres({ url, connectTimeout });
  try {
    return (await client.query<Record<string, unknown>>(text)).rows;
  } finally {
    await client.end();
  }
}

/**
 * Runs the server until it ends, or until the process that started it is gone: its end of the pipe closes with it. The
 * folder, which is the working directory, goes too. A line on the pipe says that the server is halted on purpose.
 */
const guardian = `
  exec 3<&0
  "$@" </dev/null 3<&- &
  server=$!
  (
    read -r halted <&3 && exit
    kill -QUIT $server
    while kill -0 $server; do sleep 0.05; done
    rm -rf "$PWD"
  ) 2>/dev/null &
  wait $server
`;

async function untilReady(url: string, server: ChildProcess, log: string): Promise<void> {
  for (;;) {
    if (server.exitCode !== null) throw new Error(`PostgreSQL did not start: ${readFileSync(log, 'utf8')}`);
    try {
      await query(url, 'select 1');
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

/**
 * Starts a throw-away PostgreSQL that listens on a socket in a folder of its own. Its default collation is a language's,
 * so that a comparison which is not bytewise on its own account shows.
 */
export async function startTestPostgres(): Promise<TestPostgres> {
  const folder = mkdtempSync(join(tmpdir(), 'portico-pg-'));
  if (serverUser.uid !== undefined) chownSync(folder, serverUser.uid, serverUser.gid);
  chmodSync(folder, 0o700);
  const { initdb, postgres } = await findPostgres(folder);
  const data = join(folder, 'data');
  const collation = ['--locale=C', '--locale-provider=icu', '--icu-locale=en-US'];
  const initialised = spawnSync(
    initdb,
    ['-D', data, '-U', 'postgres', '-A', 'trust', '--no-sync', '--encoding=UTF8', ...collation],
    { ...serverUser, cwd: folder, encoding: 'utf8' },
  );
  if (initialised.status !== 0) throw new Error(`initdb failed: ${initialised.stderr}`);

  const url = `postgres://postgres@localhost/postgres?host=${encodeURIComponent(folder)}`;
  let server: ChildProcess | undefined;

  const log = join(folder, 'log');

  const resume = async () => {
    const args = ['-D', data, '-k', folder, ...settings.flatMap((setting) => ['-c', setting])];
    const output = openSync(log, 'a');
    const started = spawn('/bin/sh', ['-c', guardian, 'sh', postgres, ...args], {
      ...serverUser,
      cwd: folder,
      stdio: ['pipe', output, output],
    });
    closeSync(output);
    // A test process may end while its server still runs; the guardian then ends the server.
    started.unref();
    (started.stdin as Socket).unref();
    server = started;
    await untilReady(url, started, log);
  };

  const halt = async (how: 'kill' | 'fast') => {
    const stopping = server;
    if (stopping === undefined) return;
    server = undefined;
    stopping.ref();
    stopping.stdin?.end('halted\n');
    const ended = once(stopping, 'exit');
    const [pid] = readFileSync(join(data, 'postmaster.pid'), 'utf8').split('\n');
    // SIGQUIT ends it without a checkpoint, as a crash does; a SIGKILL would leave its children and shared memory.
    process.kill(Number(pid), how === 'kill' ? 'SIGQUIT' : 'SIGINT');
    await ended;
  };

  await resume();

  return {
    url,
    halt,
    resume,
    async restart(how) {
      await halt(how);
      await resume();
    },
    async stop() {
      await halt('kill');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

let own: Promise<TestPostgres> | undefined;

/** The server that all test files of a run share, or one for this file alone, which ends with the process. */
async function serverUrl(): Promise<string> {
  const shared = process.env[environmentName];
  if (shared !== undefined && shared !== '') return shared;
  own ??= startTestPostgres();
  return (await own).url;
}

/** Whoever comes first makes the template; the others wait for it. */
async function templateIn(url: string): Promise<string> {
  const text = JSON.stringify(migrations);
  const name = `template_${createHash('sha256').update(text).digest('hex').slice(0, 16)}`;
  const client = await connectPostgres({ url, connectTimeout });
  try {
    await client.query('select pg_advisory_lock(1)');
    const found = await client.query('select 1 from pg_database where datname = $1', [name]);
    if (found.rows.length === 0) {
      await client.query(`create database ${name}_new`);
      const database = await openDatabase({ url: withName(url, `${name}_new`) });
      await database.close();
      await client.query(`alter database ${name}_new rename to ${name}`);
    }
  } finally {
    await client.end();
  }
  return name;
}

let template: Promise<string> | undefined;

/** A fresh database with the newest schema, for one test suite. It goes with its server. */
export async function createTestDatabase(): Promise<string> {
  const url = await serverUrl();
  template ??= templateIn(url);
  const name = `test_${randomBytes(8).toString('hex')}`;
  await query(url, `create database ${name} template ${await template} strategy file_copy`);
  return withName(url, name);
}

/** A fresh database without any table. */
export async function createEmptyTestDatabase(): Promise<string> {
  const url = await serverUrl();
  const name = `test_${randomBytes(8).toString('hex')}`;
  await query(url, `create database ${name}`);
  return withName(url, name);
}
