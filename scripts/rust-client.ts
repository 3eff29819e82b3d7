import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { freePort } from '@portico/testkit/server-process.ts';
import { createTestClient } from '@portico/testkit/test-client.ts';
import { createSyncClient } from '@portico/testkit/sync-client.ts';
import { tryOAuth, tryQrCodes } from './rust-oauth.ts';
import { createKillableServer } from '../tests/clients/killable-server.ts';

/**
 * `node scripts/rust-client.ts`: whether a client of matrix-sdk and matrix-sdk-ui, as phones have, gets on with the server.
 * It logs in, shows the list of rooms and a timeline, sees the server killed and started again, and is started again itself.
 * Another one logs in with OAuth 2.0, and a third one lets two devices in with QR codes.
 * It is built with cargo, which takes several minutes the first time; without cargo nothing is done. The folder that it is
 * built in can be given as `CARGO_TARGET_DIR`.
 */
const crate = join(import.meta.dirname, 'rust-client');
const roomCount = 30;

if (!(await runs('cargo', ['--version']))) {
  process.stdout.write('There is no cargo here: the Rust client was not tried.\n');
} else {
  const target = process.env['CARGO_TARGET_DIR'] ?? join(crate, 'target');
  if (!(await runs('cargo', ['build', '--locked', '--manifest-path', join(crate, 'Cargo.toml')]))) process.exit(1);
  await tryClient(join(target, 'debug/portico-rust-client'));
  process.stdout.write('The Rust client has shown everything.\n');
  await tryOAuth(join(target, 'debug/portico-rust-oauth'));
  process.stdout.write('The Rust client has logged in with OAuth 2.0.\n');
  await tryQrCodes(join(target, 'debug/portico-rust-qr'));
  process.stdout.write('The Rust client has let two devices in with QR codes.\n');
}

async function runs(command: string, args: readonly string[]): Promise<boolean> {
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  try {
    return (await once(child, 'exit'))[0] === 0;
  } catch {
    return false;
  }
}

async function tryClient(program: string): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'portico-rust-'));
  const server = createKillableServer(await freePort(), join(folder, 'server'), 'sqlite:portico.db');
  try {
    await server.start();
    const [alice, bob] = [await register(server.baseUrl, 'alice'), await register(server.baseUrl, 'bob')];
    const roomIds = await makeRooms(alice, bob);
    const [roomId = ''] = roomIds;
    await alice.send(roomId, 'before');
    const start = (...texts: string[]) =>
      startClient(program, [server.baseUrl, 'bob', 'password of bob', join(folder, 'client'), roomId, '30', ...texts]);

    const first = start('before', 'after the end of the server');
    await first.says('ready');
    await server.kill();
    await server.start();
    await alice.send(roomId, 'after the end of the server');
    await first.ends();

    await server.kill();
    await server.start();
    await alice.send(roomId, 'while nobody looked');
    await start('while nobody looked').ends();
  } finally {
    await server.kill();
    rmSync(folder, { recursive: true, force: true });
  }
}

type Person = ReturnType<typeof createSyncClient>;

async function register(baseUrl: string, name: string): Promise<Person> {
  const body = { username: name, password: `password of ${name}`, auth: { type: 'm.login.dummy' } };
  const response = await fetch(`${baseUrl}/_matrix/client/v3/register`, { method: 'POST', body: JSON.stringify(body) });
  const session = (await response.json()) as { user_id: string; access_token: string; device_id: string };
  const { user_id: userId, access_token: accessToken, device_id: deviceId } = session;
  return createSyncClient(createTestClient(baseUrl, { userId, accessToken, deviceId }));
}

/** Some with names and some without, one encrypted, one a space, one that the other is only invited to. */
async function makeRooms(alice: Person, bob: Person): Promise<string[]> {
  const encrypted = { initial_state: [{ type: 'm.room.encryption', content: { algorithm: 'm.megolm.v1.aes-sha2' } }] };
  const kinds = [{ name: 'Plain' }, {}, encrypted, { creation_content: { type: 'm.space' } }];
  const roomIds: string[] = [];
  for (let count = 0; count < roomCount; count++) {
    const roomId = await alice.createRoom({ preset: 'public_chat', ...kinds[count % kinds.length] });
    if (count + 1 === roomCount) await alice.invite(roomId, bob.userId);
    else await bob.join(roomId);
    roomIds.push(roomId);
  }
  return roomIds;
}

function startClient(program: string, args: readonly string[]) {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const exit = once(child, 'exit') as Promise<[number | null]>;
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();

  async function says(word: string): Promise<void> {
    for (;;) {
      const { value, done } = await lines.next();
      if (done === true) throw new Error(`The client has ended without saying "${word}".`);
      process.stdout.write(`${value}\n`);
      if (value === word) return;
    }
  }
  return {
    says,
    async ends(): Promise<void> {
      await says('done');
      const [code] = await exit;
      if (code !== 0) throw new Error(`The client has ended with ${code}.`);
    },
  };
}
