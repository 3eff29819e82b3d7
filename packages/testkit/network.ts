import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Network } from '@portico/server/services/outbound/network.ts';
import { createTestAuthority, type TestAuthority } from './certificates.ts';
import { startFarAway } from './far-away.ts';
import { startTestServer, type TestServer, type TestServerOptions } from './server.ts';

export type NetworkServer = TestServer & { readonly serverName: string };

export type TestNetworkOptions = Pick<TestServerOptions, 'engine' | 'now' | 'after'> & {
  /** Further settings of all servers, as environment variables without `PORTICO_`. */
  readonly settings?: Readonly<Record<string, string>>;
};

export interface TestNetwork {
  readonly authority: TestAuthority;
  /** Its certificate, as a file. */
  readonly caFile: string;
  /** A server by its name. After a restart it is another one. */
  server(name: string): NetworkServer;
  /** Nothing passes between two servers until they are healed: connections break, and new ones are refused. */
  cut(one: string, other: string): void;
  heal(one: string, other: string): void;
  healAll(): void;
  /** Ends a server and keeps what it stored. */
  stop(name: string): Promise<void>;
  /** One more server. */
  add(name: string): Promise<void>;
  /** Starts a server that was stopped, on what it stored. */
  start(name: string): Promise<void>;
  /** What a machine in this network sees as itself: for peers that are no Portico. */
  networkOf(name: string): Network;
  /** Puts something else under a name: connections to its port 8448 go to this port of this machine. */
  addPeer(name: string, port: number): void;
  close(): Promise<void>;
}

const federationPort = 8448;
/** Of the machine that a server is on: there are its bridges. */
const ownAddress = '127.0.0.1';

/** By how many milliseconds at most what passes between two servers is held back. */
const mostLag = Number(process.env['PORTICO_TEST_LAG'] ?? 0);

function pairOf(one: string, other: string): string {
  return [one, other].sort().join(' ');
}

function refused(): Socket {
  const socket = new Socket();
  const error = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
  queueMicrotask(() => socket.destroy(error));
  return socket;
}

/**
 * Several whole servers in this process that talk to each other over real TLS, as in the suites: their names have no port,
 * nothing answers on 443, there are no SRV records, and each is on 8448 of an address of its own.
 */
export async function startTestNetwork(
  names: readonly string[],
  { engine = 'sqlite', now, after, settings = {} }: TestNetworkOptions = {},
): Promise<TestNetwork> {
  const folder = mkdtempSync(join(tmpdir(), 'portico-network-'));
  const authority = createTestAuthority();
  const caFile = join(folder, 'ca.pem');
  writeFileSync(caFile, authority.certificate);

  const addresses = new Map<string, string>();
  const ports = new Map<string, number>();
  const servers = new Map<string, NetworkServer>();
  const broken = new Set<string>();
  const links = new Map<string, Set<Socket>>();
  const farAway = mostLag > 0 ? await startFarAway(() => Math.random() * mostLag) : undefined;

  function addressOf(name: string): string {
    const address = addresses.get(name) ?? `127.0.1.${addresses.size + 1}`;
    addresses.set(name, address);
    return address;
  }

  function networkOf(from: string): Network {
    return {
      lookup: (host) => {
        const address = addresses.get(host);
        return address === undefined
          ? Promise.reject(new Error(`${host} is not in the network`))
          : Promise.resolve([address]);
      },
      resolveSrv: () => Promise.resolve([]),
      connect(address, port) {
        if (address === ownAddress) return connect({ host: address, port, noDelay: true });
        const [to = ''] = [...addresses].find(([, other]) => other === address) ?? [];
        const real = ports.get(to);
        const pair = pairOf(from, to);
        if (real === undefined || port !== federationPort || broken.has(pair)) return refused();
        const socket = farAway?.connect(real) ?? connect({ host: '127.0.0.1', port: real, noDelay: true });
        const link = links.get(pair) ?? new Set();
        links.set(pair, link.add(socket));
        socket.once('close', () => link.delete(socket));
        return socket;
      },
    };
  }

  async function start(name: string, kept?: { dataDir: string; databaseUrl: string }): Promise<void> {
    const { certificate, key } = authority.issue([name]);
    const files = { certificate: join(folder, `${name}.pem`), key: join(folder, `${name}.key`) };
    writeFileSync(files.certificate, certificate);
    writeFileSync(files.key, key);
    const server = await startTestServer({
      engine,
      ...kept,
      ...(now && { now }),
      ...(after && { after }),
      network: networkOf(name),
      settings: {
        SERVER_NAME: name,
        LISTENERS: JSON.stringify([
          { address: '127.0.0.1', port: 0, serve: ['client', 'admin'] },
          { address: '127.0.0.1', port: 0, serve: ['federation', 'client'], tls: files },
        ]),
        OUTBOUND_TRUSTED_CA_FILE: caFile,
        OUTBOUND_ALLOW_PRIVATE_ADDRESSES: 'true',
        ...settings,
      },
    });
    ports.set(name, Number(new URL(server.urls[1] ?? '').port));
    servers.set(name, { ...server, serverName: name });
  }

  function server(name: string): NetworkServer {
    const found = servers.get(name);
    if (found === undefined) throw new Error(`There is no server ${name} in the network`);
    return found;
  }

  async function stop(name: string): Promise<void> {
    ports.delete(name);
    await server(name).stop();
  }

  for (const name of names) addressOf(name);
  await Promise.all(names.map((name) => start(name)));

  return {
    authority,
    caFile,
    server,
    cut(one, other) {
      const pair = pairOf(one, other);
      broken.add(pair);
      for (const socket of links.get(pair) ?? []) socket[farAway ? 'resetAndDestroy' : 'destroy']();
    },
    heal: (one, other) => void broken.delete(pairOf(one, other)),
    healAll: () => broken.clear(),
    stop,
    async add(name) {
      addressOf(name);
      await start(name);
    },
    async start(name) {
      const { dataDir, databaseUrl } = server(name);
      await start(name, { dataDir, databaseUrl });
    },
    networkOf,
    addPeer(name, port) {
      addressOf(name);
      ports.set(name, port);
    },
    async close() {
      await Promise.all([...servers.values()].map((open) => open.close()));
      await farAway?.close();
      for (const { dataDir } of servers.values()) rmSync(dataDir, { recursive: true, force: true });
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
