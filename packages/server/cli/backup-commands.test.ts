import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { createEmptyTestDatabase, createTestDatabase } from '@portico/testkit';
import { makeConfig, makeFolder, run, start } from '@portico/testkit/program.ts';
import { program } from '@portico/testkit/server-process.ts';
import { createTestClient, type TestClient } from '@portico/testkit/test-client.ts';
import { until } from '@portico/testkit/until.ts';

const writers = 4;

async function logIn(port: number, name: string): Promise<TestClient> {
  const baseUrl = `http://127.0.0.1:${port}`;
  const identifier = { type: 'm.id.user', user: name };
  const login = { type: 'm.login.password', identifier, password: 'secret' };
  const { status, body } = await createTestClient(baseUrl).post('/_matrix/client/v3/login', login);
  assert.equal(status, 200);
  return clientAt(port, String(body['access_token']));
}

function clientAt(port: number, accessToken: string): TestClient {
  return createTestClient(`http://127.0.0.1:${port}`, { userId: '', deviceId: '', accessToken });
}

/** Sends one message after the other until it is told to stop; what was acknowledged is noted. */
async function keepSending(
  client: TestClient,
  room: string,
  name: string,
  acknowledged: string[],
  signal: AbortSignal,
) {
  for (let number = 0; !signal.aborted; number += 1) {
    const path = `/_matrix/client/v3/rooms/${room}/send/m.room.message/${name}${number}`;
    const { status, body } = await client.put(path, { msgtype: 'm.text', body: name.repeat(200) });
    if (status === 200) acknowledged.push(String(body['event_id']));
  }
}

async function runBeside(words: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const child = spawn(program, words, { env: { PATH: process.env['PATH'] ?? '' } });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const [code] = (await once(child, 'close')) as [number];
  return { code, stdout, stderr };
}

/** A configuration with a data folder and a port of its own. */
async function another(context: TestContext, more = '') {
  const folder = makeFolder(context);
  return { ...(await makeConfig(folder, more)), folder, data: join(folder, 'data') };
}

test('a backup that is made while people write holds all that was acknowledged before, and is restored', async (context) => {
  const services = makeFolder(context);
  const registration = { id: 'b', url: null, as_token: 'at', hs_token: 'ht', sender_localpart: 'bot', namespaces: {} };
  writeFileSync(join(services, 'portico.yaml'), JSON.stringify(registration));
  const from = await another(context, `application_services: [${services}]\n`);
  assert.equal(run(['user', 'add', 'alice', '--password', 'secret', '--config', from.file]).status, 0);
  const first = await start(context, ['serve', '--config', from.file]);
  const alice = await logIn(from.port, 'alice');
  const made = await alice.post('/_matrix/client/v3/createRoom', {});
  const room = String(made.body['room_id']);
  const headers = { authorization: `Bearer ${alice.accessToken}`, 'content-type': 'text/plain' };
  const upload = await fetch(`http://127.0.0.1:${from.port}/_matrix/media/v3/upload`, {
    method: 'POST',
    body: 'a file',
    headers,
  });
  const { content_uri: uri } = (await upload.json()) as { content_uri: string };

  const acknowledged: string[] = [];
  const stopSending = new AbortController();
  const sending = Array.from({ length: writers }, (_, index) =>
    keepSending(alice, room, `w${index}x`, acknowledged, stopSending.signal),
  );
  await until(() => acknowledged.length >= 20, 'there are messages');
  const before = [...acknowledged];
  const destination = join(from.folder, 'backup');
  const backedUp = await runBeside(['backup', destination, '--config', from.file]);
  assert.ok(acknowledged.length > before.length, 'people went on writing meanwhile');
  stopSending.abort();
  await Promise.all(sending);
  assert.equal(backedUp.code, 0, backedUp.stderr);
  assert.match(backedUp.stdout, /^database: .* whole\nmedia: copying\nmedia: 1 files, 1 kB\n/);
  assert.equal(await first.stop(), 0);

  assert.deepEqual(readdirSync(join(destination, 'config')).sort(), ['1-portico.yaml', 'portico.yaml']);
  for (const name of ['', 'portico.db', 'signing.key', 'backup.json', 'media']) {
    assert.equal(statSync(join(destination, name)).mode & 0o077, 0, `${name} is its owner's alone`);
  }

  const to = await another(context);
  const restored = run(['restore', destination, '--config', to.file]);
  assert.equal(restored.status, 0, restored.stderr);
  assert.match(restored.stdout, /database: whole, and names 1 files\n/);
  for (const name of ['signing.key', 'server_name']) {
    assert.deepEqual(readFileSync(join(to.data, name)), readFileSync(join(from.data, name)));
  }
  const second = await start(context, ['serve', '--config', to.file]);
  const again = clientAt(to.port, alice.accessToken);
  for (const eventId of before) {
    const { status } = await again.get(`/_matrix/client/v3/rooms/${room}/event/${encodeURIComponent(eventId)}`);
    assert.equal(status, 200, eventId);
  }
  const file = await fetch(
    `http://127.0.0.1:${to.port}/_matrix/client/v1/media/download/${uri.slice('mxc://'.length)}`,
    { headers },
  );
  assert.equal(await file.text(), 'a file');
  const sent = await again.put(`/_matrix/client/v3/rooms/${room}/send/m.room.message/new`, {
    msgtype: 'm.text',
    body: '',
  });
  assert.equal(sent.status, 200);
  assert.equal(await second.stop(), 0);
});

test('nothing is overwritten, and nothing is restored from what is not whole', async (context) => {
  const from = await another(context);
  const portico = (...words: string[]) => run([...words, '--config', from.file]);
  const destination = join(from.folder, 'backup');
  const early = portico('backup', destination);
  assert.equal(early.status, 1);
  assert.match(early.stderr, /There is no server in .*data yet/);

  portico('user', 'add', 'alice', '--password', 'secret');
  assert.equal(portico('backup', destination).status, 0);
  const twice = portico('backup', destination);
  assert.equal(twice.status, 1);
  assert.match(twice.stderr, /is not empty: there is /);
  const over = portico('restore', destination);
  assert.equal(over.status, 1);
  assert.match(over.stderr, /data is not empty: there is /);

  renameSync(from.data, join(from.folder, 'old'));
  const renamed = run(['restore', destination, '--config', from.file, '--server-name', 'b.org']);
  assert.match(renamed.stderr, /The backup is of a\.org, and server_name is b\.org/);
  for (const [spoil, said] of [
    [(copy: string) => rmSync(join(copy, 'backup.json')), /is no backup, or one that did not come to its end/],
    [(copy: string) => writeFileSync(join(copy, 'backup.json'), '{}'), /is not what this version of Portico writes/],
    [(copy: string) => writeFileSync(join(copy, 'portico.db'), 'x', { flag: 'a' }), /db is not as it was when/],
    [(copy: string) => rmSync(join(copy, 'signing.key')), /key is not as it was when the backup was made/],
  ] as const) {
    const copy = join(makeFolder(context), 'copy');
    cpSync(destination, copy, { recursive: true });
    spoil(copy);
    const { status, stderr } = portico('restore', copy);
    assert.equal(status, 1);
    assert.match(stderr, said);
    assert.equal(existsSync(from.data), false, 'nothing was begun');
  }
  mkdirSync(join(from.data, '.compile-cache'), { recursive: true });
  assert.equal(portico('restore', destination).status, 0, 'what the runtime of a container has left is no matter');
});

test('no server starts where a restore has not come to its end', async (context) => {
  const { file, data } = await another(context);
  run(['user', 'add', 'alice', '--password', 'secret', '--config', file]);
  writeFileSync(join(data, 'restore-unfinished'), '');
  const { status, stderr } = run(['serve', '--config', file]);
  assert.equal(status, 78);
  assert.match(stderr, /into which a backup is being restored, or was and did not get to its end/);
});

test('of a server on PostgreSQL all but the database is copied, and it says what copies that', async (context) => {
  const address = new URL(await createTestDatabase());
  address.password = 'hush';
  const url = address.href;
  const from = await another(context, `database: "${url}"\n`);
  const portico = (...words: string[]) => run([...words, '--config', from.file]);
  assert.equal(portico('user', 'add', 'alice', '--password', 'secret').status, 0);
  const { status, stdout, stderr } = portico('backup', join(from.folder, 'first'));
  assert.equal(status, 0, stderr);
  assert.match(stdout, /NOT in this backup[^]*\n {4}pg_dump --format=custom --file=\S+first\/portico\.dump '?postgres/);
  assert.doesNotMatch(stdout, /hush/);
  assert.ok(existsSync(join(from.folder, 'first/signing.key')));

  const dumped = makeFolder(context);
  writeFileSync(join(dumped, 'portico.dump'), 'as pg_dump writes it');
  const second = portico('backup', dumped);
  assert.equal(second.status, 0, second.stderr);
  assert.doesNotMatch(second.stdout, /pg_dump/);

  const empty = await createEmptyTestDatabase();
  const to = await another(context, `database: "${empty}"\n`);
  const early = run(['restore', dumped, '--config', to.file]);
  assert.equal(early.status, 1);
  assert.match(early.stderr, /The database is empty\. First run\n {4}pg_restore --no-owner/);
  const there = await another(context, `database: "${url}"\n`);
  assert.equal(run(['restore', dumped, '--config', there.file]).status, 0);
  assert.deepEqual(readFileSync(join(there.data, 'signing.key')), readFileSync(join(from.data, 'signing.key')));
});
