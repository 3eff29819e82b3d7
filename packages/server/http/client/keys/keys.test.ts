import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { JsonObject } from '@portico/protocol';
import { newDeviceKeys } from '@portico/testkit/device-keys.ts';
import { serverOfSuite } from '@portico/testkit/server-of-suite.ts';
import { createSyncClient } from '@portico/testkit/sync-client.ts';
import type { TestClient } from '@portico/testkit/test-client.ts';

const path = '/_matrix/client/v3/keys';
const oneTimeKey = (key: string): JsonObject => ({ key, signatures: { '@a:b': { 'ed25519:X': 'sig' } } });
const manyKeys = (count: number): JsonObject =>
  Object.fromEntries(Array.from({ length: count }, (_, n) => [`signed_curve25519:K${n}`, oneTimeKey(`key ${n}`)]));
const claimed = (body: object, { userId, deviceId }: TestClient): string[] => {
  const { one_time_keys: all } = body as { one_time_keys: Record<string, Record<string, object>> };
  return Object.keys(all[userId]?.[deviceId] ?? {});
};

for (const engine of ['sqlite', 'postgres'] as const) {
  describe(`keys of devices (${engine})`, () => {
    const server = serverOfSuite({ engine });

    const upload = (by: TestClient, body: object) => by.post(`${path}/upload`, body);
    const claim = (by: TestClient, of: TestClient) =>
      by.post(`${path}/claim`, { one_time_keys: { [of.userId]: { [of.deviceId]: 'signed_curve25519' } } });

    test('device keys come back as they were uploaded, with the name of the device', async () => {
      const [alice, bob] = [await server.registerUser(), await server.registerUser()];
      const keys = newDeviceKeys(alice);
      assert.equal((await upload(alice, { device_keys: keys })).status, 200);
      await alice.put(`/_matrix/client/v3/devices/${alice.deviceId}`, { display_name: 'a "phone"' });
      const query = { device_keys: { [alice.userId]: [], '@nobody:localhost': [], '@c:elsewhere.example': ['X'] } };
      const { status, body } = await bob.post(`${path}/query`, query);
      assert.equal(status, 200);
      assert.deepEqual(body['device_keys'], {
        [alice.userId]: { [alice.deviceId]: { ...keys, unsigned: { device_display_name: 'a "phone"' } } },
        '@nobody:localhost': {},
      });
      assert.deepEqual(Object.keys(body['failures'] as object), ['elsewhere.example']);
      const one = await bob.post(`${path}/query`, { device_keys: { [alice.userId]: ['OTHER'] } });
      assert.deepEqual(one.body['device_keys'], { [alice.userId]: {} });
    });

    test('keys of somebody else, with wrong signatures, or too large are refused', async () => {
      const [alice, bob] = [await server.registerUser(), await server.registerUser()];
      const own = newDeviceKeys(alice);
      const wrong: object[] = [
        { device_keys: newDeviceKeys(bob) },
        { device_keys: newDeviceKeys({ userId: alice.userId, deviceId: 'OTHER' }) },
        { device_keys: newDeviceKeys({ userId: bob.userId, deviceId: alice.deviceId }) },
        { device_keys: { ...own, algorithms: ['something else'] } },
        { device_keys: { ...own, signatures: 5 } },
        { device_keys: { ...own, keys: { 'ed25519:X': 5 } } },
        { device_keys: { ...own, n: 1.5 } },
        { device_keys: { user_id: alice.userId, device_id: alice.deviceId } },
        { device_keys: { ...own, signatures: {}, padding: 'x'.repeat(20_000) } },
        { one_time_keys: { noAlgorithm: 'x' } },
        { one_time_keys: { 'signed_curve25519:A': 5 } },
        { one_time_keys: { [`curve25519:${'x'.repeat(245)}`]: 'x' } },
        { one_time_keys: { 'signed_curve25519:A': { signatures: {} } } },
        { one_time_keys: { 'signed_curve25519:A': oneTimeKey('x'.repeat(5000)) } },
        { fallback_keys: { 'signed_curve25519:A': oneTimeKey('a'), 'signed_curve25519:B': oneTimeKey('b') } },
      ];
      const incomplete = await upload(alice, wrong[7] ?? {});
      assert.equal(incomplete.body['errcode'], 'M_BAD_JSON');
      for (const body of wrong)
        assert.equal((await upload(alice, body)).status, 400, JSON.stringify(body).slice(0, 200));
      assert.equal((await upload(alice, { one_time_keys: manyKeys(501) })).status, 413);
      const algorithms = Object.fromEntries(Array.from({ length: 11 }, (_, n) => [`algorithm${n}:A`, 'x']));
      assert.equal((await upload(alice, { fallback_keys: algorithms })).status, 413);
      const { body } = await bob.post(`${path}/query`, { device_keys: { [alice.userId]: [] } });
      assert.deepEqual(body['device_keys'], { [alice.userId]: {} }, 'nothing is kept');
      const devices = Object.fromEntries(Array.from({ length: 3000 }, (_, n) => [`D${n}`, 'signed_curve25519']));
      const flood = await bob.post(`${path}/claim`, { one_time_keys: { [alice.userId]: devices } });
      assert.equal(flood.status, 413);
    });

    test('what cannot be stored is refused in requests of all kinds', async () => {
      const [alice, bob] = [await server.registerUser(), await server.registerUser()];
      const id = 'signed_curve25519:A';
      const refused = async (answer: Promise<{ status: number; body: object }>, what: unknown) => {
        const { status, body } = await answer;
        assert.deepEqual([status, JSON.stringify(what)], [400, JSON.stringify(what)], JSON.stringify(body));
      };
      const backup = { algorithm: 'm.megolm_backup.v1.curve25519-aes-sha2', auth_data: {} };
      const { version } = (await alice.post('/_matrix/client/v3/room_keys/version', backup)).body;
      const session = { first_message_index: 0, forwarded_count: 0, is_verified: true, session_data: {} };
      for (const odd of ['a\0', 'a\ud800']) {
        for (const body of [
          { one_time_keys: { [id]: odd } },
          { one_time_keys: { [id + odd]: 'key' } },
          { one_time_keys: { [`${odd}:A`]: 'key' } },
          { one_time_keys: { [id]: oneTimeKey(odd) } },
          { fallback_keys: { [id + odd]: oneTimeKey('key') } },
          { fallback_keys: { [id]: oneTimeKey(odd) } },
        ])
          await refused(upload(alice, body), body);
        for (const device_keys of [{ [odd]: [] }, { [`@${odd}:localhost`]: [] }, { [alice.userId]: [odd] }])
          await refused(bob.post(`${path}/query`, { device_keys }), device_keys);
        for (const one_time_keys of [
          { [`@${odd}:localhost`]: { A: 'signed_curve25519' } },
          { [alice.userId]: { [odd]: 'signed_curve25519' } },
          { [alice.userId]: { [alice.deviceId]: odd } },
        ])
          await refused(bob.post(`${path}/claim`, { one_time_keys }), one_time_keys);
        const signed = { [alice.userId]: { [odd]: newDeviceKeys(alice) } };
        await refused(alice.post(`${path}/signatures/upload`, signed), signed);
        for (const messages of [{ [odd]: { A: {} } }, { [alice.userId]: { [odd]: {} } }])
          await refused(bob.put('/_matrix/client/v3/sendToDevice/m.test/odd', { messages }), messages);
        for (const rooms of [{ [odd]: { sessions: { s: session } } }, { r: { sessions: { [odd]: session } } }])
          await refused(alice.put(`/_matrix/client/v3/room_keys/keys?version=${String(version)}`, { rooms }), rooms);
      }
      assert.deepEqual((await upload(alice, {})).body, { one_time_key_counts: { signed_curve25519: 0 } });
    });

    test('names are looked at whatever is in them: line breaks too', async () => {
      const [alice, bob] = [await server.registerUser(), await server.registerUser()];
      for (const name of ['a\nb', '\n', 'a\u2028b']) {
        assert.equal((await bob.post(`${path}/query`, { device_keys: { [name]: null } })).status, 400);
        assert.equal((await bob.post(`${path}/claim`, { one_time_keys: { [name]: null } })).status, 400);
        assert.equal((await bob.post(`${path}/claim`, { one_time_keys: { a: { [name]: 5 } } })).status, 400);
        assert.equal((await bob.post(`${path}/signatures/upload`, { [alice.userId]: { [name]: null } })).status, 400);
        const messages = { [alice.userId]: { [name]: null } };
        assert.equal((await bob.put('/_matrix/client/v3/sendToDevice/m.test/break', { messages })).status, 400);
      }
      const odd = ['D\n', '\u{1f511}', ''];
      const devices = Object.fromEntries(odd.map((device) => [device, 'signed_curve25519']));
      const answer = await bob.post(`${path}/claim`, { one_time_keys: { [alice.userId]: devices } });
      assert.deepEqual([answer.status, answer.body], [200, { one_time_keys: {}, failures: {} }]);
    });

    test('uploads and queries of megabytes are refused as a whole', async () => {
      const [alice, bob] = [await server.registerUser(), await server.registerUser()];
      const large = { ...manyKeys(400), 'signed_curve25519:L': oneTimeKey('x'.repeat(4_000_000)) };
      assert.ok([400, 413].includes((await upload(alice, { one_time_keys: large })).status));
      const wide = Object.fromEntries(Array.from({ length: 20_000 }, (_, n) => [`@u${n}:localhost`, []]));
      assert.equal((await bob.post(`${path}/query`, { device_keys: wide })).status, 413);
      assert.deepEqual((await upload(alice, {})).body, { one_time_key_counts: { signed_curve25519: 0 } });
    });

    test('uploading again changes nothing, another key of the same ID is refused', async () => {
      const alice = await server.registerUser();
      for (let time = 0; time < 2; time++) {
        const { body } = await upload(alice, { one_time_keys: manyKeys(3) });
        assert.deepEqual(body, { one_time_key_counts: { signed_curve25519: 3 } });
      }
      const changed = { 'signed_curve25519:K1': oneTimeKey('other'), 'signed_curve25519:K9': oneTimeKey('new') };
      const { status, body } = await upload(alice, { one_time_keys: changed });
      assert.deepEqual([status, body['errcode']], [400, 'M_UNKNOWN']);
      const [old, other] = [manyKeys(2)['signed_curve25519:K1'], changed['signed_curve25519:K1']];
      const words = `signed_curve25519:K1 already exists. Old key: ${JSON.stringify(old)}; new key: ${JSON.stringify(other)}`;
      assert.equal(body['error'], `One time key ${words}`);
      assert.deepEqual((await upload(alice, {})).body, { one_time_key_counts: { signed_curve25519: 3 } });
    });

    test('a device has two thousand one-time keys at most, however many are uploaded at once', async () => {
      const [alice, bob] = [await server.registerUser(), await server.registerUser()];
      const all = Object.entries(manyKeys(2500));
      const uploads = Array.from({ length: 5 }, (_, n) => Object.fromEntries(all.slice(n * 500, n * 500 + 500)));
      const answers = await Promise.all(uploads.map((keys) => upload(alice, { one_time_keys: keys })));
      const [refused] = answers.filter(({ status }) => status !== 200);
      assert.deepEqual([refused?.status, refused?.body['errcode']], [413, 'M_TOO_LARGE']);
      const { body } = await upload(alice, {});
      assert.deepEqual(body, { one_time_key_counts: { signed_curve25519: 2000 } });
      const another = { one_time_keys: { 'signed_curve25519:another': oneTimeKey('another') } };
      assert.equal((await upload(alice, another)).status, 413);
      assert.equal(claimed((await claim(bob, alice)).body, alice).length, 1);
      assert.deepEqual((await upload(alice, another)).body, body);
    });

    test('a device has keys of ten algorithms at most, in however many uploads', async () => {
      const alice = await server.registerUser();
      for (const kind of ['one_time_keys', 'fallback_keys']) {
        const answers = [];
        for (let count = 0; count < 12; count++) {
          answers.push((await upload(alice, { [kind]: { [`kind${count}:A`]: 'A'.repeat(43) } })).status);
        }
        assert.deepEqual(answers, [...Array<number>(10).fill(200), 413, 413], kind);
      }
      const { body } = await alice.get('/_matrix/client/v3/sync');
      assert.equal((body['device_unused_fallback_key_types'] as string[]).length, 10);
      assert.equal((await upload(alice, { one_time_keys: manyKeys(1) })).status, 200, 'those in use are always taken');
    });

    test('64 claimers at once get 64 different keys, the others the fallback key', { timeout: 20_000 }, async () => {
      const [alice, bob] = [await server.registerUser(), await server.registerUser()];
      await upload(alice, {
        one_time_keys: manyKeys(60),
        fallback_keys: { 'signed_curve25519:F': { ...oneTimeKey('f'), fallback: true } },
      });
      const answers = await Promise.all(Array.from({ length: 64 }, () => claim(bob, alice)));
      const keys = answers.flatMap(({ body }) => claimed(body, alice));
      assert.equal(keys.length, 64);
      assert.equal(keys.filter((key) => key === 'signed_curve25519:F').length, 4);
      assert.equal(new Set(keys).size, 61);
    });

    test('keys are handed out in the order of their uploads', async () => {
      const [alice, bob] = [await server.registerUser(), await server.registerUser()];
      for (const id of ['B', 'C', 'A']) {
        await upload(alice, { one_time_keys: { [`signed_curve25519:${id}`]: oneTimeKey(id) } });
      }
      const order: string[] = [];
      for (let time = 0; time < 3; time++) order.push(...claimed((await claim(bob, alice)).body, alice));
      assert.deepEqual(order, ['signed_curve25519:B', 'signed_curve25519:C', 'signed_curve25519:A']);
    });

    test('a fallback key is used, kept and replaced; every sync says what is left', { timeout: 20_000 }, async () => {
      const [alice, bob] = [await server.registerUser(), await server.registerUser()];
      const client = createSyncClient(alice);
      let since: string | undefined;
      const state = async () => {
        const body = await client.sync(since === undefined ? {} : { since });
        since = body.next_batch;
        const types = body['device_unused_fallback_key_types'];
        assert.deepEqual(body['org.matrix.msc2732.device_unused_fallback_key_types'], types);
        return [body['device_one_time_keys_count'], types];
      };
      assert.deepEqual(await state(), [{ signed_curve25519: 0 }, []]);
      await upload(alice, { one_time_keys: manyKeys(1), 'org.matrix.msc2732.fallback_keys': manyKeys(1) });
      assert.deepEqual(await state(), [{ signed_curve25519: 1 }, ['signed_curve25519']]);
      assert.deepEqual(claimed((await claim(bob, alice)).body, alice), ['signed_curve25519:K0']);
      assert.deepEqual(await state(), [{ signed_curve25519: 0 }, ['signed_curve25519']]);
      for (let time = 0; time < 2; time++) {
        assert.deepEqual(claimed((await claim(bob, alice)).body, alice), ['signed_curve25519:K0']);
        assert.deepEqual(await state(), [{ signed_curve25519: 0 }, []]);
      }
      await upload(alice, { fallback_keys: manyKeys(1) });
      assert.deepEqual(await state(), [{ signed_curve25519: 0 }, []], 'the same key stays used');
      await upload(alice, { fallback_keys: { 'signed_curve25519:N': oneTimeKey('new') } });
      assert.deepEqual(await state(), [{ signed_curve25519: 0 }, ['signed_curve25519']]);
      assert.deepEqual(claimed((await claim(bob, alice)).body, alice), ['signed_curve25519:N']);
      assert.deepEqual(claimed((await claim(alice, bob)).body, bob), [], 'of one device only');
    });

    test('a key of one device is never handed out for another one of the same person', async () => {
      const [alice, bob] = [await server.registerUser(), await server.registerUser()];
      const { body } = await server.anonymous.post('/_matrix/client/v3/login', {
        type: 'm.login.password',
        identifier: { type: 'm.id.user', user: alice.userId },
        password: 'a password',
        device_id: 'OTHER',
      });
      const other = server.as({ ...alice, deviceId: 'OTHER', accessToken: String(body['access_token']) });
      const key = (name: string) => ({ [`signed_curve25519:${name}`]: oneTimeKey(name) });
      assert.equal((await upload(alice, { fallback_keys: key('A') })).status, 200);
      assert.equal((await upload(other, { one_time_keys: key('K'), fallback_keys: key('B') })).status, 200);
      const handedOut = async (of: TestClient) => {
        const { one_time_keys: all } = (await claim(bob, of)).body as { one_time_keys: Record<string, object> };
        assert.deepEqual(Object.keys(all), [of.userId]);
        assert.deepEqual(Object.keys(all[of.userId] ?? {}), [of.deviceId]);
        return claimed({ one_time_keys: all }, of);
      };
      assert.deepEqual(await handedOut(alice), ['signed_curve25519:A'], 'while the other device has keys left');
      assert.deepEqual(await handedOut(other), ['signed_curve25519:K']);
      assert.deepEqual(await handedOut(alice), ['signed_curve25519:A']);
      assert.deepEqual(await handedOut(other), ['signed_curve25519:B']);
    });

    test('a claim takes the fallback key of its device and algorithm, and of no other', async () => {
      const [alice, bob] = [await server.registerUser(), await server.registerUser()];
      const login = { type: 'm.login.password', user: alice.userId, password: 'a password', device_id: 'OTHER' };
      const { body: session } = await server.anonymous.post('/_matrix/client/v3/login', login);
      const accessToken = String(session['access_token']);
      const other = server.as({ userId: alice.userId, deviceId: 'OTHER', accessToken });
      const fallback = { 'signed_curve25519:F': oneTimeKey('f'), 'other:G': 'g' };
      for (const by of [alice, other]) assert.equal((await upload(by, { fallback_keys: fallback })).status, 200);
      const { one_time_keys: given } = (await claim(bob, alice)).body as { one_time_keys: Record<string, object> };
      assert.deepEqual(Object.keys(given[alice.userId] ?? {}), [alice.deviceId]);
      assert.deepEqual(claimed({ one_time_keys: given }, alice), ['signed_curve25519:F']);
      const unused = async (by: TestClient) => {
        const types = (await createSyncClient(by).sync())['device_unused_fallback_key_types'];
        return (types as readonly string[]).toSorted();
      };
      assert.deepEqual([await unused(alice), await unused(other)], [['other'], ['other', 'signed_curve25519']]);
    });

    test('a device that is deleted leaves no keys behind', async () => {
      const [alice, bob] = [await server.registerUser(), await server.registerUser()];
      await upload(alice, {
        device_keys: newDeviceKeys(alice),
        one_time_keys: manyKeys(2),
        fallback_keys: manyKeys(1),
      });
      assert.equal((await alice.post('/_matrix/client/v3/logout')).status, 200);
      const { body } = await bob.post(`${path}/query`, { device_keys: { [alice.userId]: [] } });
      assert.deepEqual(body['device_keys'], { [alice.userId]: {} });
      assert.deepEqual(claimed((await claim(bob, alice)).body, alice), []);
    });
  });
}
