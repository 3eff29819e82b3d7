import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { signJson, type JsonObject } from '@portico/protocol';
import { newDeviceKeys, newIdentity, newOneTimeKeys, newSigningKey, plainJson } from '@portico/testkit/device-keys.ts';
import type { TestNetwork } from '@portico/testkit/network.ts';
import { openRawDatabase } from '@portico/testkit/raw-database.ts';
import type { TestClient } from '@portico/testkit/test-client.ts';
import { createRoom, join as joinRoom } from '@portico/testkit/people.ts';
import { until } from '@portico/testkit/until.ts';
import { meet, sync } from './people.ts';

const path = '/_matrix/client/v3/keys';

async function ok(response: Promise<{ status: number; body: object }>): Promise<Record<string, unknown>> {
  const { status, body } = await response;
  assert.equal(status, 200, JSON.stringify(body));
  return body as Record<string, unknown>;
}
const upload = (by: TestClient, body: object) => ok(by.post(`${path}/upload`, body));
const query = (by: TestClient, users: readonly string[], timeout?: number) =>
  ok(by.post(`${path}/query`, { device_keys: Object.fromEntries(users.map((user) => [user, []])), timeout }));
const claim = (by: TestClient, of: TestClient) =>
  ok(by.post(`${path}/claim`, { one_time_keys: { [of.userId]: { [of.deviceId]: 'signed_curve25519' } } }));

type Devices = Record<string, Record<string, JsonObject>>;
const devicesOf = (answer: Record<string, unknown>, { userId }: TestClient) =>
  (answer['device_keys'] as Devices)[userId] ?? {};

/** Waits until somebody sees these devices of somebody else. */
function knows(who: TestClient, whom: TestClient, devices: readonly string[]): Promise<true> {
  const wanted = JSON.stringify([...devices].sort());
  return until(
    async () =>
      JSON.stringify(Object.keys(devicesOf(await query(who, [whom.userId]), whom)).sort()) === wanted || undefined,
    `${who.userId} knows ${wanted}`,
  );
}

/** Waits until hs1 keeps the devices of somebody, and need not ask for them. A list that there was news of meanwhile is not kept. */
async function keeps(network: TestNetwork, who: TestClient, { userId }: TestClient): Promise<void> {
  const database = await openRawDatabase(network.server('hs1').databaseUrl);
  try {
    await until(async () => {
      await query(who, [userId]);
      const kept = 'select 1 from remote_device_lists where user_id = $1 and stale = 0';
      return (await database.run(kept, [userId])).length > 0 || undefined;
    }, `the list of ${userId} is kept`);
  } finally {
    await database.close();
  }
}

/** Follows the `device_lists` of somebody. */
async function follow(client: TestClient) {
  let { next_batch: since } = await sync(client);
  return {
    async news(): Promise<{ changed: string[]; left: string[] }> {
      const answer = await sync(client, since);
      since = answer.next_batch;
      return (answer['device_lists'] ?? { changed: [], left: [] }) as { changed: string[]; left: string[] };
    },
    until(kind: 'changed' | 'left', userId: string): Promise<true> {
      return until(
        async () => (await this.news())[kind].includes(userId) || undefined,
        `${userId} in device_lists.${kind}`,
      );
    },
  };
}

for (const engine of ['sqlite', 'postgres'] as const) {
  test(`keys are asked for once, and kept up to date by what their server tells (${engine})`, async (context) => {
    const { alice, bob, network } = await meet(context, engine, { FEDERATION_DEVICE_NAMES: 'true' });
    const keys = newDeviceKeys(bob);
    const lists = await follow(alice);
    await upload(bob, { device_keys: keys });
    await lists.until('changed', bob.userId);
    // What has come so far may be that he logged in.
    await knows(alice, bob, [bob.deviceId]);
    const first = await query(alice, [bob.userId]);
    assert.deepEqual(devicesOf(first, bob), { [bob.deviceId]: { ...keys, unsigned: {} } });
    assert.deepEqual(first['failures'], {});

    // From now on the list is kept: another device and a name come with an update.
    const { body } = await network.server('hs2').anonymous.post('/_matrix/client/v3/login', {
      type: 'm.login.password',
      identifier: { type: 'm.id.user', user: bob.userId },
      password: 'a password',
    });
    const session = body as { access_token: string; device_id: string };
    const phone = network.server('hs2').as({
      userId: bob.userId,
      accessToken: session.access_token,
      deviceId: session.device_id,
    });
    const phoneKeys = newDeviceKeys(phone);
    await upload(phone, { device_keys: phoneKeys });
    await lists.until('changed', bob.userId);
    await ok(phone.put(`/_matrix/client/v3/devices/${phone.deviceId}`, { display_name: 'Phone' }));
    await lists.until('changed', bob.userId);
    await until(async () => {
      const devices = devicesOf(await query(alice, [bob.userId]), bob);
      return JSON.stringify(devices).includes('"Phone"') || undefined;
    }, 'the name has come');
    await keeps(network, alice, bob);
    await network.stop('hs2');
    const kept = await query(alice, [bob.userId]);
    assert.deepEqual(devicesOf(kept, bob), {
      [bob.deviceId]: { ...keys, unsigned: {} },
      [phone.deviceId]: { ...phoneKeys, unsigned: { device_display_name: 'Phone' } },
    });
    await network.start('hs2');
    const again = network.server('hs2').as(phone);
    await ok(again.post('/_matrix/client/v3/logout'));
    await knows(alice, bob, [bob.deviceId]);
  });

  test(`cross-signing keys and signatures get to other servers (${engine})`, async (context) => {
    const { alice, bob } = await meet(context, engine);
    const [mine, his] = [newIdentity(alice.userId), newIdentity(bob.userId)];
    const deviceKey = newSigningKey(bob.deviceId);
    const device = newDeviceKeys(bob, deviceKey);
    await upload(bob, { device_keys: device });
    await query(alice, [bob.userId]);
    const lists = await follow(alice);
    await ok(bob.post(`${path}/device_signing/upload`, his.body));
    await lists.until('changed', bob.userId);
    const seen = await until(async () => {
      const answer = await query(alice, [bob.userId]);
      return Object.hasOwn(answer['master_keys'] as object, bob.userId) ? answer : undefined;
    }, 'the cross-signing keys have come');
    assert.deepEqual(seen['master_keys'], { [bob.userId]: his.body.master_key });
    assert.deepEqual(seen['self_signing_keys'], { [bob.userId]: his.body.self_signing_key });
    assert.deepEqual(seen['user_signing_keys'], {});

    const signed = plainJson(signJson(device, bob.userId, his.self));
    const signedMaster = plainJson(signJson(his.body.master_key, bob.userId, deviceKey));
    const mastersId = his.master.publicKey;
    const failures = await ok(
      bob.post(`${path}/signatures/upload`, {
        [bob.userId]: { [bob.deviceId]: signed, [mastersId]: signedMaster },
      }),
    );
    assert.deepEqual(failures, { failures: {} });
    const complete = await until(async () => {
      const answer = await query(alice, [bob.userId]);
      const signatures = devicesOf(answer, bob)[bob.deviceId]?.['signatures'] as Record<string, object> | undefined;
      return Object.keys(signatures?.[bob.userId] ?? {}).length === 2 ? answer : undefined;
    }, 'the device is signed');
    assert.deepEqual(devicesOf(complete, bob)[bob.deviceId]?.['signatures'], signed['signatures']);
    await until(async () => {
      const masters = (await query(alice, [bob.userId]))['master_keys'] as Record<string, JsonObject>;
      return masters[bob.userId]?.['signatures'] === undefined ? undefined : true;
    }, 'the master key is signed');

    // What alice signs of bob is hers to see.
    await ok(alice.post(`${path}/device_signing/upload`, mine.body));
    const verified = await ok(
      alice.post(`${path}/signatures/upload`, {
        [bob.userId]: { [mastersId]: signJson(his.body.master_key, alice.userId, mine.user) },
      }),
    );
    assert.deepEqual(verified, { failures: {} });
    await lists.until('changed', bob.userId);
    const masters = (await query(alice, [bob.userId]))['master_keys'] as Record<string, JsonObject>;
    assert.ok(Object.hasOwn(masters[bob.userId]?.['signatures'] as object, alice.userId));
    const toBob = (await query(bob, [bob.userId]))['master_keys'] as Record<string, JsonObject>;
    assert.ok(!Object.hasOwn(toBob[bob.userId]?.['signatures'] as object, alice.userId));
  });
}

test('one-time keys of other servers are claimed once each, then the fallback key', async (context) => {
  const { alice, bob, network } = await meet(context);
  const fallback = { 'signed_curve25519:F': { key: 'f', fallback: true } };
  await upload(bob, { one_time_keys: newOneTimeKeys(4), fallback_keys: fallback });
  const answers = await Promise.all(Array.from({ length: 6 }, () => claim(alice, bob)));
  const keys = answers.map(({ one_time_keys: all, failures }) => {
    assert.deepEqual(failures, {});
    return Object.keys((all as Devices)[bob.userId]?.[bob.deviceId] ?? {})[0];
  });
  assert.equal(new Set(keys).size, 5);
  assert.equal(keys.filter((key) => key === 'signed_curve25519:F').length, 2);
  network.cut('hs1', 'hs2');
  const failed = await claim(alice, bob);
  assert.deepEqual(failed['one_time_keys'], {});
  assert.deepEqual(Object.keys(failed['failures'] as object), ['hs2']);
});

test('a server that cannot be reached is named, and what is kept of it is still told', async (context) => {
  const { alice, bob, network } = await meet(context);
  const lists = await follow(alice);
  await upload(bob, { device_keys: newDeviceKeys(bob) });
  await lists.until('changed', bob.userId);
  await knows(alice, bob, [bob.deviceId]);
  await keeps(network, alice, bob);
  network.cut('hs1', 'hs2');
  await network.server('hs1').stop();
  await network.start('hs1');
  const here = network.server('hs1').as(alice);
  const kept = await query(here, [bob.userId, '@x:hs2', '@y:nowhere.test', 'nobody']);
  assert.deepEqual(Object.keys(devicesOf(kept, bob)), [bob.deviceId]);
  assert.deepEqual(Object.keys(kept['failures'] as object).sort(), ['hs2', 'nowhere.test']);
});

test('who comes into a room is told of, and who shares none any more is forgotten', async (context) => {
  const { alice, bob, roomId, network } = await meet(context);
  const file = new DatabaseSync(join(network.server('hs1').dataDir, 'portico.db'), { readOnly: true });
  context.after(() => file.close());
  const kept = () => {
    const tables = ['remote_device_lists', 'device_keys', 'cross_signing_keys'];
    return tables.map((table) => file.prepare(`select 1 from ${table} where user_id = ?`).all(bob.userId).length);
  };
  await upload(bob, { device_keys: newDeviceKeys(bob) });
  await ok(bob.post(`${path}/device_signing/upload`, newIdentity(bob.userId).body));
  await knows(alice, bob, [bob.deviceId]);
  await until(async () => {
    await query(alice, [bob.userId]);
    return String(kept()) === '1,1,2' || undefined;
  }, 'the list is kept');
  const [lists, his] = [await follow(alice), await follow(bob)];
  await ok(bob.post(`/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/leave`, {}));
  await lists.until('left', bob.userId);
  await until(async () => String(kept()) === '0,0,0' || undefined, 'the list is forgotten');

  const { access_token: accessToken, device_id: deviceId } = await ok(
    network.server('hs2').anonymous.post('/_matrix/client/v3/login', {
      type: 'm.login.password',
      identifier: { type: 'm.id.user', user: bob.userId },
      password: 'a password',
    }),
  );
  const phone = network.server('hs2').as({
    userId: bob.userId,
    accessToken: String(accessToken),
    deviceId: String(deviceId),
  });
  await upload(phone, { device_keys: newDeviceKeys(phone) });
  await joinRoom(bob, await createRoom(alice), 'hs1');
  await lists.until('changed', bob.userId);
  await his.until('changed', alice.userId);
  await knows(alice, bob, [bob.deviceId, phone.deviceId]);
});
