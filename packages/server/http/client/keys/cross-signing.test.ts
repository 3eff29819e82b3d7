import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { signJson } from '@portico/protocol';
import { newDeviceKeys, newIdentity, newSigningKey, plainJson } from '@portico/testkit/device-keys.ts';
import { serverOfSuite } from '@portico/testkit/server-of-suite.ts';
import { createSyncClient } from '@portico/testkit/sync-client.ts';
import type { TestClient } from '@portico/testkit/test-client.ts';

const path = '/_matrix/client/v3/keys';

for (const engine of ['sqlite', 'postgres'] as const) {
  describe(`cross-signing (${engine})`, () => {
    const server = serverOfSuite({ engine });
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

    test('the same first upload several times at once needs no password either', async () => {
      const alice = await server.registerUser();
      const { body } = newIdentity(alice.userId);
      const answers = await Promise.all(Array.from({ length: 6 }, () => upload(alice, body)));
      assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]));
    });

    test('keys that are not signed by the master key, or are of somebody else, are refused', async () => {
      const [alice, bob] = [await server.registerUser(), await server.registerUser()];
      const [{ body }, strange] = [newIdentity(alice.userId), newIdentity(alice.userId)];
      const mixed = await upload(alice, { ...body, self_signing_key: strange.body.self_signing_key });
      assert.deepEqual([mixed.status, mixed.body['errcode']], [400, 'M_INVALID_SIGNATURE']);
      assert.equal((await upload(alice, newIdentity(bob.userId).body)).status, 400);
      assert.equal((await upload(alice, { self_signing_key: body.self_signing_key })).status, 400);
    });

    test('a user-signing key alone is news for its owner, and for nobody else', async () => {
      const [alice, bob] = [await server.registerUser(), await server.registerUser()];
      const { body: room } = await alice.post('/_matrix/client/v3/createRoom', { preset: 'public_chat' });
      const roomId = encodeURIComponent(String(room['room_id']));
      assert.equal((await bob.post(`/_matrix/client/v3/join/${roomId}`, {})).status, 200);
      const { user_signing_key: own, ...others } = newIdentity(alice.userId).body;
      assert.equal((await upload(alice, others)).status, 200);
      const before = [await createSyncClient(alice).sync(), await createSyncClient(bob).sync()];
      const challenge = await upload(alice, { user_signing_key: own });
      const auth = {
        type: 'm.login.password',
        session: challenge.body['session'],
        identifier: { type: 'm.id.user', user: alice.userId },
        password: 'a password',
      };
      assert.equal((await upload(alice, { user_signing_key: own, auth })).status, 200);
      const [hers, his] = [
        await createSyncClient(alice).sync({ since: before[0]?.next_batch ?? '' }),
        await createSyncClient(bob).sync({ since: before[1]?.next_batch ?? '' }),
      ];
      assert.deepEqual(hers['device_lists'], { changed: [alice.userId], left: [] });
      assert.equal(his['device_lists'], undefined);
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
  });
}
