import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { registerAdmin } from '@portico/testkit/register-admin.ts';
import { serverOfSuite } from '@portico/testkit/server-of-suite.ts';
import { refusalOf, type TestClient } from '@portico/testkit/test-client.ts';
import { until } from '@portico/testkit/until.ts';

const v3 = '/_matrix/client/v3';
const encoded = encodeURIComponent;
const user = (userId: string) => `/_synapse/admin/v2/users/${encoded(userId)}`;
const administrator = (userId: string) => `/_synapse/admin/v1/users/${encoded(userId)}/admin`;
const suspension = (userId: string) => `/_synapse/admin/v1/suspend/${encoded(userId)}`;
const deactivation = (userId: string) => `/_synapse/admin/v1/deactivate/${encoded(userId)}`;

for (const engine of ['sqlite', 'postgres'] as const) {
  describe(`people, for administrators (${engine})`, () => {
    const server = serverOfSuite({ engine });
    let admin: TestClient;
    let alice: TestClient;
    before(async () => {
      admin = await registerAdmin(server, 'admin');
      alice = await server.registerUser('alice');
    });

    test('are described', async () => {
      await alice.put(`${v3}/profile/${encoded(alice.userId)}/avatar_url`, { avatar_url: 'mxc://localhost/face' });
      const { body } = await admin.get(user(alice.userId));
      const { creation_ts: created, last_seen_ts: seen, ...rest } = body;
      assert.deepEqual(rest, {
        name: alice.userId,
        admin: false,
        deactivated: false,
        erased: false,
        locked: false,
        suspended: false,
        user_type: null,
        displayname: 'alice',
        avatar_url: 'mxc://localhost/face',
        threepids: [],
        external_ids: [],
        is_guest: false,
        shadow_banned: false,
      });
      assert.ok(Number(created) > Date.now() - 600_000 && Number(seen) >= Number(created));
      assert.equal((await admin.get(user(admin.userId))).body['admin'], true);
      for (const nobody of ['@nobody:localhost', '@somebody:elsewhere.example', 'nobody']) {
        assert.equal(refusalOf(await admin.get(user(nobody))), '404 M_NOT_FOUND');
      }
    });

    test('are suspended and have everything back', async () => {
      const suspended = async () => (await admin.get(user(alice.userId))).body['suspended'];
      const { body } = await admin.put(suspension(alice.userId), { suspend: true });
      assert.deepEqual(body, { [`user_${alice.userId}_suspended`]: true });
      assert.equal(await suspended(), true);
      assert.equal(refusalOf(await alice.post(`${v3}/createRoom`, {})), '403 M_USER_SUSPENDED');
      assert.equal((await admin.put(suspension(alice.userId), { suspend: false })).status, 200);
      assert.equal(await suspended(), false);
      assert.equal((await alice.post(`${v3}/createRoom`, {})).status, 200);
      assert.equal(refusalOf(await admin.put(suspension(admin.userId), { suspend: true })), '403 M_FORBIDDEN');
      assert.equal(refusalOf(await admin.put(suspension(alice.userId), {})), '400 M_MISSING_PARAM');
    });

    test('become administrators and cease to be, but do not demote themselves', async () => {
      const bob = await server.registerUser();
      assert.deepEqual((await admin.get(administrator(bob.userId))).body, { admin: false });
      assert.equal(refusalOf(await bob.get(administrator(bob.userId))), '403 M_FORBIDDEN');
      assert.deepEqual((await admin.put(administrator(bob.userId), { admin: true })).body, {});
      assert.deepEqual((await bob.get(administrator(bob.userId))).body, { admin: true });
      assert.equal(refusalOf(await bob.put(administrator(bob.userId), { admin: false })), '400 M_INVALID_PARAM');
      assert.equal((await admin.put(administrator(bob.userId), { admin: false })).status, 200);
      assert.equal(refusalOf(await bob.get(administrator(bob.userId))), '403 M_FORBIDDEN');
      assert.equal(refusalOf(await admin.put(administrator('@nobody:localhost'), { admin: true })), '404 M_NOT_FOUND');
    });

    test('do not leave the server without an administrator, however they demote each other', async () => {
      for (let round = 0; round < 5; round += 1) {
        const other = await server.registerUser();
        assert.equal((await admin.put(administrator(other.userId), { admin: true })).status, 200);
        const demotions = [
          admin.put(administrator(other.userId), { admin: false }),
          other.put(administrator(admin.userId), { admin: false }),
        ];
        const refused = (await Promise.all(demotions)).map(refusalOf).filter((refusal) => !refusal.startsWith('200'));
        assert.deepEqual(refused, ['403 M_FORBIDDEN']);
        const { status } = await admin.get(administrator(other.userId));
        if (status === 403) {
          assert.equal((await other.put(administrator(admin.userId), { admin: true })).status, 200);
          assert.equal((await admin.put(administrator(other.userId), { admin: false })).status, 200);
        }
      }
      const [locked] = [await server.registerUser()];
      assert.equal((await admin.put(`/_matrix/client/v1/admin/lock/${locked.userId}`, { locked: true })).status, 200);
      assert.equal((await admin.put(administrator(locked.userId), { admin: true })).status, 200);
      assert.equal((await admin.put(administrator(locked.userId), { admin: false })).status, 200);
    });

    test('are deactivated, and what they said is erased if that is asked', async () => {
      const [carol, dave] = [await server.registerUser(), await server.registerUser()];
      const done = await admin.post(deactivation(carol.userId), {});
      assert.deepEqual([done.status, done.body], [200, { id_server_unbind_result: 'success' }]);
      assert.equal(refusalOf(await carol.get(`${v3}/account/whoami`)), '401 M_UNKNOWN_TOKEN');
      assert.partialDeepStrictEqual((await admin.get(user(carol.userId))).body, { deactivated: true, erased: false });
      assert.equal(refusalOf(await admin.post(deactivation(carol.userId), {})), '403 M_USER_DEACTIVATED');
      assert.equal((await admin.post(deactivation(dave.userId), { erase: true })).status, 200);
      assert.partialDeepStrictEqual((await admin.get(user(dave.userId))).body, { deactivated: true, erased: true });
      const refusals: [string, string][] = [
        [admin.userId, '403 M_FORBIDDEN'],
        ['@nobody:localhost', '404 M_NOT_FOUND'],
        ['@somebody:elsewhere.example', '400 M_INVALID_PARAM'],
      ];
      for (const [userId, expected] of refusals) {
        assert.equal(refusalOf(await admin.post(deactivation(userId), {})), expected);
      }
    });

    test('are erased also once they are gone', async () => {
      const erin = await server.registerUser();
      await erin.put(`${v3}/user/${erin.userId}/account_data/org.example.notes`, { notes: 'secret' });
      assert.equal((await admin.post(deactivation(erin.userId), {})).status, 200);
      const erasure = `/_portico/admin/v1/erasures/${erin.userId}`;
      assert.equal(refusalOf(await admin.get(erasure)), '404 M_NOT_FOUND');
      assert.equal((await admin.post(deactivation(erin.userId), { erase: true })).status, 200);
      assert.partialDeepStrictEqual((await admin.get(user(erin.userId))).body, { deactivated: true, erased: true });
      const { body } = await until(async () => {
        const answer = await admin.get(erasure);
        return answer.body['finished_at'] === null ? undefined : answer;
      }, 'all is erased');
      assert.ok(((body['erased'] as Record<string, number>)['account-data'] ?? 0) >= 1);
      assert.equal(refusalOf(await admin.post(deactivation(erin.userId), { erase: true })), '403 M_USER_DEACTIVATED');
    });

    test('do none of that themselves', async () => {
      const eve = await server.registerUser();
      for (const answer of [
        await eve.get(user(eve.userId)),
        await eve.put(administrator(eve.userId), { admin: true }),
        await eve.put(suspension(alice.userId), { suspend: true }),
        await eve.post(deactivation(alice.userId), {}),
      ]) {
        assert.equal(refusalOf(answer), '403 M_FORBIDDEN');
      }
    });
  });
}
