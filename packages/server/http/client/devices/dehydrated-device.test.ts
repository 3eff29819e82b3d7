import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { newDeviceKeys, newOneTimeKeys } from '@portico/testkit/device-keys.ts';
import { serverOfSuite } from '@portico/testkit/server-of-suite.ts';
import type { TestClient } from '@portico/testkit/test-client.ts';

const path = '/_matrix/client/unstable/org.matrix.msc3814.v1/dehydrated_device';
const v3 = '/_matrix/client/v3';
type Page = { readonly events: readonly { readonly content: { readonly n: number } }[]; readonly next_batch?: string };

for (const engine of ['sqlite', 'postgres'] as const) {
  describe(`dehydrated devices (${engine})`, () => {
    const server = serverOfSuite({ engine });
    let transactions = 0;
    const bodyOf = ({ userId }: TestClient, deviceId: string) => ({
      device_id: deviceId,
      device_data: { algorithm: 'm.dehydration.v2', secret: 'x' },
      device_keys: newDeviceKeys({ userId, deviceId }),
      initial_device_display_name: 'asleep',
      one_time_keys: newOneTimeKeys(2),
      fallback_keys: { 'signed_curve25519:F': { key: 'f', fallback: true } },
    });
    const send = (by: TestClient, to: TestClient, deviceId: string, n: number) =>
      by.put(`${v3}/sendToDevice/m.test/${transactions++}`, { messages: { [to.userId]: { [deviceId]: { n } } } });
    const numbers = (body: unknown) => (body as Page).events.map(({ content }) => content.n);
    const devicesOf = async (by: TestClient, of: TestClient) => {
      const { body } = await by.post(`${v3}/keys/query`, { device_keys: { [of.userId]: [] } });
      return Object.keys((body['device_keys'] as Record<string, object>)[of.userId] ?? {});
    };

    test('one takes messages, and gives them to who takes it over', async () => {
      const [alice, bob] = [await server.registerUser(), await server.registerUser()];
      assert.equal((await alice.get(path)).body['errcode'], 'M_NOT_FOUND');
      assert.equal((await alice.delete(path)).status, 404);
      const device = bodyOf(alice, 'ASLEEP');
      const put = await alice.put(path, device);
      assert.deepEqual([put.status, put.body], [200, { device_id: 'ASLEEP' }]);
      assert.deepEqual((await alice.get(path)).body, { device_id: 'ASLEEP', device_data: device.device_data });
      assert.equal((await bob.get(path)).status, 404);
      assert.deepEqual(await devicesOf(bob, alice), ['ASLEEP']);
      const claim = { one_time_keys: { [alice.userId]: { ASLEEP: 'signed_curve25519' } } };
      const claimed = (await bob.post(`${v3}/keys/claim`, claim)).body['one_time_keys'];
      assert.deepEqual(claimed, {
        [alice.userId]: { ASLEEP: { 'signed_curve25519:K000': newOneTimeKeys(1)['signed_curve25519:K000'] } },
      });

      for (let n = 0; n < 5; n++) assert.equal((await send(bob, alice, 'ASLEEP', n)).status, 200);
      const events = `${path}/ASLEEP/events`;
      const first = (await alice.get(`${events}?limit=3`)).body as unknown as Page;
      assert.deepEqual(numbers(first), [0, 1, 2]);
      assert.deepEqual(numbers((await alice.get(`${events}?limit=3`)).body), [0, 1, 2], 'until more is asked for');
      const second = (await alice.get(`${events}?limit=3&from=${first.next_batch}`)).body as unknown as Page;
      assert.deepEqual([numbers(second), second.next_batch], [[3, 4], undefined]);
      assert.deepEqual(numbers((await alice.get(events)).body), [3, 4], 'what has arrived is gone');

      const third = (await alice.post(events, {})).body as unknown as Page;
      assert.deepEqual(numbers(third), [3, 4]);
      assert.deepEqual(numbers((await alice.post(events, { next_batch: third.next_batch })).body), []);
      assert.deepEqual(numbers((await alice.get(events)).body), []);
      assert.equal((await alice.get(`${events}?from=nonsense`)).status, 400);
      assert.equal((await alice.get(`${path}/OTHER/events`)).status, 404);
      assert.equal((await bob.get(events)).status, 404);
    });

    test('there is one at a time, and nothing is left of the one before', async () => {
      const [alice, bob] = [await server.registerUser(), await server.registerUser()];
      assert.equal((await alice.put(path, bodyOf(alice, 'FIRST'))).status, 200);
      await send(bob, alice, 'FIRST', 1);
      assert.equal((await alice.put(path, bodyOf(alice, 'SECOND'))).status, 200);
      assert.deepEqual(await devicesOf(bob, alice), ['SECOND']);
      await send(bob, alice, 'SECOND', 2);
      assert.equal((await alice.put(path, bodyOf(alice, 'SECOND'))).status, 200);
      assert.deepEqual(numbers((await alice.get(`${path}/SECOND/events`)).body), []);
      const both = await Promise.all(['A', 'B'].map((id) => alice.put(path, bodyOf(alice, id))));
      assert.deepEqual(
        both.map(({ status }) => status),
        [200, 200],
      );
      assert.equal((await devicesOf(bob, alice)).length, 1);
      assert.deepEqual((await alice.delete(path)).status, 200);
      assert.deepEqual(await devicesOf(bob, alice), []);
      assert.equal((await alice.put(path, bodyOf(alice, 'THIRD'))).status, 200);
      assert.equal((await alice.post(`${v3}/logout/all`)).status, 200);
      assert.deepEqual(await devicesOf(bob, alice), []);
    });

    test('what is refused leaves the one before as it was', async () => {
      const [alice, bob] = [await server.registerUser(), await server.registerUser()];
      const device = bodyOf(alice, 'ASLEEP');
      assert.equal((await alice.put(path, device)).status, 200);
      await send(bob, alice, 'ASLEEP', 1);
      const wrong = [
        { ...device, one_time_keys: { nonsense: 'key' } },
        { ...device, device_keys: newDeviceKeys({ userId: bob.userId, deviceId: 'ASLEEP' }) },
        { ...bodyOf(alice, 'OTHER'), fallback_keys: { nonsense: 'key' } },
        bodyOf(alice, alice.deviceId),
      ];
      for (const body of wrong) assert.equal((await alice.put(path, body)).status, 400);
      assert.deepEqual((await alice.get(path)).body, { device_id: 'ASLEEP', device_data: device.device_data });
      assert.deepEqual(numbers((await alice.get(`${path}/ASLEEP/events`)).body), [1]);
      const seen = await bob.post(`${v3}/keys/query`, { device_keys: { [alice.userId]: [] } });
      const unsigned = { device_display_name: 'asleep' };
      assert.deepEqual(seen.body['device_keys'], { [alice.userId]: { ASLEEP: { ...device.device_keys, unsigned } } });
      // The same once more is a new device with all its keys.
      assert.equal((await alice.put(path, device)).status, 200);
      assert.deepEqual(await devicesOf(bob, alice), ['ASLEEP']);
      assert.deepEqual(numbers((await alice.get(`${path}/ASLEEP/events`)).body), []);
      const claim = { one_time_keys: { [alice.userId]: { ASLEEP: 'signed_curve25519' } } };
      const claimed = (await bob.post(`${v3}/keys/claim`, claim)).body['one_time_keys'] as object;
      assert.deepEqual(Object.keys(claimed), [alice.userId]);
    });

    test('what is no device, or another one, is refused', async () => {
      const alice = await server.registerUser();
      const wrong = [
        bodyOf(alice, alice.deviceId),
        { ...bodyOf(alice, 'X'), device_keys: newDeviceKeys({ userId: alice.userId, deviceId: 'Y' }) },
        { ...bodyOf(alice, 'X'), device_keys: undefined },
        { ...bodyOf(alice, 'X'), device_data: undefined },
        { ...bodyOf(alice, 'X'), device_id: '' },
        { ...bodyOf(alice, 'X'), initial_device_display_name: 'x'.repeat(101) },
      ];
      for (const body of wrong) assert.equal((await alice.put(path, body)).status, 400, JSON.stringify(body));
      const big = { ...bodyOf(alice, 'X'), device_data: { x: 'x'.repeat(70_000) } };
      assert.equal((await alice.put(path, big)).status, 413);
      assert.equal((await alice.get(path)).status, 404);
      assert.equal((await alice.get('/_matrix/client/v3/account/whoami')).status, 200);
    });
  });
}
