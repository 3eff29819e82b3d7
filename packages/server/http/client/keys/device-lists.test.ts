import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { newDeviceKeys } from '@portico/testkit/device-keys.ts';
import { serverOfSuite } from '@portico/testkit/server-of-suite.ts';
import { createSyncClient, type SyncBody } from '@portico/testkit/sync-client.ts';
import type { TestClient } from '@portico/testkit/test-client.ts';

const path = '/_matrix/client/v3/keys';
const lists = ({ device_lists: section }: SyncBody) =>
  (section ?? { changed: [], left: [] }) as { changed: string[]; left: string[] };

for (const engine of ['sqlite', 'postgres'] as const) {
  describe(`lists of devices (${engine})`, () => {
    const server = serverOfSuite({ engine });

    const upload = (by: TestClient, body: object) => by.post(`${path}/upload`, body);

    test('a new device and a new name are told of, keys or none', async () => {
      const [alice, bob] = [await server.registerUser(), await server.registerUser()];
      const [one, two] = [createSyncClient(alice), createSyncClient(bob)];
      await two.join(await one.createRoom());
      const logIn = (device?: string) =>
        server.anonymous.post('/_matrix/client/v3/login', {
          type: 'm.login.password',
          identifier: { type: 'm.id.user', user: bob.userId },
          password: 'a password',
          ...(device !== undefined && { device_id: device }),
        });
      const positions = { one: (await one.sync()).next_batch, two: (await two.sync()).next_batch };
      const news = async () => {
        const seen = [await one.sync({ since: positions.one }), await two.sync({ since: positions.two })];
        positions.one = seen[0]?.next_batch ?? '';
        positions.two = seen[1]?.next_batch ?? '';
        return seen.map((body) => lists(body).changed);
      };
      const told = [[bob.userId], [bob.userId]];
      assert.equal((await logIn('PHONE')).status, 200);
      assert.deepEqual(await news(), told, 'a new device');
      const { body } = await logIn('PHONE');
      assert.deepEqual(await news(), [[], []], 'the same device again');
      const phone = server.as({ userId: bob.userId, deviceId: 'PHONE', accessToken: String(body['access_token']) });
      await phone.put('/_matrix/client/v3/devices/PHONE', { display_name: 'Phone' });
      assert.deepEqual(await news(), told, 'a new name');
      await phone.post('/_matrix/client/v3/logout');
      assert.deepEqual(await news(), told, 'a device that has gone');
    });

    test(
      'who keeps out rooms with a filter is told of the people in them all the same',
      { timeout: 30_000 },
      async () => {
        const [alice, bob] = [await server.registerUser(), await server.registerUser()];
        const [one, two] = [createSyncClient(alice), createSyncClient(bob)];
        const room = await one.createRoom();
        const nothing = { types: [] };
        for (const rooms of [{ rooms: [] }, { rooms: ['!another:room'] }, { not_rooms: [room] }]) {
          const filter = { room: rooms, presence: nothing, account_data: nothing };
          let { next_batch: since } = await one.sync();
          const news = async (timeout = 0) => {
            const body = await one.sync({ since, filter, timeout });
            since = body.next_batch;
            return lists(body);
          };
          await two.join(room);
          assert.deepEqual(await news(), { changed: [bob.userId], left: [] }, 'who comes');
          const waiting = news(20_000);
          await upload(bob, { device_keys: newDeviceKeys(bob) });
          assert.deepEqual(await waiting, { changed: [bob.userId], left: [] }, 'who has other keys');
          await two.leave(room);
          assert.deepEqual(await news(), { changed: [], left: [bob.userId] }, 'who goes');
        }
      },
    );

    test('who changes, comes and goes', { timeout: 30_000 }, async () => {
      const [alice, bob] = [await server.registerUser(), await server.registerUser()];
      const [one, two] = [createSyncClient(alice), createSyncClient(bob)];
      const stranger = await server.registerUser();
      const room = await one.createRoom();
      const start = await one.sync();
      const begin = start.next_batch;
      let from = begin;
      const news = async () => {
        const body = await one.sync({ since: from });
        from = body.next_batch;
        return lists(body);
      };
      await upload(stranger, { device_keys: newDeviceKeys(stranger) });
      await upload(bob, { device_keys: newDeviceKeys(bob) });
      assert.deepEqual(await news(), { changed: [], left: [] }, 'no room is shared');
      await upload(alice, { device_keys: newDeviceKeys(alice) });
      assert.deepEqual(await news(), { changed: [alice.userId], left: [] }, 'the own new device');
      await two.join(room);
      assert.deepEqual(await news(), { changed: [bob.userId], left: [] });
      const second = await one.createRoom();
      await two.join(second);
      assert.deepEqual(await news(), { changed: [alice.userId], left: [] }, 'shared before, but for the own devices');
      // Other things may wake it before, such as somebody's presence.
      const longPoll = async (since: string): Promise<SyncBody> => {
        const body = await one.sync({ since, timeout: 20_000 });
        return body['device_lists'] === undefined ? longPoll(body.next_batch) : body;
      };
      const waiting = longPoll(from);
      for (let count = 0; count < 3; count++) await two.sync();
      const keys = newDeviceKeys(bob);
      await upload(bob, { device_keys: keys });
      assert.deepEqual(lists(await waiting), { changed: [bob.userId], left: [] }, 'a long poll wakes');
      await news();
      await upload(bob, { device_keys: keys });
      assert.deepEqual(await news(), { changed: [], left: [] }, 'nothing new');
      await two.leave(second);
      assert.deepEqual(await news(), { changed: [], left: [] }, 'still shared');
      await one.leave(room);
      assert.deepEqual(await news(), { changed: [], left: [bob.userId] });
      const all = `${path}/changes?from=${encodeURIComponent(begin)}&to=${encodeURIComponent(from)}`;
      assert.deepEqual((await alice.get(all)).body, { changed: [alice.userId], left: [] });
      await one.join(room);
      assert.deepEqual(await news(), { changed: [alice.userId, bob.userId], left: [] });
      await one.leave(room);
      await one.join(room);
      assert.deepEqual(await news(), { changed: [alice.userId, bob.userId], left: [] }, 'apart for a moment');
      await bob.post('/_matrix/client/v3/logout');
      assert.deepEqual(await news(), { changed: [bob.userId], left: [] });
    });
  });
}
