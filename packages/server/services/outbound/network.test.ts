import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite, test, type TestContext } from 'node:test';
import { type NameRecords, startNameServer } from '@portico/testkit/name-server.ts';
import { until } from '@portico/testkit/until.ts';
import { createSystemNetwork, type SystemNetworkOptions } from './network.ts';
import { OutboundError } from './outbound-error.ts';

type World = {
  readonly records?: Readonly<Record<string, NameRecords>>;
  /** What only the system knows. */
  readonly system?: Readonly<Record<string, readonly string[]>>;
  readonly hosts?: string;
  readonly asked?: SystemNetworkOptions['asked'];
};

/** A network of a machine that knows these names. Those in `silent.test` are never answered for. */
async function open(context: TestContext, { records = {}, system = {}, hosts = '', asked }: World = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'portico-network-'));
  context.after(() => rmSync(folder, { recursive: true }));
  const hostsFile = join(folder, 'hosts');
  writeFileSync(hostsFile, hosts);
  const server = await startNameServer(context, (name) =>
    name.endsWith('silent.test') ? 'silent' : (records[name] ?? 'none'),
  );
  const askedSystem: string[] = [];
  const network = createSystemNetwork({
    hostsFile,
    nameServers: [server.address],
    ...(asked && { asked }),
    async system(host) {
      askedSystem.push(host);
      const found = system[host];
      if (found === undefined) throw new Error('ENOTFOUND');
      return found;
    },
  });
  return { network, asked: server.asked, askedSystem };
}

const isUnknown = (error: unknown) => {
  assert.ok(error instanceof OutboundError, String(error));
  assert.equal(error.failure, 'unknown-host', error.message);
  return true;
};

suite('a name is looked up', () => {
  test('in the hosts file first', async (context) => {
    const { network, asked } = await open(context, {
      hosts: '10.0.0.1 a.test\n::2 a.test',
      records: { 'a.test': ['1.1.1.1'] },
    });
    assert.deepEqual(await network.lookup('A.test'), ['10.0.0.1', '::2']);
    assert.deepEqual(asked, []);
  });

  test('then by the name servers, both families in turns', async (context) => {
    const { network, askedSystem } = await open(context, {
      records: { 'a.test': ['1.1.1.1', '1.1.1.2', '2606::1', '1.1.1.3'], 'b.test': ['1.1.1.1'] },
    });
    assert.deepEqual(await network.lookup('a.test'), ['2606::1', '1.1.1.1', '1.1.1.2', '1.1.1.3']);
    assert.deepEqual(await network.lookup('b.test'), ['1.1.1.1']);
    assert.deepEqual(askedSystem, []);
  });

  test('then by the system, for what is no name to these', async (context) => {
    const { network } = await open(context, { system: { 'printer.local': ['192.168.0.9'] } });
    assert.deepEqual(await network.lookup('printer.local'), ['192.168.0.9']);
  });

  test('by the system alone where it has no dot', async (context) => {
    const { network, asked } = await open(context, { system: { hs1: ['172.17.0.2'] } });
    assert.deepEqual(await network.lookup('hs1'), ['172.17.0.2']);
    assert.deepEqual(asked, []);
  });

  test('once by all who want it at the same time, and again by those who come later', async (context) => {
    const { network, asked } = await open(context, { records: { 'a.test': ['1.1.1.1'] } });
    await Promise.all(Array.from({ length: 20 }, () => network.lookup('a.test')));
    assert.deepEqual(asked.toSorted(), ['a.test A', 'a.test AAAA']);
    await network.lookup('a.test');
    assert.equal(asked.length, 4);
  });
});

suite('a name that is nobody', () => {
  test('is not asked for again at once', async (context) => {
    const { network, asked, askedSystem } = await open(context);
    for (let count = 0; count < 5; count++) await assert.rejects(network.lookup('nobody.test'), isUnknown);
    assert.equal(asked.length, 2);
    assert.equal(askedSystem.length, 1);
  });

  test('is none of the system where the name servers are broken', async (context) => {
    const { network, askedSystem } = await open(context, { records: { 'a.test': 'broken' } });
    await assert.rejects(network.lookup('a.test'), isUnknown);
    assert.deepEqual(askedSystem, []);
  });
});

suite('name servers that are silent', () => {
  const asked = { atOnce: 3, doubtful: 2, time: 300 };

  test('are given up in time, and cost the system nothing', async (context) => {
    const { network, askedSystem } = await open(context, { asked });
    await assert.rejects(network.lookup('a.silent.test'), (error: Error) => {
      assert.match(error.message, /Nobody could say within 0\.3 seconds where a\.silent\.test is/);
      return isUnknown(error);
    });
    await assert.rejects(network.resolveSrv('_matrix._tcp.a.silent.test'), isUnknown);
    assert.deepEqual(askedSystem, []);
  });

  test('do not hold up the names that were found before', async (context) => {
    const limits = { atOnce: 3, doubtful: 2, time: 1500 };
    const { network, asked: seen } = await open(context, { records: { 'a.test': ['1.1.1.1'] }, asked: limits });
    await network.lookup('a.test');
    const silent = Array.from({ length: 50 }, (_, index) => network.lookup(`n${index}.silent.test`));
    for (const each of silent) each.catch(() => undefined);
    const inSilence = () => new Set(seen.filter((question) => question.includes('silent')).map((q) => q.split(' ')[0]));
    await until(() => inSilence().size === 2, 'as many as may are asked for');
    assert.deepEqual(await network.lookup('a.test'), ['1.1.1.1']);
    assert.equal(inSilence().size, 2);
  });

  test('of one family do not hide the other', async (context) => {
    const server = await startNameServer(context, (_, type) => (type === 'A' ? ['1.1.1.1'] : 'silent'));
    const network = createSystemNetwork({ nameServers: [server.address] });
    assert.deepEqual(await network.lookup('a.test'), ['1.1.1.1']);
  });
});

test('services are found, and that there are none', async (context) => {
  const { network } = await open(context, {
    records: { '_matrix-fed._tcp.a.test': ['10 5 8448 srv.test', '0 0 0 .'], '_matrix._tcp.a.test': 'broken' },
  });
  const found = await network.resolveSrv('_matrix-fed._tcp.a.test');
  assert.deepEqual(
    found.map(({ name, port, priority, weight }) => ({ name, port, priority, weight })),
    [
      { name: 'srv.test', port: 8448, priority: 10, weight: 5 },
      { name: '', port: 0, priority: 0, weight: 0 },
    ],
  );
  assert.deepEqual(await network.resolveSrv('_matrix-fed._tcp.b.test'), []);
  await assert.rejects(network.resolveSrv('_matrix._tcp.a.test'));
});
