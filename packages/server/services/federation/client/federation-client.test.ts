import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer } from 'node:tls';
import { after, suite, test, type TestContext } from 'node:test';
import { parseServerName, signingKeyFromSeed } from '@portico/protocol';
import { createTestAuthority } from '@portico/testkit/certificates.ts';
import { longestTurn } from '@portico/testkit/longest-turn.ts';
import { deliverTransaction } from '../../../federation-api/transactions.ts';
import { queryUserKeys } from '../../../federation-api/user-keys.ts';
import { getVersion } from '../../../federation-api/version.ts';
import { createSystemNetwork, type Network } from '../../outbound/network.ts';
import { createOutbound } from '../../outbound/outbound.ts';
import { createDiscovery } from '../discovery/discovery.ts';
import { createFederationClient } from './federation-client.ts';
import { FederationError, type FederationFailure } from './federation-error.ts';

const authority = createTestAuthority();
const folder = mkdtempSync(join(tmpdir(), 'portico-client-'));
const trustedCaFile = join(folder, 'ca.pem');
writeFileSync(trustedCaFile, authority.certificate);
after(() => rmSync(folder, { recursive: true }));

const own = parseServerName('own.test');
assert.ok(own);

/** Says something on a connection, each time that something has come. `count`: how often, on this one and on all of them. */
type Behaviour = (socket: Socket, count: { readonly here: number; readonly all: number }) => void;

function openClient(context: TestContext, over: Partial<Network> = {}) {
  const network: Network = { ...createSystemNetwork(), lookup: () => Promise.resolve(['127.0.0.1']), ...over };
  const outbound = createOutbound({
    network,
    allowPrivateAddresses: true,
    trustedCaFile,
    userAgent: 'Portico/test',
    connectTimeout: 2000,
  });
  context.after(() => outbound.close());
  const discovery = createDiscovery({ network, outbound, now: Date.now, random: () => 0 });
  const key = signingKeyFromSeed('ed25519:1', new Uint8Array(32));
  assert.ok(own);
  return createFederationClient({ serverName: own, key, enabled: true, discovery, outbound });
}

/** A server that behaves so on every connection; how it is asked, and what was asked of it. */
async function openServer(context: TestContext, behave: Behaviour) {
  const { certificate, key } = authority.issue(['peer.test']);
  const sockets = new Set<Socket>();
  const requests: string[] = [];
  let all = 0;
  const server = createServer({ cert: certificate, key }, (socket) => {
    sockets.add(socket.on('error', () => undefined));
    let here = 0;
    socket.on('data', (bytes) => {
      requests.push(bytes.toString('latin1').split(' HTTP', 1)[0] ?? '');
      behave(socket, { here: ++here, all: ++all });
    });
  });
  context.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const destination = parseServerName(`peer.test:${(server.address() as AddressInfo).port}`);
  assert.ok(destination);
  const client = openClient(context);
  return {
    requests,
    send: (timeout = 5000) =>
      client.call(deliverTransaction, destination, { params: { txnId: 'm1' }, body: transaction }, { timeout }),
    version: (timeout = 5000) => client.call(getVersion, destination, {}, { timeout }),
    keys: () => client.call(queryUserKeys, destination, { body: { device_keys: {} } }),
  };
}

const transaction = { origin: own, origin_server_ts: 1, pdus: [], edus: [] };
const failsWith = (failure: FederationFailure, status?: number) => (error: unknown) => {
  assert.ok(error instanceof FederationError, String(error));
  assert.equal(error.failure, failure, error.message);
  assert.equal(error.refusal?.status, status);
  return true;
};

const answer = (body: string, head = 'HTTP/1.1 200 OK') =>
  `${head}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;

/** Says a text again and again until nobody listens any more. */
function keepSaying(socket: Socket, text: string, every = 5): void {
  const timer = setInterval(() => socket.write(text), every);
  socket.once('close', () => clearInterval(timer));
}

suite('a transaction is not taken by a server that answers', () => {
  const table: readonly [what: string, failure: FederationFailure, behave: Behaviour][] = [
    ['with a page for people', 'bad-answer', (socket) => socket.write(answer('<html>Welcome</html>'))],
    ['with nothing', 'bad-answer', (socket) => socket.write(answer(''))],
    ['with a list', 'bad-answer', (socket) => socket.write(answer('[]'))],
    [
      'with what is no text',
      'bad-answer',
      (socket) => socket.write(Buffer.from(`${answer('{"pdus":{"')}\xff"`, 'latin1')),
    ],
    ['with JSON that nests without end', 'bad-answer', (socket) => socket.write(answer('[{"a":'.repeat(50_000)))],
    [
      'with JSON that nests deeper than what servers carry',
      'bad-answer',
      (socket) => socket.write(answer(`{"pdus":{},"a":${'['.repeat(150)}${']'.repeat(150)}}`)),
    ],
    [
      'with half of what it promised',
      'broken',
      (socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{"pd'),
    ],
    [
      'with a length that is none',
      'broken',
      (socket) => socket.write('HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n{}'),
    ],
    [
      'with two lengths',
      'broken',
      (socket) => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 11\r\n\r\n{"pdus":{}}'),
    ],
    ['with a head that does not end', 'broken', (socket) => keepSaying(socket, `x: ${'x'.repeat(1000)}\r\n`)],
    [
      'in pieces that do not end',
      'too-large',
      (socket) => {
        socket.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n');
        keepSaying(socket, `10000\r\n${' '.repeat(65_536)}\r\n`, 1);
      },
    ],
    [
      'in pieces with trailers that do not end',
      'broken',
      (socket) => {
        socket.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nb\r\n{"pdus":{}}\r\n0\r\n');
        keepSaying(socket, `x: ${'x'.repeat(1000)}\r\n`);
      },
    ],
    ['by going away', 'broken', (socket) => socket.destroy()],
    [
      'with another protocol',
      'broken',
      (socket) => socket.write('HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\n'),
    ],
  ];
  for (const [what, failure, behave] of table) {
    test(what, async (context) => {
      let isFirstLine = true;
      const server = await openServer(context, (socket, count) => {
        if (what.includes('head that') && isFirstLine) socket.write('HTTP/1.1 200 OK\r\n');
        isFirstLine = false;
        behave(socket, count);
      });
      await assert.rejects(server.send(), failsWith(failure));
    });
  }
});

suite('a server has no more time than it was given', () => {
  const table: readonly [what: string, behave: Behaviour][] = [
    ['to answer', () => undefined],
    [
      'for a head that comes in drops',
      (socket) => {
        socket.write('HTTP/1.1 200 OK\r\nx: ');
        keepSaying(socket, 'x', 20);
      },
    ],
    [
      'after so many words beforehand',
      (socket) => keepSaying(socket, 'HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n', 20),
    ],
    [
      'for a body that comes in drops',
      (socket) => {
        socket.write('HTTP/1.1 200 OK\r\ncontent-length: 10000\r\n\r\n');
        keepSaying(socket, ' ', 20);
      },
    ],
    [
      'for a refusal that comes in drops',
      (socket) => {
        socket.write('HTTP/1.1 500 No\r\ncontent-length: 10000\r\n\r\n');
        keepSaying(socket, ' ', 20);
      },
    ],
  ];
  for (const [what, behave] of table) {
    test(what, async (context) => {
      const server = await openServer(context, behave);
      // Its head must have come by then, also on a busy machine.
      const isRefusal = what.includes('refusal');
      await assert.rejects(
        server.send(isRefusal ? 2000 : 200),
        isRefusal ? failsWith('refused', 500) : failsWith('timeout'),
      );
    });
  }

  test('and looking for it counts', async (context) => {
    const client = openClient(context, { lookup: () => new Promise(() => undefined) });
    const destination = parseServerName('silent.test');
    assert.ok(destination);
    await assert.rejects(client.call(getVersion, destination, {}, { timeout: 50 }), failsWith('timeout'));
    const given = new AbortController();
    const asked = client.call(getVersion, destination, {}, { timeout: 60_000, signal: given.signal });
    given.abort();
    await assert.rejects(asked, failsWith('aborted'));
  });
});

test('a redirect of a transaction is followed by nobody', async (context) => {
  const server = await openServer(context, (socket) =>
    socket.write(answer('', 'HTTP/1.1 307 Elsewhere\r\nlocation: /elsewhere')),
  );
  await assert.rejects(server.send(), failsWith('refused', 307));
  assert.equal(server.requests.length, 1);
});

test('of an error as much is read as errors have to say', async (context) => {
  for (const [length, errcode] of [
    [1000, 'M_FORBIDDEN'],
    [100_000, undefined],
  ] as const) {
    const body = JSON.stringify({ errcode: 'M_FORBIDDEN', error: 'x'.repeat(length) });
    const server = await openServer(context, (socket) => socket.write(answer(body, 'HTTP/1.1 403 No')));
    await assert.rejects(server.send(), (error: FederationError) => {
      assert.equal(error.refusal?.errcode, errcode);
      return failsWith('refused', 403)(error);
    });
  }
});

suite('when it wants to be asked again', () => {
  const table: readonly [said: string, body: string, expected: number | undefined][] = [
    ['retry-after: 31536000', '', 31_536_000_000],
    ['retry-after: -5', '{}', undefined],
    ['retry-after: soon', '', undefined],
    ['retry-after: 1e999', '', undefined],
    ['retry-after: 5', '{"retry_after_ms":1000}', 1000],
    ['retry-after: 5', '{"retry_after_ms":-1000}', 5000],
    ['retry-after: 5', '{"retry_after_ms":"soon"}', 5000],
  ];
  for (const [said, body, expected] of table) {
    test(`${said} ${body} is read as ${expected}`, async (context) => {
      const server = await openServer(context, (socket) => socket.write(answer(body, `HTTP/1.1 429 No\r\n${said}`)));
      await assert.rejects(server.send(), (error: FederationError) => {
        assert.equal(error.refusal?.retryAfter, expected);
        return failsWith('refused', 429)(error);
      });
    });
  }
});

suite('a connection that was kept and is closed when it is used again', () => {
  /** Answers the first request of each connection, and closes it at the second. */
  const closesAtTheSecond: Behaviour = (socket, { here }) => {
    if (here === 1) socket.write(answer('{"pdus":{}}'));
    else socket.destroy();
  };

  test('is replaced by another one', async (context) => {
    const server = await openServer(context, closesAtTheSecond);
    for (let count = 0; count < 3; count++) await server.send();
    assert.ok(server.requests.length > 3, 'one of them was asked twice');
  });

  test('is replaced once for each request', async (context) => {
    const server = await openServer(context, (socket, { all }) => {
      if (all === 1) socket.write(answer('{"pdus":{}}'));
      else socket.destroy();
    });
    await server.send();
    await assert.rejects(server.send(), failsWith('broken'));
    assert.equal(server.requests.length, 3);
  });
});

test('others have their turn while an answer of megabytes is read', async (context) => {
  const person = (index: number) => [`@somebody-${index}:peer.test`, { D: { algorithms: [], keys: {}, of: [index] } }];
  const people = Object.fromEntries(Array.from({ length: 45_000 }, (_, index) => person(index))) as object;
  const text = JSON.stringify({ device_keys: people });
  assert.ok(text.length > 3_000_000);
  const { keys } = await openServer(context, (socket, { all }) => {
    socket.write(answer(all === 1 ? '{"device_keys":{}}' : text));
  });
  // What checks answers is made with the first one.
  await keys();
  let given: object = {};
  const longest = await longestTurn(async () => {
    given = (await keys()).device_keys;
  });
  assert.equal(Object.keys(given).length, Object.keys(people).length);
  assert.ok(longest < 120, `${longest} ms at once`);
});
