import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { createTestAuthority } from '@portico/testkit/certificates.ts';
import { type PeerAnswer, processNetwork, startPeer } from '@portico/testkit/federation-peer.ts';
import { createPeerRoom } from '@portico/testkit/peer-room.ts';
import { registerAdmin } from '@portico/testkit/register-admin.ts';
import { testSharedSecret } from '@portico/testkit/server.ts';
import { freePort, type ServerProcess, startServerProcess } from '@portico/testkit/server-process.ts';
import { createTestClient } from '@portico/testkit/test-client.ts';
import { until } from '@portico/testkit/until.ts';
import { serveLeaves } from './leaves.ts';

const v3 = '/_matrix/client/v3';
const sendJoin = '/_matrix/federation/v2/send_join/';
const password = 'a password';

/** A server that is a process, somebody of it, and a room of another server that does something before it answers a join. */
async function open(context: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'portico-interrupted-'));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  const authority = createTestAuthority();
  const caFile = join(folder, 'ca.pem');
  writeFileSync(caFile, authority.certificate);
  const [peerPort, port, federationPort] = [await freePort(), await freePort(), await freePort()];
  const network = processNetwork({ authority, caFile });
  const peer = await startPeer(network, `localhost:${peerPort}`, { port: peerPort });
  context.after(() => peer.close());

  const beforeAnswer: { do: ((answer: PeerAnswer) => Promise<PeerAnswer>) | undefined } = { do: undefined };
  const room = createPeerRoom({
    ...peer,
    on: (method, path, handler) =>
      peer.on(method, path, async (request) => {
        const answer = await handler(request);
        return path === sendJoin && beforeAnswer.do !== undefined ? beforeAnswer.do(answer) : answer;
      }),
  });
  room.serve();
  const left = serveLeaves(peer, room);

  const { certificate, key } = authority.issue(['localhost']);
  const tls = { certificate: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
  writeFileSync(tls.certificate, certificate);
  writeFileSync(tls.key, key);
  let running: ServerProcess | undefined;
  async function start(): Promise<ServerProcess> {
    running = await startServerProcess({
      dataDir: join(folder, 'data'),
      port,
      settings: {
        SERVER_NAME: `localhost:${federationPort}`,
        LISTENERS: JSON.stringify([
          { address: '127.0.0.1', port, serve: ['client', 'admin'] },
          { address: '127.0.0.1', port: federationPort, serve: ['federation'], tls },
        ]),
        OUTBOUND_TRUSTED_CA_FILE: caFile,
        REGISTRATION_SHARED_SECRET: testSharedSecret,
        OUTBOUND_ALLOW_PRIVATE_ADDRESSES: 'true',
      },
    });
    return running;
  }
  async function kill(): Promise<void> {
    running?.signal('SIGKILL');
    await running?.ended;
  }
  context.after(kill);
  const { baseUrl } = await start();
  const auth = { type: 'm.login.dummy' };
  const made = await createTestClient(baseUrl).post(`${v3}/register`, { username: 'alice', password, auth });
  assert.equal(made.status, 200, JSON.stringify(made.body));
  const { user_id: userId, access_token: accessToken, device_id: deviceId } = made.body as Record<string, string>;
  assert.ok(userId && accessToken && deviceId);
  const alice = createTestClient(baseUrl, { userId, accessToken, deviceId });
  const anonymous = createTestClient(baseUrl);
  const openAdmin = () => registerAdmin({ anonymous, as: (session) => createTestClient(baseUrl, session) }, 'admin');
  const joinIt = () => alice.post(`${v3}/join/${encodeURIComponent(room.roomId)}?via=${peer.serverName}`, {});
  const joinedRooms = async () => (await alice.get(`${v3}/joined_rooms`)).body['joined_rooms'] as string[];
  return { peer, room, alice, openAdmin, beforeAnswer, left, start, kill, joinIt, joinedRooms };
}

const timeout = 120_000;

test('who was let into a room when their server died comes in when it is back', { timeout }, async (context) => {
  const { room, beforeAnswer, start, kill, joinIt, joinedRooms, left } = await open(context);
  beforeAnswer.do = async (answer) => {
    beforeAnswer.do = undefined;
    await kill();
    return answer;
  };
  await assert.rejects(joinIt());
  await start();
  await until(async () => (await joinedRooms()).includes(room.roomId) || undefined, 'she is in the room');
  assert.deepEqual(left, []);
});

test('whose account ends meanwhile leaves the room over there', { timeout }, async (context) => {
  const { room, alice, beforeAnswer, start, kill, joinIt, left } = await open(context);
  const auth = { type: 'm.login.password', identifier: { type: 'm.id.user', user: alice.userId }, password };
  beforeAnswer.do = async (answer) => {
    beforeAnswer.do = undefined;
    const ended = await alice.post(`${v3}/account/deactivate`, { auth });
    assert.equal(ended.status, 200, JSON.stringify(ended.body));
    await kill();
    return answer;
  };
  await assert.rejects(joinIt());
  await start();
  await until(async () => left[0], 'she has left');
  assert.deepEqual(
    { ...(left[0]?.['content'] as object) },
    { membership: 'leave', 'org.matrix.msc3759.deactivated': true },
  );
  assert.equal(left[0]?.['room_id'], room.roomId);
});

test('into a room that is blocked meanwhile nobody comes any more', { timeout }, async (context) => {
  const { room, openAdmin, beforeAnswer, start, kill, joinIt, joinedRooms, left } = await open(context);
  const admin = await openAdmin();
  beforeAnswer.do = async (answer) => {
    beforeAnswer.do = undefined;
    const path = `/_synapse/admin/v1/rooms/${encodeURIComponent(room.roomId)}/block`;
    assert.equal((await admin.put(path, { block: true })).status, 200);
    await kill();
    return answer;
  };
  await assert.rejects(joinIt());
  await start();
  await until(async () => left[0], 'she has left over there');
  assert.deepEqual(await joinedRooms(), []);
});

test('who was let in, but told that they were not, leaves the room over there', { timeout }, async (context) => {
  const { peer, room, alice, beforeAnswer, joinIt, joinedRooms, left } = await open(context);
  const asksForEvents = () => peer.requests.some((request) => request.includes('/federation/v1/event/'));
  beforeAnswer.do = async () => ({ status: 403, body: { errcode: 'M_FORBIDDEN', error: 'no' } });
  assert.equal((await joinIt()).status, 403);
  beforeAnswer.do = async () => ({ status: 502, body: {} });
  assert.equal((await joinIt()).status, 502);
  await until(async () => left[0], 'she has left');
  assert.equal(left[0]?.['sender'], alice.userId);
  assert.deepEqual(await joinedRooms(), []);
  assert.ok(asksForEvents());
  peer.requests.splice(0);
  for (const status of [403, 200]) {
    beforeAnswer.do =
      status === 200 ? undefined : async () => ({ status, body: { errcode: 'M_FORBIDDEN', error: 'no' } });
    assert.equal((await joinIt()).status, status);
  }
  await until(async () => (await joinedRooms()).includes(room.roomId) || undefined, 'she is in the room');
  assert.equal(left.length, 1);
  assert.ok(!asksForEvents(), 'who was refused has nothing to leave');
});
