import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createServer as createTlsServer } from 'node:https';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { MetricRegistry } from './registry.ts';

export type MetricsServer = {
  listen(where: { host: string; port: number }): Promise<void>;
  close(): Promise<void>;
  addresses(): AddressInfo[];
  readonly server: Server;
};

/** Answers `GET /metrics` on a listener of its own, so that what faces the world never does. */
export function createMetricsServer(
  registry: MetricRegistry,
  tls: { certificate: Buffer; key: Buffer } | undefined,
): MetricsServer {
  const answer = (request: IncomingMessage, response: ServerResponse) => void answerScrape(registry, request, response);
  const server = tls ? createTlsServer({ cert: tls.certificate, key: tls.key }, answer) : createServer(answer);
  return {
    server,
    async listen({ host, port }) {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      server.once('error', reject);
      server.listen({ host, port }, () => {
        server.off('error', reject);
        resolve();
      });
      return promise;
    },
    async close() {
      if (!server.listening) return;
      await new Promise((resolve) => server.close(resolve));
    },
    addresses() {
      const address = server.address();
      return address === null || typeof address === 'string' ? [] : [address];
    },
  };
}

async function answerScrape(registry: MetricRegistry, request: IncomingMessage, response: ServerResponse) {
  if (request.method !== 'GET' || request.url !== '/metrics') {
    response.writeHead(404, { 'content-type': 'text/plain' }).end('Metrics are at GET /metrics\n');
    return;
  }
  try {
    const { contentType, body } = await registry.scrape();
    response.writeHead(200, { 'content-type': contentType }).end(body);
  } catch {
    response.writeHead(500, { 'content-type': 'text/plain' }).end('The metrics could not be read\n');
  }
}
