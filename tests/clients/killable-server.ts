import { type ServerProcess, startServerProcess } from '@portico/testkit/server-process.ts';

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
  let running: ServerProcess | undefined;
  return {
    baseUrl: `http://127.0.0.1:${port}`,
    async start() {
      running = await startServerProcess({ port, dataDir, databaseUrl });
    },
    async kill() {
      running?.signal('SIGKILL');
      await running?.ended;
      running = undefined;
    },
  };
}
