import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { TestContext } from 'node:test';
import { freePort, program } from './server-process.ts';

export function makeFolder(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'portico-program-'));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Only what a program needs: settings of the environment in which the tests run are not the tests'. */
function environmentOf(more: Record<string, string> = {}) {
  return { PATH: process.env['PATH'] ?? '', ...more };
}

type Options = { cwd?: string; env?: Record<string, string>; input?: string; file?: string; uid?: number };

export function run(words: readonly string[], { cwd, env = {}, input = '', file = program, uid }: Options = {}) {
  const options = { cwd, env: environmentOf(env), input, encoding: 'utf8', uid } as const;
  const { status, stdout, stderr } = spawnSync(file, words, options);
  return { status, stdout, stderr };
}

/** A configuration file that listens on a free port of loopback; more settings may follow. */
export async function makeConfig(folder: string, more = ''): Promise<{ file: string; port: number }> {
  const port = await freePort();
  const file = join(folder, 'portico.yaml');
  const listener = `{ address: 127.0.0.1, port: ${port}, serve: [client, federation, admin, web] }`;
  writeFileSync(
    file,
    `server_name: a.org\nlisteners: [${listener}]\npasswords: { argon2: { memory: 1MiB, passes: 1 } }\n${more}`,
  );
  return { file, port };
}

/** Starts a server and waits until it says that it is ready. */
export async function start(context: TestContext, words: readonly string[], options: Options = {}) {
  const server = spawn(options.file ?? program, words, { cwd: options.cwd, env: environmentOf(options.env) });
  context.after(() => server.kill('SIGKILL'));
  const lines: string[] = [];
  const ended = once(server, 'exit') as Promise<[code: number | null, signal: string | null]>;
  server.stderr.resume();
  for await (const line of createInterface({ input: server.stdout })) {
    lines.push(line);
    if (line.includes('"ready"')) return { server, lines, ended, stop: () => end(server, 'SIGTERM', ended) };
  }
  throw new Error(`The server ended: ${lines.join('\n')}`);
}

export async function end(server: ChildProcessWithoutNullStreams, signal: NodeJS.Signals, ended: Promise<unknown[]>) {
  server.kill(signal);
  return (await ended)[0];
}

export async function isUp(port: number): Promise<boolean> {
  return (await fetch(`http://127.0.0.1:${port}/_matrix/client/versions`)).status === 200;
}
