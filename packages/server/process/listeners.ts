import { readFileSync } from 'node:fs';
import type { Server } from 'node:http';
import type { Server as TlsServer } from 'node:https';
import { createSecureContext } from 'node:tls';
import type { Listener } from '../config/config.ts';
import { listenerUrl } from '../config/complete.ts';
import { type Connections, watchConnections } from './connections.ts';
import { StartError } from './start-error.ts';

/** What can listen: a Fastify instance, or the metrics server. */
export interface Listenable {
  listen(where: { host: string; port: number }): Promise<unknown>;
  close(): Promise<void>;
  readonly server: Server | TlsServer;
  addresses(): readonly (string | { readonly port: number })[];
}

export type TlsFiles = { readonly certificate: Buffer; readonly key: Buffer };

export type Listening = {
  readonly listener: Listener;
  /** The address to call, with the port that was really taken. */
  readonly url: string;
};

export type Listeners = {
  readonly listening: readonly Listening[];
  /** Reads the certificates again, for connections from now on. If one cannot be used, those in use stay. Answers how many there are. */
  readonly renewCertificates: () => number;
  readonly close: () => Promise<void>;
};

/**
 * Starts what the configuration wants to listen, in its order; `onCreated` is told of each before it listens. If one cannot,
 * none does.
 */
export async function startListeners(
  listeners: readonly Listener[],
  create: (listener: Listener, tls: TlsFiles | undefined) => Listenable,
  onCreated: (server: Server | TlsServer, connections: Connections) => void = () => undefined,
): Promise<Listeners> {
  const started: Started[] = [];
  const close = () => closeAll(started);
  const listening: Listening[] = [];
  try {
    for (const [index, listener] of listeners.entries()) {
      const name = `listeners[${index}]`;
      const server = create(listener, readTls(listener, name));
      const connections = watchConnections(server.server);
      started.push({ server, connections, listener, name });
      onCreated(server.server, connections);
      await listen(server, listener, name);
      const [bound] = server.addresses();
      const port = typeof bound === 'object' ? bound.port : listener.port;
      listening.push({ listener, url: listenerUrl({ ...listener, port }) });
    }
  } catch (error) {
    await close();
    throw error;
  }
  return { listening, renewCertificates: () => renewCertificates(started), close };
}

/** How long requests in flight may take to end, in milliseconds, before their connections are cut. */
const patience = 25_000;

type Started = {
  readonly server: Listenable;
  readonly connections: Connections;
  readonly listener: Listener;
  readonly name: string;
};

function renewCertificates(started: readonly Started[]): number {
  const read = started.map(({ server, listener, name }) => ({ server: server.server, files: readTls(listener, name) }));
  let renewed = 0;
  for (const { server, files } of read) {
    if (files === undefined || !('setSecureContext' in server)) continue;
    server.setSecureContext({ cert: files.certificate, key: files.key });
    renewed++;
  }
  return renewed;
}

async function closeAll(started: readonly Started[]): Promise<void> {
  // A connection whose request was in flight when its server closed would stay open, idle, until it times out.
  const idle = setInterval(() => started.forEach(({ connections }) => connections.closeUnused()), 10);
  const late = setTimeout(() => started.forEach(({ server }) => server.server.closeAllConnections()), patience);
  try {
    await Promise.all(started.map(({ server }) => server.close()));
  } finally {
    clearInterval(idle);
    clearTimeout(late);
  }
}

async function listen(server: Listenable, { address, port }: Listener, name: string): Promise<void> {
  try {
    await server.listen({ host: address, port });
  } catch (error) {
    throw new StartError(`${name} is ${address}:${port}: ${explain(error)}`);
  }
}

function explain(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'EADDRINUSE') return 'another program listens there. Stop it, or choose another port.';
  if (code === 'EADDRNOTAVAIL') return 'this machine does not have that address. Choose one of its own.';
  if (code === 'EACCES') return 'this user may not listen there. Choose a port above 1023.';
  return error instanceof Error ? error.message : String(error);
}

function readTls({ tls }: Listener, name: string): TlsFiles | undefined {
  if (!tls) return undefined;
  const certificate = readFileSync(tls.certificate);
  const key = readFileSync(tls.key);
  try {
    createSecureContext({ cert: certificate, key });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new StartError(`${name}.tls is ${tls.certificate} and ${tls.key}, which do not work together: ${reason}`);
  }
  return { certificate, key };
}
