import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { createServer } from 'node:https';
import { type AddressInfo, connect, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, suite, test, type TestContext } from 'node:test';
import type { ServerName } from '@portico/protocol';
import { createTestAuthority } from '@portico/testkit/certificates.ts';
import type { Network, SrvRecord } from '../../outbound/network.ts';
import { OutboundError } from '../../outbound/outbound-error.ts';
import { createOutbound } from '../../outbound/outbound.ts';
import { createDiscovery, type Discovery } from './discovery.ts';

const authority = createTestAuthority();
const folder = mkdtempSync(join(tmpdir(), 'portico-discovery-'));
const trustedCaFile = join(folder, 'ca.pem');
writeFileSync(trustedCaFile, authority.certificate);
after(() => rmSync(folder, { recursive: true }));

/** Hosts whose port 443 answers, on a real socket with a certificate of their own; and SRV records. */
type World = {
  readonly hosts?: Readonly<Record<string, RequestListener>>;
  readonly records?: Readonly<Record<string, readonly SrvRecord[]>>;
  /** Whether private addresses are refused, and the hosts look as if they had public ones. */
  readonly isPublic?: boolean;
};

type Explorer = {
  readonly discovery: Discovery;
  /** What was asked of whom. */
  readonly asked: string[];
  advance(milliseconds: number): void;
  /** `connect to | Host header | certificate`, or the failure. */
  find(name: string): Promise<string>;
};

async function serve(context: TestContext, name: string, listener: RequestListener): Promise<number> {
  const { certificate, key } = authority.issue([name]);
  const server = createServer({ cert: certificate, key }, listener);
  context.after(() => {
    server.closeAllConnections();
    server.close();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

async function explore(context: TestContext, { hosts = {}, records = {}, isPublic = false }: World): Promise<Explorer> {
  const asked: string[] = [];
  const ports = new Map<string, number>();
  const addresses = new Map<string, string>();
  for (const [host, listener] of Object.entries(hosts)) {
    const port = await serve(context, host, (request, response) => {
      asked.push(`${request.headers.host}${request.url}`);
      listener(request, response);
    });
    addresses.set(host, `1.0.0.${addresses.size + 1}`);
    ports.set(`${addresses.get(host)}:443`, port);
  }
  const network: Network = {
    lookup: (host) => {
      const address = addresses.get(host) ?? (host === 'inside.net' ? '10.0.0.1' : undefined);
      return address === undefined ? Promise.reject(new Error('unknown')) : Promise.resolve([address]);
    },
    resolveSrv: (name) => {
      asked.push(name);
      return Promise.resolve(records[name] ?? []);
    },
    connect(address, port) {
      const real = ports.get(`${address}:${port}`);
      if (real !== undefined) {
        const socket = connect(real, '127.0.0.1');
        return Object.defineProperty(socket, 'remoteAddress', { value: address });
      }
      asked.push(`connected to ${address}`);
      const socket = new Socket();
      queueMicrotask(() => socket.destroy(new Error('refused')));
      return socket;
    },
  };
  const outbound = createOutbound({
    network,
    allowPrivateAddresses: !isPublic,
    trustedCaFile,
    userAgent: 'Portico/test',
  });
  context.after(() => outbound.close());
  let now = 1_000_000_000_000;
  const discovery = createDiscovery({ network, outbound, now: () => now, random: () => 0 });
  return {
    discovery,
    asked,
    advance: (milliseconds) => void (now += milliseconds),
    async find(name) {
      try {
        const { targets, host, certificateName } = await discovery.findRoute(name as ServerName);
        return `${targets.map((to) => `${to.host} ${to.port}`).join(', ')} | ${host} | ${certificateName}`;
      } catch (error) {
        assert.ok(error instanceof OutboundError);
        return error.failure;
      }
    },
  };
}

const delegate =
  (server: unknown, headers: Record<string, string> = {}): RequestListener =>
  (_, response) =>
    response.writeHead(200, headers).end(JSON.stringify({ 'm.server': server }));
const redirect =
  (location: string): RequestListener =>
  (_, response) =>
    response.writeHead(302, { location }).end();
const record = (name: string, port: number): SrvRecord => ({ name, port, priority: 1, weight: 1 });
const fed = (host: string): string => `_matrix-fed._tcp.${host}`;
const old = (host: string): string => `_matrix._tcp.${host}`;

suite('a server name leads where the spec says:', () => {
  const srv = { [fed('a.org')]: [record('srv.net', 1234)], [old('a.org')]: [record('old.net', 99)] };
  const table: readonly [step: string, name: string, world: World, expected: string][] = [
    ['1: IPv4', '1.2.3.4', {}, '1.2.3.4 8448 | 1.2.3.4 | 1.2.3.4'],
    ['1: IPv4 and port', '1.2.3.4:80', {}, '1.2.3.4 80 | 1.2.3.4:80 | 1.2.3.4'],
    ['1: IPv4 with leading zeros is decimal', '010.0.0.1', {}, '10.0.0.1 8448 | 010.0.0.1 | 10.0.0.1'],
    ['1: IPv6', '[2001::1]', {}, '2001::1 8448 | [2001::1] | 2001::1'],
    ['1: IPv6 and port', '[2001::1]:80', {}, '2001::1 80 | [2001::1]:80 | 2001::1'],
    [
      '2: host and port',
      'a.org:80',
      { hosts: { 'a.org': delegate('b.org') }, records: srv },
      'a.org 80 | a.org:80 | a.org',
    ],
    ['2: no such port', 'a.org:0', {}, 'unknown-host'],
    ['2: no such port, either', 'a.org:65536', {}, 'unknown-host'],
    ['3.1: IPv4', 'a.org', { hosts: { 'a.org': delegate('1.2.3.4') } }, '1.2.3.4 8448 | 1.2.3.4 | 1.2.3.4'],
    ['3.1: IPv6 and port', 'a.org', { hosts: { 'a.org': delegate('[::1]:5') } }, '::1 5 | [::1]:5 | ::1'],
    ['3.2: host and port', 'a.org', { hosts: { 'a.org': delegate('b.org:443') } }, 'b.org 443 | b.org:443 | b.org'],
    [
      '3.3: service of the delegate, certificate of the delegate',
      'a.org',
      { hosts: { 'a.org': delegate('b.org') }, records: { [fed('b.org')]: [record('srv.net', 7)] } },
      'srv.net 7 | b.org | b.org',
    ],
    [
      '3.4: deprecated service of the delegate',
      'a.org',
      { hosts: { 'a.org': delegate('b.org') }, records: { [old('b.org')]: [record('srv.net', 7)], ...srv } },
      'srv.net 7 | b.org | b.org',
    ],
    [
      '3.5: the delegate itself',
      'a.org',
      { hosts: { 'a.org': delegate('b.org') }, records: srv },
      'b.org 8448 | b.org | b.org',
    ],
    [
      '3: a delegate is not asked for another one',
      'a.org',
      { hosts: { 'a.org': delegate('b.org'), 'b.org': delegate('c.org') } },
      'b.org 8448 | b.org | b.org',
    ],
    ['4: service, certificate of the host', 'a.org', { records: srv }, 'srv.net 1234 | a.org | a.org'],
    [
      '5: deprecated service',
      'a.org',
      { records: { [old('a.org')]: [record('old.net', 99)] } },
      'old.net 99 | a.org | a.org',
    ],
    ['6: the host itself', 'a.org', {}, 'a.org 8448 | a.org | a.org'],
    [
      'names are the same in capitals',
      'A.Org',
      { hosts: { 'a.org': delegate('B.org:1') } },
      'b.org 1 | B.org:1 | b.org',
    ],
    ['a service that is said not to be', 'a.org', { records: { [fed('a.org')]: [record('', 0)] } }, ' | a.org | a.org'],
    [
      'redirects are followed',
      'a.org',
      { hosts: { 'a.org': redirect('https://b.org/there?x=1'), 'b.org': delegate('c.org:1') } },
      'c.org 1 | c.org:1 | c.org',
    ],
  ];
  for (const [step, name, world, expected] of table) {
    test(step, async (context) => assert.equal(await (await explore(context, world)).find(name), expected));
  }
});

suite('what is wrong with a well-known file makes it count for nothing:', () => {
  const table: readonly [what: string, listener: RequestListener][] = [
    ['no such file', (_, response) => response.writeHead(404).end(JSON.stringify({ 'm.server': 'b.org' }))],
    ['no JSON', (_, response) => response.end('<html>')],
    ['no object', (_, response) => response.end('"b.org"')],
    ['no such property', (_, response) => response.end('{}')],
    ['no text', delegate(1)],
    ['no server name', delegate('https://b.org')],
    ['a path behind the name', delegate('b.org/x')],
    ['no port', delegate('b.org:0')],
    ['nested too deep', (_, response) => response.end('['.repeat(20_000))],
    ['too long', (_, response) => response.end(JSON.stringify({ 'm.server': 'b.org', x: 'x'.repeat(51_200) }))],
    [
      'packed',
      (_, response) =>
        response.writeHead(200, { 'content-encoding': 'br' }).end(JSON.stringify({ 'm.server': 'b.org' })),
    ],
    ['a redirect to itself', redirect('https://a.org/.well-known/matrix/server')],
    ['redirects without end', ({ url = '' }, response) => redirect(`${url}x`)({ url } as never, response)],
    ['a redirect to HTTP', redirect('http://b.org/')],
    ['a redirect with a password', redirect('https://x:y@b.org/')],
    ['a redirect to nowhere', (_, response) => response.writeHead(301).end()],
  ];
  for (const [what, listener] of table) {
    test(what, async (context) => {
      const explorer = await explore(context, { hosts: { 'a.org': listener, 'b.org': delegate('wrong.org:1') } });
      assert.equal(await explorer.find('a.org'), 'a.org 8448 | a.org | a.org');
      assert.ok(explorer.asked.filter((what) => what.startsWith('a.org')).length <= 6);
      assert.ok(!explorer.asked.some((what) => /^(?:b\.org|connected)/.test(what)), 'nobody else is asked');
    });
  }
});

test('a circle of redirects is followed no further than round once', async (context) => {
  const to: Readonly<Record<string, string>> = { '/.well-known/matrix/server': '/one', '/one': '/two', '/two': '/one' };
  const explorer = await explore(context, {
    hosts: { 'a.org': (request, response) => redirect(to[request.url ?? ''] ?? '')(request, response) },
  });
  assert.equal(await explorer.find('a.org'), 'a.org 8448 | a.org | a.org');
  const fetched = explorer.asked.filter((what) => what.startsWith('a.org'));
  assert.deepEqual(fetched, ['a.org/.well-known/matrix/server', 'a.org/one', 'a.org/two']);
});

suite('private addresses are out of reach', () => {
  const inside = ['https://127.0.0.1/', 'https://[::ffff:127.0.0.1]/', 'https://0x7f.1/', 'https://inside.net/'];
  for (const location of inside) {
    test(`for a redirect to ${location}`, async (context) => {
      const explorer = await explore(context, { hosts: { 'a.org': redirect(location) }, isPublic: true });
      assert.equal(await explorer.find('a.org'), 'a.org 8448 | a.org | a.org');
      assert.deepEqual(explorer.asked, ['a.org/.well-known/matrix/server', fed('a.org'), old('a.org')]);
    });
  }

  test('for a name that leads there', async (context) => {
    const explorer = await explore(context, { isPublic: true });
    await explorer.find('inside.net');
    assert.deepEqual(explorer.asked, [fed('inside.net'), old('inside.net')]);
  });

  test('and redirects between public ones are followed', async (context) => {
    const hosts = { 'a.org': redirect('https://b.org/'), 'b.org': delegate('c.org:1') };
    const explorer = await explore(context, { hosts, isPublic: true });
    assert.equal(await explorer.find('a.org'), 'c.org 1 | c.org:1 | c.org');
  });
});

suite('what was found is remembered:', () => {
  const hour = 60 * 60_000;

  test('as long as it says', async (context) => {
    const hosts = { 'a.org': delegate('b.org:1', { 'cache-control': 'max-age=3600' }) };
    const explorer = await explore(context, { hosts });
    for (let count = 0; count < 3; count++) await explorer.find('a.org');
    assert.equal(explorer.asked.length, 1);
    explorer.advance(hour + 1);
    await explorer.find('a.org');
    assert.equal(explorer.asked.length, 2);
  });

  test('and asked for once by many at the same time', async (context) => {
    const explorer = await explore(context, { hosts: { 'a.org': delegate('b.org:1') } });
    await Promise.all(Array.from({ length: 20 }, () => explorer.find('a.org')));
    assert.equal(explorer.asked.length, 1);
  });

  test('also that nothing is there', async (context) => {
    const explorer = await explore(context, { hosts: { 'a.org': (_, response) => response.writeHead(404).end() } });
    await explorer.find('a.org');
    explorer.advance(hour - 1);
    await explorer.find('a.org');
    assert.equal(explorer.asked.filter((what) => what.startsWith('a.org')).length, 1);
    explorer.advance(2);
    await explorer.find('a.org');
    assert.equal(explorer.asked.filter((what) => what.startsWith('a.org')).length, 2);
  });

  test('and kept while the host is down', async (context) => {
    let isUp = true;
    const listener: RequestListener = (request, response) =>
      isUp ? delegate('b.org:1')(request, response) : response.writeHead(503).end();
    const explorer = await explore(context, { hosts: { 'a.org': listener } });
    await explorer.find('a.org');
    isUp = false;
    explorer.advance(25 * hour);
    assert.equal(await explorer.find('a.org'), 'b.org 1 | b.org:1 | b.org');
  });

  test('until nobody is there any more', async (context) => {
    const records = { [fed('a.org')]: [record('srv.net', 7)] };
    const explorer = await explore(context, { records });
    await explorer.find('a.org');
    const { length } = explorer.asked;
    explorer.discovery.reportUnreachable('a.org' as ServerName);
    await explorer.find('a.org');
    assert.equal(explorer.asked.length, length, 'what has just been found is not doubted');
    explorer.advance(61_000);
    explorer.discovery.reportUnreachable('a.org' as ServerName);
    await explorer.find('a.org');
    assert.ok(explorer.asked.length > length);
  });
});
