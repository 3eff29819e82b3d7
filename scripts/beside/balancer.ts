import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Server } from 'node:net';
import { pipeline } from 'node:stream';

type Options = {
  readonly port: number;
  /** Ports of loopback that take turns. */
  readonly behind: readonly number[];
  readonly certified?: { readonly certificate: string; readonly key: string };
};

export type Balancer = { close(): Promise<void> };

/** Gives one request after the other to the next process in turn, and one that is refused there to the one after it. */
export async function startBalancer({ port, behind, certified }: Options): Promise<Balancer> {
  const agent = new Agent({ keepAlive: true });
  let turn = 0;

  function pass(incoming: IncomingMessage, outgoing: ServerResponse, attempts: number): void {
    const { method, url, headers } = incoming;
    const next = behind[turn++ % behind.length];
    const asked = request({ host: '127.0.0.1', port: next, agent, method, path: url, headers });
    asked.once('response', (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      pipeline(answer, outgoing, () => {});
    });
    asked.once('socket', (socket) => {
      const send = (): void => void incoming.pipe(asked);
      if (socket.connecting) socket.once('connect', send);
      else send();
    });
    asked.on('error', (error) => {
      incoming.unpipe(asked);
      const isRefused = 'code' in error && error.code === 'ECONNREFUSED';
      if (isRefused && attempts > 1) pass(incoming, outgoing, attempts - 1);
      else if (outgoing.headersSent) outgoing.destroy();
      else outgoing.writeHead(502).end('{}');
    });
    outgoing.once('close', () => asked.destroy());
  }

  const listener = (incoming: IncomingMessage, outgoing: ServerResponse): void =>
    pass(incoming, outgoing, behind.length);
  const server: Server & { closeAllConnections(): void } =
    certified === undefined
      ? createServer(listener)
      : createTlsServer({ cert: certified.certificate, key: certified.key }, listener);
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve));
  return {
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      agent.destroy();
      await closed;
    },
  };
}
