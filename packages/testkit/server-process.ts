import { type ChildProcess, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';

/** In milliseconds: on a busy machine one start takes ten seconds. */
const longestStart = 120_000;

/** The command, as people have it. */
export const program = join(import.meta.dirname, '../../bin/portico');

/**
 * Connections of any process on the machine get their ports from 32768 on: one of these might be taken while the server that
 * listened on it is down. From the lowest on, there is none that `fetch` refuses as a "bad port", as it does 10080.
 */
export const testPorts = { lowest: 10_100, highest: 29_999 };

/** A port of loopback that nobody listens on. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(testPorts.lowest, testPorts.highest + 1);
    const server = createServer();
    const isFree = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false)).listen(port, '127.0.0.1', () => resolve(true));
    });
    if (!isFree) continue;
    await new Promise((resolve) => server.close(resolve));
    return port;
  }
}

export type ServerProcess = {
  readonly baseUrl: string;
  readonly pid: number;
  /** Milliseconds from the start of the process to its first answer. */
  readonly readyAfter: number;
  /** Resolves with the signal that ended it, or with its exit code. */
  readonly ended: Promise<string | number | null>;
  /** Everything it has written so far. */
  readonly output: () => string;
  readonly signal: (signal: 'SIGTERM' | 'SIGKILL') => void;
};

export type ServerProcessOptions = {
  readonly dataDir: string;
  readonly databaseUrl?: string;
  readonly port: number;
  /** Further settings, as environment variables without `PORTICO_`. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Variables for the process itself, such as `LD_PRELOAD`. */
  readonly environment?: Readonly<Record<string, string>>;
  /** In milliseconds: when to kill it, be it ready or not. */
  readonly killAfter?: number;
};

/** Starts the program as people start it, on loopback: open registration, cheap passwords, no rate limits. */
export async function startServerProcess(options: ServerProcessOptions): Promise<ServerProcess> {
  const started = await tryServerProcess(options);
  if (typeof started === 'string') throw new Error(`The server ended before it was ready: ${started}`);
  return started;
}

/** What it has written, if it ended before it was ready. */
export async function tryServerProcess(options: ServerProcessOptions): Promise<ServerProcess | string> {
  const { dataDir, databaseUrl = 'sqlite:portico.db', port } = options;
  const settings = {
    SERVER_NAME: 'localhost',
    DATA_DIR: dataDir,
    DATABASE: databaseUrl,
    LISTENERS: JSON.stringify([{ address: '127.0.0.1', port, serve: ['client', 'admin'] }]),
    REGISTRATION_MODE: 'open',
    RATE_LIMITS_ENABLED: 'false',
    PASSWORDS_ARGON2_MEMORY: '8KiB',
    PASSWORDS_ARGON2_PASSES: '1',
    LOG_LEVEL: 'warn',
    ...options.settings,
  };
  const named = Object.fromEntries(Object.entries(settings).map(([name, value]) => [`PORTICO_${name}`, value]));
  const started = performance.now();
  const env = { PATH: process.env['PATH'] ?? '', ...named, ...options.environment };
  const child = spawn(program, ['serve'], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  if (options.killAfter !== undefined) {
    const kill = setTimeout(() => child.kill('SIGKILL'), options.killAfter);
    child.once('exit', () => clearTimeout(kill));
  }
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  }
  const ended = once(child, 'close').then(([code, signal]) => (signal ?? code) as string | number | null);
  const baseUrl = `http://127.0.0.1:${port}`;
  if (!(await isReady(child, baseUrl))) {
    await ended;
    return output;
  }
  return {
    baseUrl,
    pid: child.pid ?? 0,
    readyAfter: performance.now() - started,
    ended,
    output: () => output,
    signal: (signal) => void child.kill(signal),
  };
}

async function isReady(child: ChildProcess, baseUrl: string): Promise<boolean> {
  const started = performance.now();
  let lastAnswer: unknown;
  while (child.exitCode === null && child.signalCode === null) {
    try {
      const { status } = await fetch(`${baseUrl}/_matrix/client/versions`);
      if (status === 200) return true;
      lastAnswer = `status ${status}`;
    } catch (error) {
      lastAnswer = error;
    }
    if (performance.now() - started > longestStart) {
      child.kill('SIGKILL');
      throw new Error(`The server was not ready after ${longestStart} ms`, { cause: lastAnswer });
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return false;
}
