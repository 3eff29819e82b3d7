import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { createTestAuthority, type TestAuthority } from '@portico/testkit/certificates.ts';
import { freePort, type ServerProcess, startServerProcess } from '@portico/testkit/server-process.ts';
import {
  arriveEncrypted,
  compareEmoji,
  encryptedRoom,
  logInEncrypted,
  say,
  seesSigned,
  setUpKeys,
} from './encrypted-person.ts';
import { createPeople } from './person.ts';

type Server = { readonly process: () => ServerProcess; start(): Promise<void>; kill(): Promise<void> };

/** A server as a process of its own that can be killed, and be started again on what it has on its disk. */
async function createServer(folder: string, authority: TestAuthority): Promise<Server> {
  const [port, federationPort] = await Promise.all([freePort(), freePort()]);
  const dataDir = mkdtempSync(join(folder, 'server-'));
  const { certificate, key } = authority.issue(['localhost']);
  const tls = { certificate: join(dataDir, 'cert.pem'), key: join(dataDir, 'key.pem') };
  writeFileSync(tls.certificate, certificate);
  writeFileSync(tls.key, key);
  const settings = {
    SERVER_NAME: `localhost:${federationPort}`,
    LISTENERS: JSON.stringify([
      { address: '127.0.0.1', port, serve: ['client'] },
      { address: '127.0.0.1', port: federationPort, serve: ['federation'], tls },
    ]),
    OUTBOUND_TRUSTED_CA_FILE: join(folder, 'ca.pem'),
    OUTBOUND_ALLOW_PRIVATE_ADDRESSES: 'true',
  };
  let running: ServerProcess | undefined;
  return {
    process() {
      if (running === undefined) throw new Error('The server does not run');
      return running;
    },
    async start() {
      running = await startServerProcess({ dataDir, port, settings });
    },
    async kill() {
      running?.signal('SIGKILL');
      await running?.ended;
    },
  };
}

async function openServers(context: TestContext): Promise<readonly [Server, Server]> {
  const folder = mkdtempSync(join(tmpdir(), 'portico-killed-'));
  const authority = createTestAuthority();
  writeFileSync(join(folder, 'ca.pem'), authority.certificate);
  const servers = await Promise.all([createServer(folder, authority), createServer(folder, authority)]);
  context.after(async () => {
    await Promise.all(servers.map((server) => server.kill()));
    rmSync(folder, { recursive: true, force: true });
  });
  await Promise.all(servers.map((server) => server.start()));
  return servers;
}

test('matrix-js-sdk loses no key when either of two servers is killed', { timeout: 240_000 }, async (context) => {
  const [hs1, hs2] = await openServers(context);
  const here = createPeople(() => hs1.process().baseUrl);
  const there = createPeople(() => hs2.process().baseUrl);
  context.after(() => {
    here.stopAll();
    there.stopAll();
  });
  const [alice, bob] = await Promise.all([arriveEncrypted(here, 'alice'), arriveEncrypted(there, 'bob')]);
  await Promise.all([setUpKeys(alice), setUpKeys(bob)]);
  const roomId = await encryptedRoom(alice, bob);
  await say(alice, roomId, 'from alice', [alice, bob]);
  await say(bob, roomId, 'from bob', [alice, bob]);

  // His server dies; what she says to him, and to a device that he has not heard of, is on hers when it dies too.
  await hs2.kill();
  const phone = await logInEncrypted(here, alice.userId, alice.password);
  await compareEmoji(phone, () => phone.crypto.requestOwnUserVerification(), alice);
  await say(alice, roomId, 'while his server is dead', [alice, phone]);
  await hs1.kill();
  await Promise.all([hs1.start(), hs2.start()]);
  for (const { client } of [alice, phone, bob]) client.retryImmediately();
  await bob.reads(roomId, 'while his server is dead');
  // The SDK claims keys of the devices that it knows when it begins to encrypt, and keeps the message's key from one that it
  // hears of before it has ended.
  await seesSigned(bob, phone);
  await say(bob, roomId, 'to all of them', [alice, phone, bob]);
  await say(phone, roomId, 'and back', [alice, phone, bob]);
  for (const { undecryptable } of [alice, bob, phone]) assert.deepEqual(undecryptable, []);
});
