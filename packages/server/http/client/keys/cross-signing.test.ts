import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { signJson } from '@portico/protocol';
import { newDeviceKeys, newIdentity, newSigningKey, plainJson } from '@portico/testkit/device-keys.ts';
import { startTestServer, type TestServer } from '@portico/testkit/server.ts';
import { createSyncClient } from '@portico/testkit/sync-client.ts';
import type { TestClient } from '@portico/testkit/test-client.ts';

const path = '/_matrix/client/v3/keys';

for (const engine of ['sqlite', 'postgres'] as const) {
  describe(`cross-signing (${engine})`, () => {
    let server: TestServer;
    before(async () => {
      server = await startTestServer({ engine });
    });
    after(async () => {
      await server.close();
      assert.deepEqual(server.errors, []);
    });
    const upload = (by: TestClient, body: object) => by.post(`${path}/device_signing/upload`, body);

    test('the first upload needs no password, the same again neither, another one does', async () => {
      const [alice, bob] = [await server.registerUser(), await server.registerUser()];
      const { body } = newIdentity(alice.userId);
      assert.equal((await upload(alice, body)).status, 200);
      assert.equal((await upload(alice, body)).status, 200);
      const other = newIdentity(alice.userId).body;
      const challenge = await upload(alice, other);
      assert.equal(challenge.status, 401);
      const auth = {
        type: 'm.login.password',
        session: challenge.body['session'],
        identifier: { type: 'm.id.user', user: alice.userId },
        password: 'a password',
      };
      assert.equal((await upload(alice, { ...other, auth })).status, 200);
      const query = { device_keys: { [alice.userId]: [] } };
      const seen = (await bob.post(`${path}/query`, query)).body;
      assert.deepEqual(seen['master_keys'], { [alice.userId]: other.master_key });
      assert.deepEqual(seen['self_signing_keys'], { [alice.userId]: other.self_signing_key });
      assert.deepEqual(seen['user_signing_keys'], {}, 'seen by its owner only');
      const own = (await alice.post(`${path}/query`, query)).body;
      assert.deepEqual(own['user_signing_keys'], { [alice.userId]: other.user_signing_key });
    });

    test('keys that are not signed by the master key, or are of somebody else, are refused', async () => {
      const [alice, bob] = [await server.registerUser(), await server.registerUser()];
      const [{ body }, strange] = [newIdentity(alice.userId), newIdentity(alice.userId)];
      const mixed = await upload(alice, { ...body, self_signing_key: strange.body.self_signing_key });
      assert.deepEqual([mixed.status, mixed.body['errcode']], [400, 'M_INVALID_SIGNATURE']);
      assert.equal((await upload(alice, newIdentity(bob.userId).body)).status, 400);
      assert.equal((await upload(alice, { self_signing_key: body.self_signing_key })).status, 400);
    });

    test('no device has the name of a cross-signing key', async () => {
      const alice = await server.registerUser();
      const { body, master, self } = newIdentity(alice.userId);
      const logIn = (deviceId: string) =>
        server.anonymous.post('/_matrix/client/v3/login', {
          type: 'm.login.password',
          identifier: { type: 'm.id.user', user: alice.userId },
          password: 'a password',
          device_id: deviceId,
        });
      assert.equal((await logIn(self.publicKey)).status, 200);
      const refused = await upload(alice, body);
      assert.deepEqual([refused.status, refused.body['errcode']], [400, 'M_INVALID_PARAM']);
      const { body: other, ...keys } = newIdentity(alice.userId, master);
      assert.equal((await upload(alice, other)).status, 200);
      for (const key of [keys.master, keys.self, keys.user]) {
        const device = await logIn(key.publicKey);
        assert.deepEqual([device.status, device.body['errcode']], [400, 'M_INVALID_PARAM']);
        const asleep = await alice.put('/_matrix/client/unstable/org.matrix.msc3814.v1/dehydrated_device', {
          device_id: key.publicKey,
          device_data: { algorithm: 'm.dehydration.v2' },
          device_keys: newDeviceKeys({ userId: alice.userId, deviceId: key.publicKey }),
        });
        assert.deepEqual([asleep.status, asleep.body['errcode']], [400, 'M_INVALID_PARAM']);
      }
      assert.equal((await logIn(newIdentity(alice.userId).master.publicKey)).status, 200, 'of nobody here');
    });

    test('signatures are added to what they sign, and shown to whom they concern', async () => {
      const [alice, bob] = [await server.registerUser(), await server.registerUser()];
      const [mine, his] = [newIdentity(alice.userId), newIdentity(bob.userId)];
      await upload(alice, mine.body);
      await upload(bob, his.body);
      const deviceKey = newSigningKey(alice.deviceId);
      const device = plainJson(
        signJson(
          {
            user_id: alice.userId,
            device_id: alice.deviceId,
            algorithms: [],
            keys: { [deviceKey.keyId]: deviceKey.publicKey },
          },
          alice.userId,
          deviceKey,
        ),
      );
      await alice.post(`${path}/upload`, { device_keys: device });
      const { next_batch: since } = await createSyncClient(alice).sync();
      const { status, body } = await alice.post(`${path}/signatures/upload`, {
        [alice.userId]: {
          [alice.deviceId]: signJson(device, alice.userId, mine.self),
          [mine.master.publicKey]: signJson(mine.body.master_key, alice.userId, deviceKey),
          NOSUCH: device,
        },
        [bob.userId]: {
          [his.master.publicKey]: signJson(his.body.master_key, alice.userId, mine.user),
        },
      });
      assert.equal(status, 200);
      const failures = body['failures'] as Record<string, Record<string, { errcode: string }>>;
      assert.deepEqual(Object.keys(failures), [alice.userId]);
      assert.equal(failures[alice.userId]?.['NOSUCH']?.errcode, 'M_NOT_FOUND');
      const wrong = await alice.post(`${path}/signatures/upload`, {
        [alice.userId]: { [alice.deviceId]: signJson(device, alice.userId, mine.user) },
      });
      assert.match(JSON.stringify(wrong.body['failures']), /M_INVALID_SIGNATURE/);

      const query = { device_keys: { [alice.userId]: [], [bob.userId]: [] } };
      const signersIn = async (by: TestClient) => {
        const { body: seen } = await by.post(`${path}/query`, query);
        const text = (part: unknown) => JSON.stringify(part);
        const masters = seen['master_keys'] as Record<string, unknown>;
        return [
          text(seen['device_keys']).includes(mine.self.keyId),
          text(masters[alice.userId]).includes(deviceKey.keyId),
          text(masters[bob.userId]).includes(mine.user.keyId),
        ];
      };
      assert.deepEqual(await signersIn(alice), [true, true, true]);
      assert.deepEqual(await signersIn(bob), [true, true, false], "whom one has verified is nobody else's business");
      const { device_lists: lists } = await createSyncClient(alice).sync({ since });
      assert.deepEqual((lists as { changed: string[] }).changed.toSorted(), [alice.userId, bob.userId].toSorted());
    });

    test('a backup keeps the better key, counts, and takes writes to its newest version only', async () => {
      const [alice, bob] = [await server.registerUser(), await server.registerUser()];
      const base = '/_matrix/client/v3/room_keys';
      const session = (index: number, verified = false, forwarded = 0) => ({
        first_message_index: index,
        forwarded_count: forwarded,
        is_verified: verified,
        session_data: { index },
      });
      assert.equal((await alice.get(`${base}/version`)).status, 404);
      const backup = { algorithm: 'm.megolm_backup.v1', auth_data: { public_key: 'x' } };
      assert.deepEqual((await alice.post(`${base}/version`, backup)).body, { version: '1' });
      const at = `${base}/keys/!r/s?version=1`;
      const put = async (key: object) => (await alice.put(at, key)).status;
      const kept = async () => ((await alice.get(at)).body['session_data'] as { index: number }).index;
      for (const [key, expected] of [
        [session(5, false, 1), 5],
        [session(6), 5],
        [session(4, false, 9), 4],
        [session(9, true), 9],
        [session(0), 9],
      ] as const) {
        assert.equal(await put(key), 200);
        assert.equal(await kept(), expected);
      }
      const more = await alice.put(`${base}/keys?version=1`, {
        rooms: { '!q': { sessions: { a: session(1), b: session(2) } } },
      });
      assert.equal(more.body['count'], 3);
      assert.notEqual((await alice.get(`${base}/version/1`)).body['etag'], '0');
      assert.equal((await alice.delete(`${base}/keys/!q/a?version=1`)).body['count'], 2);
      assert.deepEqual(Object.keys((await alice.get(`${base}/keys?version=1`)).body['rooms'] as object).toSorted(), [
        '!q',
        '!r',
      ]);
      assert.equal((await bob.get(at)).status, 404, 'of somebody else');
      assert.equal((await alice.put(`${base}/version/1`, { ...backup, algorithm: 'other' })).status, 400);
      assert.equal((await alice.put(`${base}/version/1`, backup)).status, 200);
      assert.deepEqual((await alice.post(`${base}/version`, backup)).body, { version: '2' });
      const late = await alice.put(at, session(0));
      assert.deepEqual(
        [late.status, late.body['errcode'], late.body['current_version']],
        [403, 'M_WRONG_ROOM_KEYS_VERSION', '2'],
      );
      assert.equal((await alice.delete(`${base}/version/2`)).status, 200);
      assert.equal((await alice.get(`${base}/version/2`)).status, 404);
      assert.deepEqual(
        (await alice.post(`${base}/version`, backup)).body,
        { version: '3' },
        'numbers are not used again',
      );
    });

    test('a backup is written, read and emptied as a whole, by room and by session', async () => {
      const alice = await server.registerUser();
      const base = '/_matrix/client/v3/room_keys';
      const session = { first_message_index: 0, forwarded_count: 0, is_verified: false, session_data: { a: 'b' } };
      const backup = { algorithm: 'm.megolm_backup.v1', auth_data: { public_key: 'x' } };
      const version = String((await alice.post(`${base}/version`, backup)).body['version']);
      const at = (place: string) => `${base}/keys${place}?version=${version}`;
      const put = await alice.put(at('/!q'), { sessions: { a: session, b: session } });
      assert.deepEqual([put.status, put.body['count']], [200, 2]);
      await alice.put(at('/!r/c'), session);
      assert.deepEqual((await alice.get(at('/!q'))).body, { sessions: { a: session, b: session } });
      assert.deepEqual((await alice.get(at('/!nowhere'))).body, { sessions: {} });
      const emptied = await alice.delete(at('/!q'));
      assert.deepEqual([emptied.status, emptied.body['count']], [200, 1]);
      assert.notEqual(emptied.body['etag'], put.body['etag']);
      assert.deepEqual((await alice.get(at(''))).body, { rooms: { '!r': { sessions: { c: session } } } });
      const all = await alice.delete(at(''));
      assert.deepEqual([all.status, all.body['count']], [200, 0]);
      assert.deepEqual((await alice.get(at(''))).body, { rooms: {} });
      const gone = await alice.get(at('/!r/c'));
      assert.deepEqual([gone.status, gone.body['errcode']], [404, 'M_NOT_FOUND']);
      const other = await alice.put(`${base}/keys/!q?version=${version}0`, { sessions: {} });
      assert.deepEqual([other.status, other.body['errcode']], [403, 'M_WRONG_ROOM_KEYS_VERSION']);
    });
  });
}
