import { copyFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createEmptyTestDatabase } from '../../packages/testkit/postgres.ts';
import { freePort, type ServerProcess, startServerProcess } from '../../packages/testkit/server-process.ts';
import { type Balancer, startBalancer } from './balancer.ts';

type Options = {
  readonly folder: string;
  /** Whose certificates it has to trust. */
  readonly caFile: string;
  readonly certified: { readonly certificate: string; readonly key: string };
  readonly appServiceFile: string;
  readonly hasOpenMedia: boolean;
  /** Of its rooms, unless somebody says otherwise. */
  readonly roomVersion: string | undefined;
  readonly engine: 'sqlite' | 'postgres';
  /** More than one with PostgreSQL alone. */
  readonly processes: number;
  /** The one that others know. */
  readonly serverPort: number;
  /** The one behind it. */
  readonly listenPort: number;
};

export interface Portico {
  readonly serverName: string;
  readonly baseUrl: string;
  /** All of it. */
  kill(): Promise<void>;
  /** One of several processes. Gives what starts it again. */
  killOne(): Promise<() => Promise<void>>;
  /** What was killed. */
  start(): Promise<void>;
  stop(): Promise<void>;
  output(): string;
}

/** Starts Portico on loopback: where it has several processes, behind a proxy that gives each of them its turn. */
export async function startPortico(options: Options): Promise<Portico> {
  const { folder, caFile, certified, appServiceFile, hasOpenMedia, roomVersion, engine, processes } = options;
  const { serverPort, listenPort } = options;
  mkdirSync(folder, { recursive: true });
  const tls = { certificate: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
  writeFileSync(tls.certificate, certified.certificate);
  writeFileSync(tls.key, certified.key, { mode: 0o600 });
  const databaseUrl = engine === 'postgres' ? await createEmptyTestDatabase() : 'sqlite:portico.db';
  const clientPort = await freePort();
  const serverName = `localhost:${serverPort}`;
  const all: ServerProcess[] = [];
  const balancers: Balancer[] = [];
  const dataDirOf = (index: number): string => join(folder, `data-${index}`);

  function startOne(index: number, port: number, listeners: readonly object[]): Promise<ServerProcess> {
    return startServerProcess({
      dataDir: dataDirOf(index),
      databaseUrl,
      port,
      settings: {
        SERVER_NAME: serverName,
        PUBLIC_BASE_URL: `http://127.0.0.1:${clientPort}`,
        LISTENERS: JSON.stringify(listeners),
        APPLICATION_SERVICES: JSON.stringify([appServiceFile]),
        ...(roomVersion !== undefined && { ROOMS_DEFAULT_VERSION: roomVersion }),
        MEDIA_REQUIRE_AUTHENTICATION: String(!hasOpenMedia),
        ROOMS_PUBLICATION: 'anyone',
        OUTBOUND_TRUSTED_CA_FILE: caFile,
        OUTBOUND_ALLOW_PRIVATE_ADDRESSES: 'true',
      },
    });
  }

  async function startAlone(): Promise<void> {
    const listeners = [
      { address: '127.0.0.1', port: clientPort, serve: ['client', 'admin'] },
      { address: '127.0.0.1', port: listenPort, serve: ['federation', 'client'], tls },
    ];
    all.push(await startOne(0, clientPort, listeners));
  }

  const ports: number[] = [];
  const inTurn = (port: number) => [{ address: '127.0.0.1', port, serve: ['client', 'admin', 'federation'] }];
  /** The others have a folder each, with the same key, and the media of the first. */
  async function startInTurn(): Promise<void> {
    for (const [index, port] of ports.entries()) {
      all.push(await startOne(index, port, inTurn(port)));
    }
  }

  function share(index: number): void {
    mkdirSync(dataDirOf(index));
    for (const name of ['signing.key', 'server_name']) {
      copyFileSync(join(dataDirOf(0), name), join(dataDirOf(index), name));
    }
    mkdirSync(join(dataDirOf(0), 'media'), { recursive: true });
    symlinkSync(join(dataDirOf(0), 'media'), join(dataDirOf(index), 'media'));
  }

  const start = processes === 1 ? startAlone : startInTurn;
  if (processes > 1) {
    for (let count = 0; count < processes; count += 1) ports.push(await freePort());
    const [port = 0] = ports;
    // Its first start makes the key.
    const first = await startOne(0, port, [{ address: '127.0.0.1', port, serve: ['client'] }]);
    first.signal('SIGTERM');
    await first.ended;
    for (let index = 1; index < processes; index += 1) share(index);
    balancers.push(await startBalancer({ port: clientPort, behind: ports }));
    balancers.push(await startBalancer({ port: listenPort, behind: ports, certified }));
  }
  const written: string[] = [];

  async function end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const ending = all.splice(0);
    for (const each of ending) each.signal(signal);
    await Promise.all(ending.map(({ ended }) => ended));
    written.push(...ending.map((each) => each.output()));
  }
  await start();

  return {
    serverName,
    baseUrl: `http://127.0.0.1:${clientPort}`,
    kill: () => end('SIGKILL'),
    async killOne() {
      const [port = 0] = ports;
      const one = all.shift();
      one?.signal('SIGKILL');
      await one?.ended;
      written.push(one?.output() ?? '');
      return async () => void all.unshift(await startOne(0, port, inTurn(port)));
    },
    start,
    async stop() {
      await end('SIGTERM');
      await Promise.all(balancers.map((each) => each.close()));
    },
    output: () => [...written, ...all.map((each) => each.output())].join(''),
  };
}
