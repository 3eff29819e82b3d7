import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { newDeviceKeys } from '@portico/testkit/device-keys.ts';
import { devicesPath, keys, mallory } from './mallory.ts';
import { joinAs, openWithPeer } from './peer.ts';

type Update = {
  readonly device_id: string;
  readonly device_display_name?: string;
  readonly stream_id: number;
  readonly prev_id: readonly number[];
};

const name = 'Alice’s telephone (Element X 1.2.3 on Android 16)';

/** A server whose people's devices another server hears of, and may ask for. */
async function open(context: TestContext, settings: Readonly<Record<string, string>> = {}) {
  const all = await openWithPeer(context, 'sqlite', settings);
  const { peer, server, alice, path } = all;
  const bob = await server.registerUser('bob');
  assert.equal((await bob.post(`/_matrix/client/v3/join/${path}`, {})).status, 200);
  await joinAs(peer, path, mallory);
  const updates: Update[] = [];
  let arrived = (): void => undefined;
  peer.on('PUT', '/_matrix/federation/v1/send/', ({ body }) => {
    const { edus = [] } = JSON.parse(body) as { edus?: { edu_type: string; content: Update }[] };
    updates.push(...edus.filter((edu) => edu.edu_type === 'm.device_list_update').map(({ content }) => content));
    arrived();
    return { body: { pdus: {} } };
  });
  return {
    ...all,
    bob,
    async next(): Promise<Update> {
      for (;;) {
        const update = updates.shift();
        if (update !== undefined) return update;
        await new Promise<void>((resolve) => {
          arrived = resolve;
        });
      }
    },
    async upload(): Promise<void> {
      assert.equal((await alice.post(`${keys}/upload`, { device_keys: newDeviceKeys(alice) })).status, 200);
    },
    async rename(): Promise<void> {
      const path = `/_matrix/client/v3/devices/${alice.deviceId}`;
      assert.equal((await alice.put(path, { display_name: name })).status, 200);
    },
    async leaveAndCome(): Promise<void> {
      assert.equal((await alice.post(`/_matrix/client/v3/rooms/${path}/leave`, {})).status, 200);
      assert.equal((await alice.post(`/_matrix/client/v3/join/${path}`, {})).status, 200);
    },
    /** What the other server is told when it asks. */
    async asked(): Promise<string> {
      const content = { device_keys: { [alice.userId]: [] } };
      const answers = await Promise.all([
        peer.send('hs1', 'GET', `${devicesPath}${encodeURIComponent(alice.userId)}`),
        peer.send('hs1', 'POST', '/_matrix/federation/v1/user/keys/query', { content }),
      ]);
      for (const { status, body } of answers) {
        assert.equal(status, 200);
        assert.ok(JSON.stringify(body).includes(alice.deviceId));
      }
      return JSON.stringify(answers);
    },
  };
}

test('what people call their devices stays here', { timeout: 60_000 }, async (context) => {
  const { server, alice, bob, next, upload, rename, leaveAndCome, asked } = await open(context);
  await upload();
  const first = await next();
  await rename();
  assert.ok(!(await asked()).includes(name));
  await upload();
  const second = await next();
  assert.deepEqual(second.prev_id, [first.stream_id], 'of the name there was no update');
  await leaveAndCome();
  const third = await next();
  assert.deepEqual([third.device_id, third.stream_id], [alice.deviceId, second.stream_id]);
  for (const update of [first, second, third]) assert.ok(!('device_display_name' in update));

  const { body } = await bob.post(`${keys}/query`, { device_keys: { [alice.userId]: [] } });
  assert.ok(JSON.stringify(body).includes(`"unsigned":{"device_display_name":"${name}"}`), 'people here see it');
  assert.deepEqual(server.errors, []);
});

test('other servers are told the names of devices where the settings say so', { timeout: 60_000 }, async (context) => {
  const settings = { FEDERATION_DEVICE_NAMES: 'true' };
  const { server, alice, next, upload, rename, leaveAndCome, asked } = await open(context, settings);
  await upload();
  assert.equal((await next()).device_display_name, undefined);
  await rename();
  assert.equal((await next()).device_display_name, name);
  assert.equal((await asked()).split(name).length, 3);
  await upload();
  assert.equal((await next()).device_display_name, name);
  await leaveAndCome();
  const announced = await next();
  assert.deepEqual([announced.device_id, announced.device_display_name], [alice.deviceId, name]);
  assert.deepEqual(server.errors, []);
});
