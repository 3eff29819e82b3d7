import assert from 'node:assert/strict';
import { readdirSync, rmSync } from 'node:fs';
import { request as openRequest } from 'node:http';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { openRawDatabase } from '@portico/testkit/raw-database.ts';
import { startTestServer, type TestServer } from '@portico/testkit/server.ts';
import type { TestClient } from '@portico/testkit/test-client.ts';
import { erase } from './erase.ts';

const v3 = '/_matrix/client/v3';
const secret = 'Xyzzy7';

type SlowRequest = { readonly path: string; finish(): Promise<number> };

/** Is let in with its headers, and keeps its body back until it is told to go on. */
async function begin(
  server: TestServer,
  who: TestClient,
  method: string,
  path: string,
  body: string,
): Promise<SlowRequest> {
  const request = openRequest(`${server.baseUrl}${path}`, {
    method,
    agent: false,
    headers: {
      authorization: `Bearer ${who.accessToken}`,
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      expect: '100-continue',
    },
  });
  const answered = new Promise<number>((resolve, reject) => {
    request.once('response', (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    request.once('error', reject);
  });
  const admitted = new Promise((resolve) => request.once('continue', resolve));
  request.flushHeaders();
  await Promise.race([admitted, answered]);
  const half = Math.floor(body.length / 2);
  request.write(body.slice(0, half));
  const since = performance.now();
  return {
    path,
    async finish() {
      // By then its body counts as slow.
      await pause(Math.max(0, since + 150 - performance.now()));
      request.end(body.slice(half));
      return answered;
    },
  };
}

const writes = (userId: string): readonly (readonly [method: string, path: string, body: object])[] => [
  ['PUT', `${v3}/user/${userId}/account_data/org.example.notes`, { notes: secret }],
  ['POST', `${v3}/user/${userId}/filter`, { event_fields: [secret] }],
  ['PUT', `${v3}/pushrules/global/content/${secret}`, { pattern: secret, actions: ['notify'] }],
  ['PUT', `${v3}/presence/${userId}/status`, { presence: 'online', status_msg: secret }],
  ['PUT', `${v3}/profile/${userId}/displayname`, { displayname: secret }],
  ['POST', `${v3}/room_keys/version`, { algorithm: secret, auth_data: {} }],
  ['POST', '/_matrix/client/unstable/org.matrix.simplified_msc3575/sync', { lists: {}, conn_id: secret }],
  ['POST', `${v3}/createRoom`, { name: secret }],
  ['POST', '/_matrix/media/v3/upload?filename=letter.txt', { secret }],
];

async function start(context: TestContext) {
  const server = await startTestServer();
  context.after(() => rmSync(server.dataDir, { recursive: true, force: true }));
  const alice = await server.registerUser('alice');
  return { server, alice };
}

const beginAll = (server: TestServer, who: TestClient): Promise<SlowRequest[]> =>
  Promise.all(writes(who.userId).map(([method, path, body]) => begin(server, who, method, path, JSON.stringify(body))));

test('what is half sent when its sender is erased leaves nothing', async (context) => {
  const { server, alice } = await start(context);
  const requests = await beginAll(server, alice);
  await erase(server, alice);
  for (const { path, finish } of requests) {
    const status = await finish();
    assert.equal(status, path.includes('/upload') ? 403 : 401, path);
  }
  await server.stop();
  const raw = await openRawDatabase(server.databaseUrl);
  for (const { table, column, type } of await raw.columns()) {
    if (type !== 'text') continue;
    const rows = await raw.run(`select 1 as found from ${table} where instr(coalesce(${column}, ''), $1) > 0`, [
      secret,
    ]);
    assert.equal(rows.length, 0, `${table}.${column}`);
  }
  await raw.close();
  const inFolder = readdirSync(join(server.dataDir, 'media'), { recursive: true, withFileTypes: true });
  assert.deepEqual(
    inFolder.filter((entry) => entry.isFile()).map(({ name }) => name),
    [],
  );
  assert.deepEqual(server.errors, []);
});

test('what is half sent when its device is logged out is refused', async (context) => {
  const { server, alice } = await start(context);
  const requests = await beginAll(server, alice);
  assert.equal((await alice.post(`${v3}/logout`, {})).status, 200);
  for (const { path, finish } of requests) {
    // A file was let in when it began to come, and is read as it comes.
    if (!path.includes('/upload')) assert.equal(await finish(), 401, path);
    else await finish();
  }
  await server.stop();
  assert.deepEqual(server.errors, []);
});
