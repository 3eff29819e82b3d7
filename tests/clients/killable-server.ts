import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { program } from '@portico/testkit/server-process.ts';

/** Settings of a listener for clients at that port, as the environment gives them. */
export function listenersAt(port: number): string {
  return JSON.stringify([{ address: '127.0.0.1', port, serve: ['client'] }]);
}

export type KillableServer = {
  readonly baseUrl: string;
  start(): Promise<void>;
  /** Ends it as a crash would. */
  kill(): Promise<void>;
};

/** The program as a process of its own, which can be started again and again on the same data. */
export function createKillableServer(port: number, dataDir: string, databaseUrl: string): KillableServer {
  const env = {
    PATH: process.env['PATH'] ?? '',
    PORTICO_DATA_DIR: dataDir,
    PORTICO_DATABASE: databaseUrl,
    PORTICO_LISTENERS: listenersAt(port),
    PORTICO_REGISTRATION_MODE: 'open',
    PORTICO_RATE_LIMITS_ENABLED: 'false',
    PORTICO_PASSWORDS_ARGON2_MEMORY: '8KiB',
    PORTICO_PASSWORDS_ARGON2_PASSES: '1',
  };
  let running: ChildProcessByStdio<null, Readable, null> | undefined;

  return {
    baseUrl: `http://127.0.0.1:${port}`,
    async start() {
      const child = spawn(program, ['serve'], { env, stdio: ['ignore', 'pipe', 'inherit'] });
      running = child;
      const lines: string[] = [];
      for await (const line of createInterface({ input: child.stdout })) {
        lines.push(line);
        if (line.includes('"ready"')) return void child.stdout.resume();
      }
      throw new Error(`The server ended: ${lines.join('\n')}`);
    },
    async kill() {
      if (running === undefined || running.exitCode !== null || running.signalCode !== null) return;
      const ended = once(running, 'exit');
      running.kill('SIGKILL');
      await ended;
    },
  };
}
