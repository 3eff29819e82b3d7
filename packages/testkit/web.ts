import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { createSystemNetwork, type Network } from '@portico/server/services/outbound/network.ts';

/** Web servers of a test: each path one listener. */
export interface TestSite {
  readonly port: number;
  /** The paths that were asked for. */
  readonly asked: readonly string[];
}

export async function startSite(
  context: Pick<TestContext, 'after'>,
  pages: Readonly<Record<string, RequestListener>>,
): Promise<TestSite> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const { url = '' } = request;
    asked.push(url);
    const page = pages[url.split('?', 1)[0] ?? ''];
    if (page === undefined) response.writeHead(404).end();
    else page(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  context.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, asked };
}

/** An address of the internet that leads to this machine in a network of a test. */
export const publicAddress = '1.1.1.1';

/**
 * A network in which the names that end in `.example` have a public address, or those that `answers` gives one after the
 * other. Public addresses lead to this machine; what is private leads where it leads.
 */
export function createTestWeb(answers: Readonly<Record<string, readonly string[]>> = {}): Network {
  const left = new Map(Object.entries(answers).map(([host, addresses]) => [host, [...addresses]]));
  const machine = createSystemNetwork();
  return {
    ...machine,
    lookup(host) {
      const given = left.get(host)?.shift();
      if (given !== undefined) return Promise.resolve([given]);
      return host.endsWith('.example') ? Promise.resolve([publicAddress]) : machine.lookup(host);
    },
    connect(address, port): Socket {
      if (address !== publicAddress) return machine.connect(address, port);
      return Object.defineProperty(connect(port, '127.0.0.1'), 'remoteAddress', { value: publicAddress });
    },
  };
}
