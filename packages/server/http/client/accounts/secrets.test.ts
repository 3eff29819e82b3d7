import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { startTestServer } from '@portico/testkit/server.ts';

test('neither passwords nor access tokens are stored, not even while a registration is under way', async (t) => {
  const dataDir = mkdtempSync(join(tmpdir(), 'portico-secrets-'));
  t.after(() => rmSync(dataDir, { recursive: true, force: true }));
  const server = await startTestServer({ dataDir });
  const password = 'the-very-secret-password';
  const auth = { type: 'm.login.unknown', password };
  const unfinished = await server.anonymous.post('/_matrix/client/v3/register', { username: 'u', password, auth });
  assert.equal(unfinished.status, 401);
  const alice = await server.registerUser('alice', password);
  const wrong = await server.anonymous.post('/_matrix/client/v3/login', {
    type: 'm.login.password',
    user: 'alice',
    password: `${password}-wrong`,
  });
  assert.equal(wrong.status, 403);
  await server.stop();

  const stored = readdirSync(dataDir, { withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name }) => readFileSync(join(dataDir, name), 'latin1'))
    .join('');
  // What must be there shows that the search works.
  assert.ok(stored.includes(String(unfinished.body['session'])));
  assert.ok(stored.includes('$argon2id$'));
  assert.equal(stored.includes(password), false);
  assert.equal(stored.includes(alice.accessToken), false);
  assert.deepEqual(server.errors, []);
});
