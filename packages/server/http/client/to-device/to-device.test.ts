import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { serverOfSuite } from '@portico/testkit/server-of-suite.ts';
import { createSyncClient, type SyncBody } from '@portico/testkit/sync-client.ts';
import type { TestClient } from '@portico/testkit/test-client.ts';

type Message = { readonly type: string; readonly sender: string; readonly content: { readonly n?: number } };

const messages = ({ to_device: section }: SyncBody): readonly Message[] =>
  (section as { events: readonly Message[] } | undefined)?.events ?? [];
const numbers = (body: SyncBody) => messages(body).map(({ content }) => content.n);

for (const engine of ['sqlite', 'postgres'] as const) {
  describe(`messages to devices (${engine})`, () => {
    const server = serverOfSuite({ engine });
    let transactions = 0;

    const send = (by: TestClient, to: object, txn = `t${++transactions}`, type = 'org.example.hello') =>
      by.put(`/_matrix/client/v3/sendToDevice/${type}/${txn}`, { messages: to });
    async function secondDevice(of: TestClient): Promise<TestClient> {
      const { body } = await server.anonymous.post('/_matrix/client/v3/login', {
        type: 'm.login.password',
        identifier: { type: 'm.id.user', user: of.userId },
        password: 'a password',
      });
      const { access_token: accessToken, device_id: deviceId } = body as Record<string, string>;
      return server.as({ userId: of.userId, accessToken: accessToken ?? '', deviceId: deviceId ?? '' });
    }

    test('each device gets its own, once, and a long poll wakes', { timeout: 20_000 }, async () => {
      const [alice, bob] = [await server.registerUser(), await server.registerUser()];
      const other = await secondDevice(bob);
      const [one, two] = [createSyncClient(bob), createSyncClient(other)];
      const start = await one.sync();
      const { next_batch: otherStart } = await two.sync();
      const waiting = one.sync({ since: start.next_batch, timeout: 60_000 });
      for (let count = 0; count < 3; count++) await two.sync();
      const { status } = await send(alice, { [bob.userId]: { [bob.deviceId]: { n: 1, text: 'ü"\n' } } });
      assert.equal(status, 200);
      const got = await waiting;
      assert.deepEqual(messages(got), [
        { content: { n: 1, text: 'ü"\n' }, sender: alice.userId, type: 'org.example.hello' },
      ]);
      assert.deepEqual(numbers(await one.sync({ since: start.next_batch })), [1], 'until it is acknowledged');
      assert.deepEqual(numbers(await one.sync({ since: got.next_batch })), []);
      assert.deepEqual(numbers(await two.sync({ since: otherStart })), []);

      await send(alice, { [bob.userId]: { '*': { n: 2 } } });
      assert.deepEqual(numbers(await one.sync({ since: got.next_batch })), [2]);
      assert.deepEqual(numbers(await two.sync({ since: otherStart })), [2]);
    });

    test('a long poll wakes that wants nothing but them', { timeout: 20_000 }, async () => {
      const bob = await server.registerUser();
      const client = createSyncClient(bob);
      const filter = { room: { rooms: [] }, account_data: { types: [] }, presence: { types: [] } };
      const { next_batch: since } = await client.sync({ filter });
      const waiting = client.sync({ filter, since, timeout: 60_000 });
      await send(bob, { [bob.userId]: { [bob.deviceId]: { n: 1 } } });
      assert.deepEqual(numbers(await waiting), [1]);
    });

    test('what was acknowledged is gone, even for an initial sync', { timeout: 20_000 }, async () => {
      const [alice, bob] = [await server.registerUser(), await server.registerUser()];
      const client = createSyncClient(bob);
      await send(alice, { [bob.userId]: { '*': { n: 1 } } });
      const first = await client.sync();
      assert.deepEqual(numbers(first), [1]);
      await send(alice, { [bob.userId]: { '*': { n: 2 } } });
      const second = await client.sync({ since: first.next_batch });
      assert.deepEqual(numbers(second), [2]);
      await client.sync({ since: second.next_batch });
      // No sync waits for what it acknowledges to be dropped.
      while (numbers(await client.sync()).length > 0);
    });

    test('many come in order, a hundred at a time', async () => {
      const [alice, bob] = [await server.registerUser(), await server.registerUser()];
      const client = createSyncClient(bob);
      const { next_batch: since } = await client.sync();
      for (let n = 0; n < 250; n++) await send(alice, { [bob.userId]: { [bob.deviceId]: { n } } });
      const seen: (number | undefined)[] = [];
      const sizes: number[] = [];
      for (let from = since; ;) {
        const body = await client.sync({ since: from });
        if (numbers(body).length === 0) break;
        sizes.push(numbers(body).length);
        seen.push(...numbers(body));
        from = body.next_batch;
      }
      assert.deepEqual(sizes, [100, 100, 50]);
      assert.deepEqual(
        seen,
        Array.from({ length: 250 }, (_, n) => n),
      );
    });

    test('a transaction sends once, each device having its own', async () => {
      const [alice, bob] = [await server.registerUser(), await server.registerUser()];
      const client = createSyncClient(bob);
      const to = (n: number) => ({ [bob.userId]: { [bob.deviceId]: { n } } });
      const phone = await secondDevice(alice);
      for (const by of [alice, alice, phone]) assert.equal((await send(by, to(1), 'same')).status, 200);
      assert.equal((await send(alice, to(2), 'same', 'org.example.other')).status, 200);
      assert.deepEqual(numbers(await client.sync()), [1, 1, 2]);
    });

    test('devices that do not exist get nothing, nor does a later one of the same name', async () => {
      const [alice, bob] = [await server.registerUser(), await server.registerUser()];
      const nobody = { '@nobody:localhost': { '*': { n: 1 } }, '@bob:elsewhere.example': { '*': { n: 1 } } };
      assert.equal((await send(alice, { ...nobody, [bob.userId]: { NONE: { n: 1 } } })).status, 200);
      assert.equal((await send(alice, {})).status, 200);
      const phone = await secondDevice(bob);
      await send(alice, { [bob.userId]: { [phone.deviceId]: { n: 1 } } });
      assert.equal((await phone.post('/_matrix/client/v3/logout')).status, 200);
      const { body } = await server.anonymous.post('/_matrix/client/v3/login', {
        type: 'm.login.password',
        identifier: { type: 'm.id.user', user: bob.userId },
        password: 'a password',
        device_id: phone.deviceId,
      });
      const again = { userId: bob.userId, deviceId: phone.deviceId, accessToken: String(body['access_token']) };
      assert.deepEqual(numbers(await createSyncClient(server.as(again)).sync()), []);
    });

    test('what is malformed or too large is refused, and nothing of it sent', async () => {
      const [alice, bob] = [await server.registerUser(), await server.registerUser()];
      assert.equal((await send(alice, { [bob.userId]: 'x' })).status, 400);
      assert.equal((await send(alice, { [bob.userId]: { '*': 5 } })).status, 400);
      const large = { [bob.userId]: { [bob.deviceId]: { n: 1 }, OTHER: { text: 'x'.repeat(70_000) } } };
      assert.equal((await send(alice, large)).status, 413);
      assert.deepEqual(numbers(await createSyncClient(bob).sync()), []);
    });
  });
}
