import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { startTestServer } from '@portico/testkit/server.ts';
import { createSyncClient, type SyncClient } from '@portico/testkit/sync-client.ts';

const stable = 'm.presence_sharing_config';
const unstable = 'events.matrix-community.presence_sharing_config';

/** Syncs until account data of a type comes; gives its content. */
async function nextOf(by: SyncClient, since: string, type: string): Promise<object> {
  for (let token = since; ;) {
    const body = await by.sync({ since: token, timeout: 10_000 });
    token = body.next_batch;
    const { events = [] } = (body.account_data ?? {}) as { events?: { type: string; content: object }[] };
    const found = events.find((event) => event.type === type);
    if (found !== undefined) return found.content;
    assert.ok(Object.keys(body).length > 1, 'something comes in time');
  }
}

async function open(context: TestContext, engine: 'sqlite' | 'postgres') {
  const server = await startTestServer({ engine });
  context.after(() => server.close());
  const person = async () => createSyncClient(await server.registerUser());
  return { server, alice: await person(), bob: await person() };
}

async function get(by: SyncClient, type: string): Promise<unknown> {
  return (await by.http.get(`/_matrix/client/v3/user/${encodeURIComponent(by.userId)}/account_data/${type}`)).body;
}

for (const engine of ['sqlite', 'postgres'] as const) {
  test(`a room that somebody has left goes from their lists (${engine})`, async (context) => {
    const { server, alice, bob } = await open(context, engine);
    for (const how of ['leave', 'kick', 'ban'] as const) {
      const [gone, kept] = [await bob.createRoom(), await bob.createRoom()];
      await alice.join(gone);
      await alice.join(kept);
      const others = [kept, bob.userId, '@*:elsewhere', 7];
      await alice.setAccountData(stable, {
        allowed_users: [gone, ...others],
        denied_users: [gone],
        more: { of: gone },
      });
      await alice.setAccountData(unstable, { denied_users: [...others, gone] });
      await bob.setAccountData(stable, { denied_users: [gone] });
      const { next_batch: since } = await alice.sync();
      if (how === 'leave') await alice.leave(gone);
      else await bob[how](gone, alice.userId);
      const expected = { allowed_users: others, denied_users: [], more: { of: gone } };
      assert.deepEqual(await nextOf(alice, since, stable), expected);
      assert.deepEqual(await get(alice, unstable), { denied_users: others });
      assert.deepEqual(await get(bob, stable), { denied_users: [gone] });
    }
    assert.deepEqual(server.errors, []);
  });

  test(`whoever is back at once keeps the room in their lists (${engine})`, async (context) => {
    const { server, alice, bob } = await open(context, engine);
    const [back, gone] = [await bob.createRoom(), await bob.createRoom()];
    for (const roomId of [back, gone]) await alice.join(roomId);
    await alice.setAccountData(stable, { denied_users: [back, gone] });
    const { next_batch: since } = await alice.sync();
    await alice.leave(back);
    await alice.join(back);
    await alice.leave(gone);
    assert.deepEqual(await nextOf(alice, since, stable), { denied_users: [back] });
    assert.deepEqual(server.errors, []);
  });

  test(`many rooms left at once, and a server that ends before it is done (${engine})`, async (context) => {
    const { server, alice, bob } = await open(context, engine);
    const rooms = await Promise.all(Array.from({ length: 25 }, () => bob.createRoom()));
    for (const roomId of rooms) await alice.join(roomId);
    await alice.setAccountData(stable, { denied_users: [...rooms, '@spam*:*'] });
    const { next_batch: since } = await alice.sync();
    await Promise.all(rooms.map((roomId) => alice.leave(roomId)));
    await server.stop();
    const { dataDir, databaseUrl } = server;
    const again = await startTestServer({ engine, dataDir, databaseUrl });
    context.after(() => again.close());

    const returned = createSyncClient(again.as(alice.http));
    let token = since;
    const isDone = async () => JSON.stringify(await get(returned, stable)) === '{"denied_users":["@spam*:*"]}';
    for (let waits = 0; waits < 5 && !(await isDone()); waits++) {
      token = (await returned.sync({ since: token, timeout: 10_000 })).next_batch;
    }
    assert.ok(await isDone());
    assert.deepEqual([...server.errors, ...again.errors], []);
  });
}
