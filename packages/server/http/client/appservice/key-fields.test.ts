import assert from 'node:assert/strict';
import { test } from 'node:test';
import { actingAs, startTestBridge, type TestBridge } from '@portico/testkit/bridge.ts';
import { startBridgedServer } from '@portico/testkit/bridged-server.ts';
import { newDeviceKeys, newOneTimeKeys } from '@portico/testkit/device-keys.ts';
import { createSyncClient } from '@portico/testkit/sync-client.ts';

const v3 = '/_matrix/client/v3';
const ghost = '@_ghost_a:localhost';

type Lists = { readonly changed: readonly string[]; readonly left: readonly string[] };
type OfDevices<T> = { readonly [userId: string]: { readonly [deviceId: string]: T } };

/** A field of MSC3202, in each transaction that has it. */
function field<T>({ transactions }: TestBridge, name: string): T[] {
  return transactions.flatMap(({ body }) => (body[`org.matrix.msc3202.${name}`] as T | undefined) ?? []);
}
const lists = (bridge: TestBridge) => field<Lists>(bridge, 'device_lists');
const counts = (bridge: TestBridge) =>
  field<OfDevices<{ readonly [algorithm: string]: number }>>(bridge, 'device_one_time_keys_count');
const unused = (bridge: TestBridge) => field<OfDevices<readonly string[]>>(bridge, 'device_unused_fallback_key_types');

for (const engine of ['sqlite', 'postgres'] as const) {
  test(`a service is told whose keys have changed, and how many its own users have left (${engine})`, async (t) => {
    const bridge = await startTestBridge({ receive_ephemeral: true, 'org.matrix.msc3202': true });
    const { server, as } = await startBridgedServer(t, [bridge], { engine });
    await as.post(`${v3}/register`, { type: 'm.login.application_service', username: '_ghost_a', inhibit_login: true });
    await as.put(actingAs(`${v3}/devices/GHOST`, ghost), {});
    const [alice, carol] = [
      createSyncClient(await server.registerUser()),
      createSyncClient(await server.registerUser()),
    ];
    const roomId = await alice.createRoom();
    await as.post(actingAs(alice.room(roomId, 'join'), ghost), {});

    // The numbers of the service's own users.
    const lastCount = () => counts(bridge).findLast((each) => each[ghost] !== undefined)?.[ghost];
    const lastUnused = () => unused(bridge).findLast((each) => each[ghost] !== undefined)?.[ghost];
    await as.post(actingAs(`${v3}/keys/upload`, ghost, 'GHOST'), {
      device_keys: newDeviceKeys({ userId: ghost, deviceId: 'GHOST' }),
      one_time_keys: newOneTimeKeys(2),
      fallback_keys: { 'signed_curve25519:F': { key: 'fallback', fallback: true } },
    });
    await bridge.until(() => lastCount()?.['GHOST']?.['signed_curve25519'] === 2);
    assert.deepEqual(lastCount(), { GHOST: { signed_curve25519: 2 } });
    assert.deepEqual(lastUnused(), { GHOST: ['signed_curve25519'] });
    const claim = () =>
      alice.http.post(`${v3}/keys/claim`, { one_time_keys: { [ghost]: { GHOST: 'signed_curve25519' } } });
    await claim();
    await bridge.until(() => lastCount()?.['GHOST']?.['signed_curve25519'] === 1);
    assert.deepEqual(lastUnused(), { GHOST: ['signed_curve25519'] });
    await claim();
    await bridge.until(() => lastCount()?.['GHOST']?.['signed_curve25519'] === 0);
    await claim();
    await bridge.until(() => lastUnused()?.['GHOST']?.length === 0);
    assert.deepEqual(lastCount(), { GHOST: { signed_curve25519: 0 } });

    // The lists of those who share a room with any of them.
    const upload = (person: typeof alice) =>
      person.http.post(`${v3}/keys/upload`, {
        device_keys: newDeviceKeys(person.http),
        one_time_keys: newOneTimeKeys(5),
      });
    const changed = () => lists(bridge).flatMap((each) => each.changed);
    const left = () => lists(bridge).flatMap((each) => each.left);
    await upload(carol);
    await upload(alice);
    await bridge.until(() => changed().includes(alice.userId));
    assert.ok(!changed().includes(carol.userId), 'nobody shares a room with her');
    await carol.join(roomId);
    await bridge.until(() => changed().includes(carol.userId));
    assert.deepEqual(left(), []);
    await carol.http.post(carol.room(roomId, 'leave'), {});
    await bridge.until(() => left().length > 0);
    assert.deepEqual(left(), [carol.userId]);

    for (const each of [...counts(bridge), ...unused(bridge)]) {
      for (const userId of Object.keys(each)) assert.ok([ghost, '@_bot:localhost'].includes(userId), userId);
    }
  });
}

test(
  'devices and algorithms of a service’s users may be called like what every object has',
  { timeout: 60_000 },
  async (t) => {
    const bridge = await startTestBridge({ receive_ephemeral: true, 'org.matrix.msc3202': true });
    const { server, as } = await startBridgedServer(t, [bridge]);
    await as.post(`${v3}/register`, { type: 'm.login.application_service', username: '_ghost_a', inhibit_login: true });
    const devices = ['GHOST', '__proto__', 'constructor'];
    for (const deviceId of devices) await as.put(actingAs(`${v3}/devices/${deviceId}`, ghost), {});
    const upload = (deviceId: string, body: object) =>
      as.post(actingAs(`${v3}/keys/upload`, ghost, deviceId), { one_time_keys: newOneTimeKeys(1), ...body });
    const named = { 'polluted:1': 'AAAA', '__proto__:1': 'AAAA', 'toString:1': 'AAAA' };
    // Of those that have no keys of their own nothing is said.
    await upload('__proto__', { one_time_keys: named, fallback_keys: { 'push:F': 'AAAA' } });
    const withKeys = (deviceId: string) =>
      upload(deviceId, { device_keys: newDeviceKeys({ userId: ghost, deviceId }) });
    await withKeys('GHOST');
    await bridge.until(() => counts(bridge).at(-1)?.[ghost]?.['GHOST']?.['signed_curve25519'] === 1);
    assert.equal('polluted' in {}, false);
    await withKeys('constructor');
    await withKeys('__proto__');
    const last = () => counts(bridge).findLast((each) => each[ghost] !== undefined)?.[ghost] ?? {};
    await bridge.until(() => Object.keys(last()).length === devices.length);
    const waiting = new Map(
      Object.entries(last()).map(([deviceId, each]) => [deviceId, new Map(Object.entries(each))]),
    );
    assert.deepEqual(
      waiting.get('__proto__'),
      new Map([
        ['__proto__', 1],
        ['polluted', 1],
        ['signed_curve25519', 1],
        ['toString', 1],
      ]),
    );
    const lastUnused = unused(bridge).findLast((each) => each[ghost] !== undefined)?.[ghost] ?? {};
    const expected = new Map<string, readonly string[]>([
      ['GHOST', []],
      ['constructor', []],
      ['__proto__', ['push']],
    ]);
    assert.deepEqual(new Map(Object.entries(lastUnused)), expected);
    assert.deepEqual(server.errors, []);
  },
);
