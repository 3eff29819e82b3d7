import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { Agent, get } from 'node:https';
import { text } from 'node:stream/consumers';
import { suite, test, type TestContext } from 'node:test';
import { startPeer } from './federation-peer.ts';
import { startTestNetwork, type NetworkServer, type TestNetwork, type TestNetworkOptions } from './network.ts';

async function open(context: TestContext, names: string[], options?: TestNetworkOptions): Promise<TestNetwork> {
  const network = await startTestNetwork(names, options);
  context.after(() => network.close());
  return network;
}

/** Asks a server over TLS, as one of its clients does. */
async function askOverTls(
  network: TestNetwork,
  server: NetworkServer,
  path: string,
): Promise<{ status: number; text: string }> {
  const agent = new Agent({ ca: readFileSync(network.caFile) });
  const port = new URL(server.urls[1] ?? '').port;
  const request = get({ agent, host: '127.0.0.1', port, path, servername: server.serverName });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  return { status: response.statusCode ?? 0, text: await text(response) };
}

/** Whether one server can fetch the keys of another one, of which it knows none yet. */
async function canReach(network: TestNetwork, from: string, to: string): Promise<boolean> {
  const path = `/_matrix/key/v2/query/${to}`;
  const answer = await askOverTls(network, network.server(from), path);
  return (JSON.parse(answer.text) as { server_keys: unknown[] }).server_keys.length > 0;
}

for (const engine of ['sqlite', 'postgres'] as const) {
  test(`servers of a network serve both APIs over TLS, and reach each other (${engine})`, async (context) => {
    const network = await open(context, ['hs1', 'hs2'], { engine });
    const one = network.server('hs1');
    assert.equal((await askOverTls(network, one, '/_matrix/client/versions')).status, 200);
    const version = await askOverTls(network, one, '/_matrix/federation/v1/version');
    assert.equal((JSON.parse(version.text) as { server: { name: string } }).server.name, 'Portico');
    assert.equal((await askOverTls(network, one, '/_matrix/federation/v1/nothing')).status, 404);
    assert.equal(await canReach(network, 'hs1', 'hs2'), true);
    assert.equal(await canReach(network, 'hs2', 'hs1'), true);
    assert.deepEqual([...one.errors, ...network.server('hs2').errors], []);
  });
}

suite('links between servers', () => {
  test('are cut and healed, those of others untouched', async (context) => {
    const network = await open(context, ['hs1', 'hs2', 'hs3']);
    network.cut('hs1', 'hs2');
    assert.equal(await canReach(network, 'hs1', 'hs2'), false);
    assert.equal(await canReach(network, 'hs1', 'hs3'), true);
    network.heal('hs2', 'hs1');
    assert.equal(await canReach(network, 'hs2', 'hs1'), true);
  });

  test('break in the middle of a request', async (context) => {
    const network = await open(context, ['hs1']);
    const peer = await startPeer(network, 'peer.test');
    context.after(() => peer.close());
    peer.on('GET', '/_matrix/key', () => {
      network.cut('hs1', 'peer.test');
      return { body: peer.keyAnswer() };
    });
    assert.equal(await canReach(network, 'hs1', 'peer.test'), false);
  });

  test('survive a restart', async (context) => {
    const network = await open(context, ['hs1', 'hs2']);
    const keys = async (): Promise<unknown> => {
      const answer = await askOverTls(network, network.server('hs2'), '/_matrix/key/v2/server');
      return (JSON.parse(answer.text) as { verify_keys: unknown }).verify_keys;
    };
    const before = await keys();
    await network.stop('hs2');
    await network.start('hs2');
    assert.deepEqual(await keys(), before);
    assert.equal(await canReach(network, 'hs1', 'hs2'), true);
  });
});

test('a server that does not federate neither answers nor asks', async (context) => {
  const network = await open(context, ['hs1'], { settings: { FEDERATION_ENABLED: 'false' } });
  assert.equal((await askOverTls(network, network.server('hs1'), '/_matrix/key/v2/server')).status, 404);
  assert.equal((await askOverTls(network, network.server('hs1'), '/_matrix/client/versions')).status, 200);
});
