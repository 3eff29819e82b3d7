import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { eventIdOf, findRoomVersion, hashAndSignEvent, isJsonObject, type JsonValue } from '@portico/protocol';
import { type FederationPeer, startPeer } from '@portico/testkit/federation-peer.ts';
import { startTestNetwork, type TestNetwork } from '@portico/testkit/network.ts';
import { startTestServer, type TestServer } from '@portico/testkit/server.ts';

const rules = findRoomVersion('10');

/** A server, one of its people with a room, and another server that does what a test wants. */
export async function openWithPeer(
  context: TestContext,
  engine: 'sqlite' | 'postgres' = 'sqlite',
  settings: Readonly<Record<string, string>> = {},
) {
  const network = await startTestNetwork(['hs1'], { engine, settings });
  context.after(() => network.close());
  const peer = await startPeer(network, 'peer.test');
  context.after(() => peer.close());
  const server = network.server('hs1');
  const alice = await server.registerUser('alice');
  const { body } = await alice.post('/_matrix/client/v3/createRoom', { preset: 'public_chat', room_version: '10' });
  const roomId = String(body['room_id']);
  return { network, server, peer, alice, roomId, path: encodeURIComponent(roomId) };
}

/** Another process of `hs1`, on the same database. */
export async function startSecondProcess(
  context: TestContext,
  server: Pick<TestServer, 'dataDir' | 'databaseUrl'>,
  network: TestNetwork,
): Promise<TestServer> {
  const dataDir = mkdtempSync(join(tmpdir(), 'portico-second-'));
  cpSync(server.dataDir, dataDir, { recursive: true });
  const second = await startTestServer({
    dataDir,
    databaseUrl: server.databaseUrl,
    network: network.networkOf('hs1'),
    settings: {
      SERVER_NAME: 'hs1',
      OUTBOUND_TRUSTED_CA_FILE: network.caFile,
      OUTBOUND_ALLOW_PRIVATE_ADDRESSES: 'true',
    },
  });
  context.after(async () => {
    await second.close();
    rmSync(dataDir, { recursive: true, force: true });
  });
  return second;
}

/** Lets somebody of the peer join. */
export async function joinAs(peer: FederationPeer, path: string, userId: string): Promise<void> {
  assert.ok(rules);
  const uri = `/_matrix/federation/v1/make_join/${path}/${encodeURIComponent(userId)}?ver=10`;
  const { body } = await peer.send('hs1', 'GET', uri);
  assert.ok(isJsonObject(body) && isJsonObject(body['event']), JSON.stringify(body));
  const pdu = hashAndSignEvent(rules, body['event'], peer.serverName, peer.key);
  const eventId = encodeURIComponent(eventIdOf(rules, pdu));
  const joined = await peer.send('hs1', 'PUT', `/_matrix/federation/v2/send_join/${path}/${eventId}`, { content: pdu });
  assert.equal(joined.status, 200, JSON.stringify(joined.body));
}

export type TestTransaction = { readonly pdus: readonly JsonValue[]; readonly edus: readonly JsonValue[] };

export function edus(list: readonly unknown[]): TestTransaction {
  return { pdus: [], edus: list as JsonValue[] };
}

export function sendTransaction(
  peer: FederationPeer,
  transaction: TestTransaction,
  txnId = randomBytes(6).toString('hex'),
) {
  return peer.send('hs1', 'PUT', `/_matrix/federation/v1/send/${txnId}`, {
    content: { origin: peer.serverName, origin_server_ts: Date.now(), ...transaction },
  });
}
