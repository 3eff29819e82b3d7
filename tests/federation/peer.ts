import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import {
  eventIdOf,
  findRoomVersion,
  hashAndSignEvent,
  isJsonObject,
  type JsonObject,
  type JsonValue,
} from '@portico/protocol';
import { type FederationPeer, openPeer } from '@portico/testkit/federation-peer.ts';
import { startTestNetwork, type TestNetwork } from '@portico/testkit/network.ts';
import { startTestServer, type TestServer } from '@portico/testkit/server.ts';

const rules = findRoomVersion('10');
assert.ok(rules);

/** A server, one of its people with a room, and another server that does what a test wants. */
export async function openWithPeer(
  context: TestContext,
  engine: 'sqlite' | 'postgres' = 'sqlite',
  settings: Readonly<Record<string, string>> = {},
) {
  const network = await startTestNetwork(['hs1'], { engine, settings });
  context.after(() => network.close());
  const peer = await openPeer(context, network, 'peer.test');
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

export function errcodeOf(body: unknown): string {
  return (body as { readonly errcode?: string }).errcode ?? '';
}

export function sign(peer: FederationPeer, event: JsonObject): { readonly pdu: JsonObject; readonly eventId: string } {
  assert.ok(rules);
  const pdu = hashAndSignEvent(rules, event, peer.serverName, peer.key);
  return { pdu, eventId: eventIdOf(rules, pdu) };
}

export async function joinTemplate(peer: FederationPeer, path: string, userId: string): Promise<JsonObject> {
  const { status, body } = await peer.send(
    'hs1',
    'GET',
    `/_matrix/federation/v1/make_join/${path}/${encodeURIComponent(userId)}?ver=10`,
  );
  assert.equal(status, 200, JSON.stringify(body));
  assert.ok(isJsonObject(body) && isJsonObject(body['event']));
  return body['event'];
}

export const sendJoin = async (
  peer: FederationPeer,
  path: string,
  eventId: string,
  pdu: JsonObject,
): Promise<string> => {
  const uri = `/_matrix/federation/v2/send_join/${path}/${encodeURIComponent(eventId)}`;
  const { status, body } = await peer.send('hs1', 'PUT', uri, { content: pdu });
  return `${status} ${isJsonObject(body) ? errcodeOf(body) : ''}`.trim();
};

/** Lets somebody of the peer join, and gives what its next event follows. */
export async function joinAs(peer: FederationPeer, path: string, userId = '@mallory:peer.test') {
  const template = await joinTemplate(peer, path, userId);
  const { pdu, eventId } = sign(peer, template);
  assert.equal(await sendJoin(peer, path, eventId, pdu), '200');
  return { template, eventId, depth: Number(template['depth']) };
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

export function send(peer: FederationPeer, pdus: readonly JsonObject[], txnId?: string) {
  return sendTransaction(peer, { pdus, edus: [] }, txnId);
}
