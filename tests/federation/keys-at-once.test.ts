import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { type JsonObject, signJson, type SigningKey } from '@portico/protocol';
import { newDeviceKeys, newIdentity, newSigningKey, plainJson } from '@portico/testkit/device-keys.ts';
import { must } from '@portico/testkit/people.ts';
import type { TestClient } from '@portico/testkit/test-client.ts';
import { until } from '@portico/testkit/until.ts';
import { keys } from './mallory.ts';
import { meet } from './people.ts';

const v3 = '/_matrix/client/v3';
const auth = { type: 'm.login.password', password: 'a password' };

const rounds = 16;

/** Lets the one request come now before, now after the other has been looked at. */
async function later(by: TestClient, round: number): Promise<void> {
  for (let n = 0; n < round % 4; n++) await must(by.get(`${v3}/account/whoami`));
}

/** Two people of different servers in one room, of whom one has keys for signing, and the other one looks at them. */
async function open(context: TestContext, engine: 'sqlite' | 'postgres') {
  const { network, alice, bob } = await meet(context, engine);
  const server = network.server('hs1');
  const identity = newIdentity(alice.userId);
  const ownKey = newSigningKey(alice.deviceId);
  await must(alice.post(`${keys}/upload`, { device_keys: newDeviceKeys(alice, ownKey) }));
  await must(alice.post(`${keys}/device_signing/upload`, identity.body));
  const look = async (by: TestClient) => {
    const found = await must(by.post(`${keys}/query`, { device_keys: { [alice.userId]: [] } }));
    const of = (section: string) => (found[section] as Record<string, Record<string, object>>)[alice.userId] ?? {};
    const devices = Object.entries(of('device_keys')).map(([id, device]) => [id, { ...device, unsigned: {} }] as const);
    return { devices: Object.fromEntries(devices), master: of('master_keys'), selfSigning: of('self_signing_keys') };
  };
  // From now on the other server keeps them, and goes by what it is told.
  await until(async () => alice.deviceId in (await look(bob)).devices, 'the first device is known');
  async function logIn(): Promise<TestClient> {
    const { userId } = alice;
    const body = { ...auth, identifier: { type: 'm.id.user', user: userId } };
    const session = await must(server.anonymous.post(`${v3}/login`, body));
    const [deviceId, accessToken] = [String(session['device_id']), String(session['access_token'])];
    return server.as({ userId, deviceId, accessToken });
  }
  return {
    alice,
    identity,
    ownKey,
    logIn,
    sign: (by: TestClient, name: string, object: JsonObject, key: SigningKey) => {
      const signed = plainJson(signJson(object, alice.userId, key));
      return by.post(`${keys}/signatures/upload`, { [alice.userId]: { [name]: signed } });
    },
    /** The other server hears of everything in its order: when it knows the last device, it has heard of what was before. */
    async assertSame(): Promise<void> {
      const last = await logIn();
      await must(last.post(`${keys}/upload`, { device_keys: newDeviceKeys(last) }));
      await until(async () => last.deviceId in (await look(bob)).devices, 'the last device is known');
      assert.deepEqual(await look(bob), await look(alice));
    },
  };
}

for (const engine of ['sqlite', 'postgres'] as const) {
  test(`a device that is logged out while it uploads its keys stays nowhere (${engine})`, async (context) => {
    const { alice, logIn, assertSame } = await open(context, engine);
    for (let n = 0; n < rounds; n++) {
      const device = await logIn();
      const upload = device.post(`${keys}/upload`, { device_keys: newDeviceKeys(device) });
      await later(alice, n);
      await Promise.all([upload, must(device.post(`${v3}/logout`))]);
    }
    await assertSame();
  });

  test(`a device that uploads its keys while it is signed is the same everywhere (${engine})`, async (context) => {
    const { alice, identity, logIn, sign, assertSame } = await open(context, engine);
    for (let n = 0; n < rounds; n++) {
      const device = await logIn();
      const key = newSigningKey(device.deviceId);
      const { signatures: _signatures, ...object } = newDeviceKeys(device, key);
      const upload = (algorithms: string[]) => {
        const own = plainJson(signJson({ ...object, algorithms }, alice.userId, key));
        return must(device.post(`${keys}/upload`, { device_keys: own }));
      };
      await upload(['one']);
      const signing = sign(alice, device.deviceId, { ...object, algorithms: ['one'] }, identity.self);
      await later(alice, n);
      await Promise.all([must(signing), upload(['one', 'another'])]);
    }
    await assertSame();
  });

  test(`keys for signing that several devices sign at once have all signatures everywhere (${engine})`, async (context) => {
    const { identity, logIn, sign, assertSame } = await open(context, engine);
    const devices = await Promise.all(
      Array.from({ length: 8 }, async () => {
        const device = await logIn();
        const key = newSigningKey(device.deviceId);
        await must(device.post(`${keys}/upload`, { device_keys: newDeviceKeys(device, key) }));
        return { device, key };
      }),
    );
    const { master_key: master } = identity.body;
    const signings = devices.map(({ device, key }) => sign(device, identity.master.publicKey, master, key));
    for (const signed of await Promise.all(signings)) assert.deepEqual(signed.body, { failures: {} });
    await assertSame();
  });

  test(`keys for signing that are replaced while they are signed stay nowhere (${engine})`, async (context) => {
    const { alice, identity, ownKey, sign, assertSame } = await open(context, engine);
    let { master, body } = identity;
    for (let n = 0; n < rounds; n++) {
      const next = newIdentity(alice.userId);
      const replaced = must(alice.post(`${keys}/device_signing/upload`, { ...next.body, auth }));
      await Promise.all([must(sign(alice, master.publicKey, body.master_key, ownKey)), replaced]);
      ({ master, body } = next);
    }
    await assertSame();
  });
}

test('a master key keeps its signatures elsewhere when another key is replaced', async (context) => {
  const { alice, identity, ownKey, sign, assertSame } = await open(context, 'sqlite');
  const { master, body } = identity;
  await must(sign(alice, master.publicKey, body.master_key, ownKey));
  await assertSame();
  const { self_signing_key: next } = newIdentity(alice.userId, master).body;
  await must(alice.post(`${keys}/device_signing/upload`, { self_signing_key: next, auth }));
  await assertSame();
});
