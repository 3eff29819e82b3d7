import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { newOneTimeKeys } from '@portico/testkit/device-keys.ts';
import { createTestDatabase } from '@portico/testkit/index.ts';
import { freePort, startServerProcess } from '@portico/testkit/server-process.ts';
import { createTestClient, type TestClient } from '@portico/testkit/test-client.ts';

const claimers = 64;
const oneTimeKeys = 56;
const fallback = 'signed_curve25519:F';

async function startProcess(context: TestContext, databaseUrl: string): Promise<string> {
  const dataDir = mkdtempSync(join(tmpdir(), 'portico-claims-'));
  const server = await startServerProcess({
    dataDir,
    databaseUrl,
    port: await freePort(),
    settings: { DURABILITY: 'relaxed' },
  });
  context.after(async () => {
    server.signal('SIGTERM');
    await server.ended;
    rmSync(dataDir, { recursive: true });
  });
  return server.baseUrl;
}

/** Registers somebody at the first address, who then is logged in at all of them. */
async function register(baseUrls: readonly string[], username: string) {
  const { status, body } = await createTestClient(baseUrls[0] ?? '').post('/_matrix/client/v3/register', {
    username,
    password: 'a password',
    auth: { type: 'm.login.dummy' },
  });
  assert.equal(status, 200, JSON.stringify(body));
  const user = {
    userId: String(body['user_id']),
    accessToken: String(body['access_token']),
    deviceId: String(body['device_id']),
  };
  return baseUrls.map((baseUrl) => createTestClient(baseUrl, user));
}

for (const [how, processes, database] of [
  ['one process on SQLite', 1, () => 'sqlite:portico.db'],
  ['two processes on PostgreSQL', 2, createTestDatabase],
] as const) {
  test(`64 claimers at ${how}: no key twice, then the fallback key`, { timeout: 240_000 }, async (context) => {
    const url = await database();
    const baseUrls: string[] = [];
    for (let count = 0; count < processes; count++) baseUrls.push(await startProcess(context, url));
    const [[alice], bobs] = [await register(baseUrls, 'alice'), await register(baseUrls, 'bob')];
    assert.ok(alice);
    const uploaded = await alice.post('/_matrix/client/v3/keys/upload', {
      one_time_keys: newOneTimeKeys(oneTimeKeys),
      fallback_keys: { [fallback]: { key: 'fallback', fallback: true } },
    });
    assert.equal(uploaded.status, 200, JSON.stringify(uploaded.body));

    const one_time_keys = { [alice.userId]: { [alice.deviceId]: 'signed_curve25519' } };
    const claim = (by: TestClient) => by.post('/_matrix/client/v3/keys/claim', { one_time_keys });
    const rounds = Array.from({ length: claimers / bobs.length }, () => bobs.map(claim));
    const answers = await Promise.all(rounds.flat());
    const names = answers.flatMap((answer) => {
      assert.equal(answer.status, 200, JSON.stringify(answer.body));
      const { one_time_keys: given } = answer.body as { one_time_keys: Record<string, Record<string, object>> };
      return Object.keys(given[alice.userId]?.[alice.deviceId] ?? {});
    });
    assert.equal(names.length, claimers, 'everybody gets one key');
    const ofOnce = names.filter((name) => name !== fallback);
    assert.equal(new Set(ofOnce).size, ofOnce.length, 'none is handed out twice');
    assert.equal(ofOnce.length, oneTimeKeys, 'the fallback key only where there is no other');
    const left = await alice.post('/_matrix/client/v3/keys/upload', {});
    assert.deepEqual(left.body, { one_time_key_counts: { signed_curve25519: 0 } });
  });
}
