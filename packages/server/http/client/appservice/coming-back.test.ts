import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { startTestBridge } from '@portico/testkit/bridge.ts';
import { startTestServer } from '@portico/testkit/server.ts';

const v3 = '/_matrix/client/v3';

test('a service that was away for long is told soon after it is heard of, and not before it can be ready', async (t) => {
  const bridge = await startTestBridge();
  t.after(() => bridge.close());
  const settings = { APPLICATION_SERVICES: JSON.stringify([bridge.file]) };
  bridge.answerWith(() => ({ status: 503 }));
  const first = await startTestServer({ settings });
  const user = { userId: '@_bot:localhost', accessToken: bridge.asToken, deviceId: '' };
  await first.as(user).post(`${v3}/createRoom`, {});
  await bridge.until(() => bridge.requests.length > 0);
  await first.stop();
  // As it is after hours of failures: the next attempt is minutes away, and the lease of the last one is over.
  const db = new DatabaseSync(join(first.dataDir, 'portico.db'));
  db.prepare('update app_services set failures = 20, retry_at = ?, lease_until = 0').run(Date.now() + 250_000);
  db.close();

  bridge.answerWith(undefined);
  const second = await startTestServer({ settings, dataDir: first.dataDir });
  t.after(() => second.close());
  const heardOf = performance.now();
  await second.as(user).get(`${v3}/account/whoami`);
  await bridge.until(() => bridge.transactions.length > 0);
  assert.ok(performance.now() - heardOf > 4000);
});
