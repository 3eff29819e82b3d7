import { spawn, type SpawnOptions } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';

/** How a server of others is started on loopback. */
export type OtherServerOptions = {
  readonly folder: string;
  readonly clientPort: number;
  readonly serverPort: number;
  /** Whose certificates it has to trust. */
  readonly caFile: string;
  readonly certified: { readonly certificate: string; readonly key: string };
};

export type OtherServer = {
  readonly serverName: string;
  readonly baseUrl: string;
  readonly pid: number;
  stop(): Promise<void>;
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
  const { command, args, options, log, serverName, clientPort } = program;
  const child = spawn(command, args, options);
  const ended = once(child, 'exit');
  const baseUrl = `http://127.0.0.1:${clientPort}`;
  for (;;) {
    if (child.exitCode !== null) throw new Error(`${command} ended: see ${log}`);
    const answer = await fetch(`${baseUrl}/_matrix/client/versions`).catch(() => undefined);
    if (answer?.ok === true) break;
    await delay(200);
  }
  return {
    serverName,
    baseUrl,
    pid: child.pid ?? 0,
    async stop() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}
