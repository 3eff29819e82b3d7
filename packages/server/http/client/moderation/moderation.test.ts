import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { registerAdmin } from '@portico/testkit/register-admin.ts';
import { startTestServer } from '@portico/testkit/server.ts';
import type { TestClient, TestResponse } from '@portico/testkit/test-client.ts';

const v3 = '/_matrix/client/v3';
const outcome = ({ status, body }: TestResponse) => [status, body['errcode']];

for (const engine of ['sqlite', 'postgres'] as const) {
  describe(`moderation of accounts (${engine})`, async () => {
    const server = await startTestServer({ engine });
    after(() => server.close());
    const admin = await registerAdmin(server, 'admin');
    const path = (what: 'lock' | 'suspend', userId: string) => `/_matrix/client/v1/admin/${what}/${userId}`;
    const lock = (userId: string, locked: boolean) => admin.put(path('lock', userId), { locked });
    const suspend = (userId: string, suspended: boolean) => admin.put(path('suspend', userId), { suspended });
    const send = (person: TestClient, room: string, txnId: string) =>
      person.put(`${v3}/rooms/${room}/send/m.room.message/${txnId}`, { msgtype: 'm.text', body: 'hello' });
    async function newRoom(by: TestClient, options: object = { preset: 'public_chat' }): Promise<string> {
      return encodeURIComponent(String((await by.post(`${v3}/createRoom`, options)).body['room_id']));
    }

    test('who is locked can log out, and has everything back when unlocked', async () => {
      const alice = await server.registerUser();
      assert.deepEqual((await admin.get(path('lock', alice.userId))).body, { locked: false });
      assert.deepEqual((await lock(alice.userId, true)).body, { locked: true });
      assert.deepEqual((await admin.get(path('lock', alice.userId))).body, { locked: true });
      for (const refused of [
        await alice.get(`${v3}/account/whoami`),
        await alice.get(`${v3}/sync?timeout=0`),
        await alice.post(`${v3}/createRoom`, {}),
      ]) {
        assert.deepEqual(outcome(refused), [401, 'M_USER_LOCKED']);
        assert.equal(refused.body['soft_logout'], true);
      }
      assert.deepEqual((await lock(alice.userId, false)).body, { locked: false });
      assert.equal((await alice.get(`${v3}/account/whoami`)).status, 200);
      await lock(alice.userId, true);
      assert.equal((await alice.post(`${v3}/logout`)).status, 200);
      assert.deepEqual(outcome(await alice.get(`${v3}/account/whoami`)), [401, 'M_UNKNOWN_TOKEN']);
    });

    test('who is suspended reads, leaves and takes back their own, and does no more', async () => {
      const [alice, bob] = [await server.registerUser(), await server.registerUser()];
      const [ours, theirs, closed] = [
        await newRoom(alice),
        await newRoom(bob),
        await newRoom(bob, { invite: [alice.userId] }),
      ];
      const mine = encodeURIComponent(String((await send(alice, ours, '1')).body['event_id']));
      await bob.post(`${v3}/join/${ours}`, {});
      const his = encodeURIComponent(String((await send(bob, ours, '1')).body['event_id']));
      assert.deepEqual((await suspend(alice.userId, true)).body, { suspended: true });
      assert.deepEqual((await admin.get(path('suspend', alice.userId))).body, { suspended: true });
      for (const refused of [
        await send(alice, ours, '2'),
        await alice.put(`${v3}/rooms/${ours}/state/m.room.topic`, { topic: 'No' }),
        await alice.post(`${v3}/join/${theirs}`, {}),
        await alice.post(`${v3}/rooms/${closed}/join`, {}),
        await alice.post(`${v3}/knock/${theirs}`, {}),
        await alice.post(`${v3}/rooms/${ours}/invite`, { user_id: admin.userId }),
        await alice.post(`${v3}/createRoom`, {}),
        await alice.put(`${v3}/profile/${alice.userId}/displayname`, { displayname: 'No' }),
        await alice.put(`${v3}/rooms/${ours}/redact/${his}/1`, {}),
      ]) {
        assert.deepEqual(outcome(refused), [403, 'M_USER_SUSPENDED']);
      }
      for (const allowed of [
        await alice.get(`${v3}/sync?timeout=0`),
        await alice.get(`${v3}/rooms/${ours}/messages?dir=b`),
        await alice.put(`${v3}/rooms/${ours}/redact/${mine}/2`, {}),
        await alice.post(`${v3}/rooms/${closed}/leave`, {}),
        await alice.post(`${v3}/rooms/${ours}/leave`, {}),
        await alice.put(`${v3}/user/${alice.userId}/account_data/a`, {}),
      ]) {
        assert.equal(allowed.status, 200);
      }
      await suspend(alice.userId, false);
      assert.equal((await alice.post(`${v3}/join/${theirs}`, {})).status, 200);
    });

    test('is for administrators, and never about them', async () => {
      const alice = await server.registerUser();
      const other = await registerAdmin(server, 'other');
      for (const what of ['lock', 'suspend'] as const) {
        const body = { locked: true, suspended: true };
        const cases: [TestResponse, number, string][] = [
          [await alice.put(path(what, alice.userId), body), 403, 'M_FORBIDDEN'],
          [await alice.get(path(what, '@nobody:localhost')), 403, 'M_FORBIDDEN'],
          [await admin.put(path(what, admin.userId), body), 403, 'M_FORBIDDEN'],
          [await admin.put(path(what, other.userId), body), 403, 'M_FORBIDDEN'],
          [await admin.get(path(what, other.userId)), 403, 'M_FORBIDDEN'],
          [await admin.get(path(what, '@nobody:localhost')), 404, 'M_NOT_FOUND'],
          [await admin.put(path(what, '@somebody:elsewhere.example'), body), 400, 'M_INVALID_PARAM'],
          [await admin.put(path(what, alice.userId), {}), 400, 'M_MISSING_PARAM'],
        ];
        for (const [response, status, errcode] of cases) assert.deepEqual(outcome(response), [status, errcode]);
      }
      const capabilities = async (person: TestClient) =>
        ((await person.get(`${v3}/capabilities`)).body['capabilities'] as Record<string, unknown>)[
          'm.account_moderation'
        ];
      assert.deepEqual(await capabilities(admin), { lock: true, suspend: true });
      assert.equal(await capabilities(alice), undefined);
    });
  });
}
