import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import { type AddressInfo, connect, createServer as createTcpServer, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test, type TestContext } from 'node:test';
import { gzipSync } from 'node:zlib';
import type { RequestListener } from 'node:http';
import { createTestAuthority, type Certified } from '@portico/testkit/certificates.ts';
import { createSystemNetwork, type Network } from './network.ts';
import { OutboundError, type OutboundFailure } from './outbound-error.ts';
import { createOutbound, type Outbound, type OutboundOptions, type OutboundRequest } from './outbound.ts';
import type { Route } from './route.ts';

const authority = createTestAuthority();
const folder = mkdtempSync(join(tmpdir(), 'portico-outbound-'));
const trustedCaFile = join(folder, 'ca.pem');
writeFileSync(trustedCaFile, authority.certificate);
after(() => rmSync(folder, { recursive: true }));

/** Names of the test are on this machine; nothing else is known. */
const network: Network = {
  ...createSystemNetwork(),
  lookup: (host) => (host.endsWith('.test') ? Promise.resolve(['127.0.0.1']) : Promise.reject(new Error('unknown'))),
};

function open(context: TestContext, over: Partial<OutboundOptions> = {}): Outbound {
  const outbound = createOutbound({
    network,
    allowPrivateAddresses: true,
    trustedCaFile,
    userAgent: 'Portico/test',
    ...over,
  });
  context.after(() => outbound.close());
  return outbound;
}

async function listen(server: Server | ReturnType<typeof createTcpServer>): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

async function serve(context: TestContext, listener: RequestListener, tls?: Certified): Promise<number> {
  const { certificate, key } = tls ?? authority.issue(['a.test']);
  const server = createServer({ cert: certificate, key }, listener);
  context.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return listen(server);
}

function to(port: number, over: Partial<Route> = {}, request: Partial<OutboundRequest> = {}): OutboundRequest {
  return {
    route: { targets: [{ host: 'a.test', port }], host: 'a.test', certificateName: 'a.test', ...over },
    method: 'GET',
    path: '/',
    answerLimit: 1000,
    timeout: 5000,
    purpose: 'test',
    ...request,
  };
}

const failsWith = (failure: OutboundFailure) => (error: unknown) => {
  assert.ok(error instanceof OutboundError, String(error));
  assert.equal(error.failure, failure, error.message);
  return true;
};

test('a request says its host, and gets the answer', async (context) => {
  const port = await serve(context, (request, response) => {
    response.end(JSON.stringify([request.method, request.url, request.headers.host, request.headers['user-agent']]));
  });
  const seen: string[] = [];
  const outbound = open(context, { observe: (purpose, outcome) => seen.push(`${purpose} ${outcome}`) });
  const answer = await outbound.request(to(port, { host: 'other.test:1' }, { path: '/x?y=1' }));
  assert.equal(answer.status, 200);
  assert.deepEqual(JSON.parse(answer.body.toString()), ['GET', '/x?y=1', 'other.test:1', 'Portico/test']);
  assert.deepEqual(seen, ['test 2xx']);
});

suite('certificates:', () => {
  const refusals: readonly [what: string, make: () => Certified, certificateName: string][] = [
    ['of another name', () => authority.issue(['b.test']), 'a.test'],
    ['of an authority that nobody knows', () => createTestAuthority().issue(['a.test']), 'a.test'],
    ['that has expired', () => authority.issue(['a.test'], { expired: true }), 'a.test'],
    ['of a name, where an address is wanted', () => authority.issue(['a.test']), '127.0.0.1'],
  ];
  for (const [what, make, certificateName] of refusals) {
    test(`one ${what} is refused, and gets no request`, async (context) => {
      let requests = 0;
      const port = await serve(context, (_, response) => response.end(String(requests++)), make());
      await assert.rejects(open(context).request(to(port, { certificateName })), failsWith('tls'));
      assert.equal(requests, 0);
    });
  }

  test('an address is proved by an address', async (context) => {
    for (const address of ['127.0.0.1', '::1']) {
      const port = await serve(context, (_, response) => response.end('yes'), authority.issue([address]));
      const answer = await open(context).request(to(port, { certificateName: address }));
      assert.equal(answer.body.toString(), 'yes');
    }
  });

  test('without the further authorities, they are not trusted', async (context) => {
    const port = await serve(context, (_, response) => response.end());
    await assert.rejects(open(context, { trustedCaFile: undefined }).request(to(port)), failsWith('tls'));
  });
});

suite('private addresses are refused:', () => {
  let port: number;
  let connections = 0;
  const server = createTcpServer((socket) => {
    connections++;
    socket.destroy();
  });
  before(async () => {
    port = await listen(server);
  });
  after(() => server.close());

  async function isRefused(context: TestContext, host: string, over: Partial<Network> = {}): Promise<void> {
    const outbound = open(context, { allowPrivateAddresses: false, network: { ...network, ...over } });
    const request = to(port, { targets: [{ host, port }] });
    await assert.rejects(outbound.request(request), failsWith('private-address'));
  }

  test('as literals', async (context) => {
    for (const host of ['127.0.0.1', '::1', '::ffff:127.0.0.1', '::ffff:7f00:1', '0.0.0.0']) {
      await isRefused(context, host);
    }
    assert.equal(connections, 0);
  });

  test('as answers of name servers', async (context) => {
    await isRefused(context, 'a.test');
    await isRefused(context, 'b.test', { lookup: () => Promise.resolve(['::ffff:127.0.0.1', '10.0.0.1']) });
    assert.equal(connections, 0);
  });

  test('as numbers that the system takes for addresses', async (context) => {
    for (const host of ['127.1', '2130706433', '0x7f000001', 'localhost']) {
      await isRefused(context, host, { lookup: createSystemNetwork().lookup });
    }
    assert.equal(connections, 0);
  });

  test('where a connection leads to one in the end', async (context) => {
    const lookup = (): Promise<string[]> => Promise.resolve(['1.1.1.1']);
    await isRefused(context, 'a.test', { lookup, connect: () => connect(port, '127.0.0.1') });
  });

  test('and the public ones among them are used', async (context) => {
    const asked: string[] = [];
    const lookup = (): Promise<string[]> => Promise.resolve(['10.0.0.1', '1.1.1.1']);
    const outbound = open(context, {
      allowPrivateAddresses: false,
      network: {
        ...network,
        lookup,
        connect(address) {
          asked.push(address);
          return connect(port, '127.0.0.1');
        },
      },
    });
    await assert.rejects(outbound.request(to(port)), OutboundError);
    assert.deepEqual(asked, ['1.1.1.1']);
  });

  test('unless the route is one that the operator has written', async (context) => {
    const real = await serve(context, (_, response) => response.end('here'));
    const outbound = open(context, { allowPrivateAddresses: false });
    const answer = await outbound.request(to(real, { mayBePrivate: true }));
    assert.equal(answer.body.toString(), 'here');
  });
});

suite('an answer is refused', () => {
  const tooLarge: readonly [what: string, listener: RequestListener, ends?: boolean][] = [
    ['that says that it is too long', (_, response) => response.writeHead(200, { 'content-length': 2000 }).write('x')],
    [
      'that does not end',
      (_, response) => {
        const more = (): void => {
          if (!response.destroyed && response.write('x'.repeat(500))) setImmediate(more);
          else response.once('drain', more);
        };
        more();
      },
    ],
    [
      'that is packed',
      (_, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('x'.repeat(100_000))),
      true,
    ],
  ];
  for (const [what, listener, ends = false] of tooLarge) {
    test(what, async (context) => {
      const closed = Promise.withResolvers<void>();
      const port = await serve(context, (request, response) => {
        request.socket.once('close', () => closed.resolve());
        listener(request, response);
      });
      await assert.rejects(open(context).request(to(port)), failsWith('too-large'));
      if (!ends) await closed.promise;
    });
  }

  test('whose head is too long', async (context) => {
    const port = await serve(context, (_, response) => response.writeHead(200, { x: 'x'.repeat(40_000) }).end());
    await assert.rejects(open(context).request(to(port)), failsWith('broken'));
  });

  const tooLate: readonly [what: string, listener: RequestListener][] = [
    ['never', () => undefined],
    [
      'a byte at a time',
      (_, response) => {
        const drip = setInterval(() => response.write('x'), 20);
        response.once('close', () => clearInterval(drip));
      },
    ],
  ];
  for (const [what, listener] of tooLate) {
    test(`that comes ${what}`, async (context) => {
      const port = await serve(context, listener);
      await assert.rejects(open(context).request(to(port, {}, { timeout: 150 })), failsWith('timeout'));
    });
  }

  test('that is no HTTP', async (context) => {
    const server = createTcpServer((socket) => socket.end('220 mail.test ready\r\n'));
    context.after(() => server.close());
    const port = await listen(server);
    await assert.rejects(open(context).request(to(port, { certificateName: undefined })), failsWith('broken'));
  });
});

test('a handshake that does not end is given up', async (context) => {
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => sockets.add(socket.on('error', () => undefined)));
  context.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const port = await listen(server);
  await assert.rejects(open(context, { connectTimeout: 100 }).request(to(port)), failsWith('timeout'));
});

test('a name that nobody can tell the address of is given up', async (context) => {
  const lookup = (): Promise<never> => new Promise(() => undefined);
  const outbound = open(context, { connectTimeout: 50, network: { ...network, lookup } });
  await assert.rejects(outbound.request(to(443)), failsWith('timeout'));
});

test('connections are used again, and a bounded number of them', async (context) => {
  const sockets = new Set<unknown>();
  const gate = Promise.withResolvers<void>();
  const port = await serve(context, (request, response) => {
    sockets.add(request.socket);
    if (request.url === '/wait') void gate.promise.then(() => response.end());
    else response.end();
  });
  const outbound = open(context, { limits: { connections: 2, requests: 4 } });
  for (let count = 0; count < 5; count++) await outbound.request(to(port));
  assert.ok(sockets.size <= 2);
  const asked = [1, 2, 3, 4].map(() => outbound.request(to(port, {}, { path: '/wait' })));
  await assert.rejects(outbound.request(to(port)), failsWith('busy'));
  gate.resolve();
  await Promise.all(asked);
  assert.equal(sockets.size, 2);
});

test('pools that nobody uses make room for others', async (context) => {
  const port = await serve(context, (_, response) => response.end());
  const sizes: (() => number)[] = [];
  const outbound = open(context, {
    limits: { destinations: 2 },
    watch: (_, { size }) => void sizes.push(size),
  });
  for (const host of ['1', '2', '3', '4']) await outbound.request(to(port, { host }));
  assert.equal(sizes[0]?.(), 2);
});

test('a target that is silent does not hold up the next address', async (context) => {
  const port = await serve(context, (_, response) => response.end('second'));
  const outbound = open(context, {
    network: {
      ...network,
      lookup: () => Promise.resolve(['127.0.0.9', '127.0.0.1']),
      // The first one never answers: a socket that nobody connects.
      connect: (address, where) => (address === '127.0.0.1' ? connect(where, address) : new Socket()),
    },
  });
  assert.equal((await outbound.request(to(port))).body.toString(), 'second');
});

test('of the addresses of a name, a few are tried', async (context) => {
  const tried: string[] = [];
  const outbound = open(context, {
    network: {
      ...network,
      lookup: async () => Array.from({ length: 100 }, (_, n) => `127.0.1.${n}`),
      connect(address) {
        tried.push(address);
        const socket = new Socket();
        queueMicrotask(() => socket.destroy(new Error('refused')));
        return socket;
      },
    },
  });
  await assert.rejects(outbound.request(to(443)), failsWith('unreachable'));
  assert.equal(tried.length, 8);
});

test('a request that is given up says so, and lets go', async (context) => {
  const arrived = Promise.withResolvers<void>();
  const closed = Promise.withResolvers<void>();
  const port = await serve(context, (request) => {
    arrived.resolve();
    request.socket.once('close', () => closed.resolve());
  });
  const controller = new AbortController();
  const answer = open(context).request(to(port, {}, { signal: controller.signal }));
  await arrived.promise;
  controller.abort();
  await assert.rejects(answer, failsWith('aborted'));
  await closed.promise;
});

test('nobody there, and nobody known', async (context) => {
  const server = createTcpServer();
  const port = await listen(server);
  await new Promise((resolve) => server.close(resolve));
  const outbound = open(context);
  await assert.rejects(outbound.request(to(port)), failsWith('unreachable'));
  await assert.rejects(outbound.request(to(port, { targets: [{ host: 'b.else', port }] })), failsWith('unknown-host'));
});
