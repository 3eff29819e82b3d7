import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTestDatabase } from '@portico/testkit/index.ts';
import { startTestServer } from '@portico/testkit/server.ts';
import { createSyncClient } from '@portico/testkit/sync-client.ts';

const v3 = '/_matrix/client/v3';

test('what one process has answered, another one knows when it is asked', { timeout: 90_000 }, async (t) => {
  const databaseUrl = await createTestDatabase();
  const one = await startTestServer({ engine: 'postgres', databaseUrl });
  const other = await startTestServer({ engine: 'postgres', databaseUrl });
  t.after(() => Promise.all([one.close(), other.close()]));
  const alice = createSyncClient(await one.registerUser());
  const bob = await other.registerUser();
  const there = createSyncClient(bob);
  const roomId = await alice.createRoom();
  await there.join(roomId);
  let { next_batch: since } = await there.sync();
  const body = { lists: { all: { ranges: [[0, 9]], timeline_limit: 5, required_state: [] } } };
  let { pos } = await there.slide(body);
  for (let round = 0; round < 20; round++) {
    const synced = await alice.send(roomId, `to sync ${round}`);
    const answer = await there.sync({ since, timeout: 0 });
    assert.ok(JSON.stringify(answer).includes(synced), `/sync of round ${round}`);
    since = answer.next_batch;

    const slid = await alice.send(roomId, `to slide ${round}`);
    const slide = await there.slide(body, { pos, timeout: 0 });
    assert.ok(JSON.stringify(slide).includes(slid), `sliding sync of round ${round}`);
    pos = slide.pos;

    const read = await alice.send(roomId, `to read ${round}`);
    const page = await bob.get(`${v3}/rooms/${roomId}/messages?dir=b&limit=1`);
    assert.ok(JSON.stringify(page.body).includes(read), `/messages of round ${round}`);
  }
});

test('who is logged out by one process is so for another one', { timeout: 90_000 }, async (t) => {
  const databaseUrl = await createTestDatabase();
  const one = await startTestServer({ engine: 'postgres', databaseUrl });
  const other = await startTestServer({ engine: 'postgres', databaseUrl });
  t.after(() => Promise.all([one.close(), other.close()]));
  for (let round = 0; round < 10; round++) {
    const alice = await one.registerUser();
    const there = other.as(alice);
    assert.equal((await there.get(`${v3}/account/whoami`)).status, 200);
    assert.equal((await alice.post(`${v3}/logout`, {})).status, 200);
    assert.equal((await there.get(`${v3}/account/whoami`)).status, 401, `round ${round}`);
  }
});
