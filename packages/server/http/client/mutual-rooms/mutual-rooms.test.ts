import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { startTestServer } from '@portico/testkit/server.ts';
import type { TestClient } from '@portico/testkit/test-client.ts';

const v3 = '/_matrix/client/v3';

for (const engine of ['sqlite', 'postgres'] as const) {
  describe(`mutual rooms (${engine})`, async () => {
    const server = await startTestServer({ engine });
    after(() => server.close());
    const ask = (who: TestClient, query: Record<string, string>) =>
      who.get(`/_matrix/client/v1/mutual_rooms?${new URLSearchParams(query).toString()}`);
    async function newRoom(by: TestClient): Promise<string> {
      return String((await by.post(`${v3}/createRoom`, { preset: 'public_chat' })).body['room_id']);
    }
    const join = (who: TestClient, room: string) => who.post(`${v3}/join/${encodeURIComponent(room)}`, {});

    test('are those that both are in now', async () => {
      const [alice, bob] = [await server.registerUser(), await server.registerUser()];
      const [shared, left] = [await newRoom(alice), await newRoom(alice), await newRoom(bob)];
      await join(bob, shared);
      await join(bob, left);
      await bob.post(`${v3}/rooms/${encodeURIComponent(left)}/leave`, {});
      assert.deepEqual((await ask(alice, { user_id: bob.userId })).body, { joined: [shared], count: 1 });
      assert.deepEqual((await ask(bob, { user_id: alice.userId })).body, { joined: [shared], count: 1 });
      assert.deepEqual((await ask(alice, { user_id: '@nobody:localhost' })).body, { joined: [], count: 0 });
    });

    test('come in pages', async () => {
      const [alice, bob] = [await server.registerUser(), await server.registerUser()];
      const rooms = await Promise.all(Array.from({ length: 101 }, () => newRoom(alice)));
      await Promise.all(rooms.map((room) => join(bob, room)));
      const first = (await ask(alice, { user_id: bob.userId })).body as { joined: string[]; next_batch: string };
      const { body: last } = await ask(alice, { user_id: bob.userId, from: first.next_batch });
      assert.equal(first.joined.length, 100);
      assert.deepEqual([last['count'], last['next_batch']], [101, undefined]);
      assert.deepEqual(new Set([...first.joined, ...(last['joined'] as string[])]), new Set(rooms));
    });

    test('are asked for with somebody else, and with a token of this server', async () => {
      const alice = await server.registerUser();
      for (const query of [
        { user_id: alice.userId },
        { user_id: 'nobody' },
        { user_id: '@nobody:localhost', from: 'elsewhere' },
      ]) {
        const { status, body } = await ask(alice, query);
        assert.deepEqual([status, body['errcode']], [400, 'M_INVALID_PARAM']);
      }
      assert.equal((await ask(alice, {})).body['errcode'], 'M_MISSING_PARAM');
    });
  });
}
