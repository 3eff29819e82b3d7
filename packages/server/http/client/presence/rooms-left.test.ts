import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { startTestServer } from '@portico/testkit/server.ts';
import { createSyncClient, type SyncClient } from '@portico/testkit/sync-client.ts';
import { until } from '@portico/testkit/until.ts';
import { createVirtualClock, type VirtualClock } from '@portico/testkit/virtual-clock.ts';

const stable = 'm.presence_sharing_config';
const unstable = 'events.matrix-community.presence_sharing_config';

/** Longer than what is to be worked out waits for more of its kind. */
const enough = 2001;

/** Lets time pass until account data of a type comes; gives its content. */
function nextOf(by: SyncClient, since: string, type: string, clock: VirtualClock): Promise<object> {
  return until(async () => {
    clock.pass(enough);
    const { account_data: data } = await by.sync({ since, timeout: 200 });
    return data?.events.find((event) => event.type === type)?.content;
  }, `${type} comes`);
}

async function open(context: TestContext, engine: 'sqlite' | 'postgres') {
  const clock = createVirtualClock();
  const server = await startTestServer({ engine, after: clock.after });
  context.after(() => server.close());
  const person = async () => createSyncClient(await server.registerUser());
  return { server, clock, alice: await person(), bob: await person() };
}

async function get(by: SyncClient, type: string): Promise<unknown> {
  return (await by.http.get(`/_matrix/client/v3/user/${encodeURIComponent(by.userId)}/account_data/${type}`)).body;
}

for (const engine of ['sqlite', 'postgres'] as const) {
  test(`a room that somebody has left goes from their lists (${engine})`, async (context) => {
    const { server, clock, alice, bob } = await open(context, engine);
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
      assert.deepEqual(await nextOf(alice, since, stable, clock), expected);
      assert.deepEqual(await get(alice, unstable), { denied_users: others });
      assert.deepEqual(await get(bob, stable), { denied_users: [gone] });
    }
    assert.deepEqual(server.errors, []);
  });

  test(`whoever is back at once keeps the room in their lists (${engine})`, async (context) => {
    const { server, clock, alice, bob } = await open(context, engine);
    const [back, gone] = [await bob.createRoom(), await bob.createRoom()];
    for (const roomId of [back, gone]) await alice.join(roomId);
    await alice.setAccountData(stable, { denied_users: [back, gone] });
    const { next_batch: since } = await alice.sync();
    await alice.leave(back);
    await alice.join(back);
    await alice.leave(gone);
    assert.deepEqual(await nextOf(alice, since, stable, clock), { denied_users: [back] });
    assert.deepEqual(server.errors, []);
  });

  test(`many rooms left at once, and a server that ends before it is done (${engine})`, async (context) => {
    const { server, alice, bob } = await open(context, engine);
    const rooms = await Promise.all(Array.from({ length: 25 }, () => bob.createRoom()));
    for (const roomId of rooms) await alice.join(roomId);
    await alice.setAccountData(stable, { denied_users: [...rooms, '@spam*:*'] });
    await Promise.all(rooms.map((roomId) => alice.leave(roomId)));
    await server.stop();
    const { dataDir, databaseUrl } = server;
    const clock = createVirtualClock();
    const again = await startTestServer({ engine, dataDir, databaseUrl, after: clock.after });
    context.after(() => again.close());

    const returned = createSyncClient(again.as(alice.http));
    await until(async () => {
      clock.pass(enough);
      return JSON.stringify(await get(returned, stable)) === '{"denied_users":["@spam*:*"]}';
    }, 'all rooms are gone from the list');
    assert.deepEqual([...server.errors, ...again.errors], []);
  });
}
