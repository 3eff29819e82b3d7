import { spawn, type SpawnOptions } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';

/** How a server of others is started on loopback. */
export type OtherServerOptions = {
  readonly folder: string;
  readonly clientPort: number;
  /** The one that others know. */
  readonly serverPort: number;
  /** The one behind it, if it is another one. */
  readonly listenPort?: number;
  /** Whose certificates it has to trust. */
  readonly caFile: string;
  readonly certified: { readonly certificate: string; readonly key: string };
  /** Whether everybody gets media, without a token. */
  readonly hasOpenMedia?: boolean;
  /** Its registration. */
  readonly appServiceFile?: string;
};

export type OtherServer = {
  readonly serverName: string;
  readonly baseUrl: string;
  readonly pid: number;
  stop(): Promise<void>;
  kill(): Promise<void>;
  /** What was stopped or killed. */
  start(): Promise<void>;
};

type Program = {
  readonly command: string;
  readonly args: readonly string[];
  readonly options: SpawnOptions;
  /** Where it writes what it does. */
  readonly log: string;
  readonly serverName: string;
  readonly clientPort: number;
};

/** Starts it, and waits until it answers clients. */
export async function runOtherServer(program: Program): Promise<OtherServer> {
  const { serverName, clientPort } = program;
  const baseUrl = `http://127.0.0.1:${clientPort}`;
  let running = await startProcess(program, baseUrl);

  async function end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    running.child.kill(signal);
    await running.ended;
  }
  return {
    serverName,
    baseUrl,
    get pid() {
      return running.child.pid ?? 0;
    },
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
    async start() {
      running = await startProcess(program, baseUrl);
    },
  };
}

async function startProcess({ command, args, options, log }: Program, baseUrl: string) {
  const child = spawn(command, args, options);
  const ended = once(child, 'exit');
  for (;;) {
    if (child.exitCode !== null) throw new Error(`${command} ended: see ${log}`);
    const answer = await fetch(`${baseUrl}/_matrix/client/versions`).catch(() => undefined);
    if (answer?.ok === true) return { child, ended };
    await delay(200);
  }
}
