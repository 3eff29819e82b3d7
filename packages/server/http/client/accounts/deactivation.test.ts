import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { startTestServer } from '@portico/testkit/server.ts';
import type { TestClient, TestResponse } from '@portico/testkit/test-client.ts';

const v3 = '/_matrix/client/v3';
const auth = { type: 'm.login.password', password: 'a password' };
const outcome = ({ status, body }: TestResponse) => [status, body['errcode']];

for (const engine of ['sqlite', 'postgres'] as const) {
  describe(`deactivated accounts (${engine})`, async () => {
    const server = await startTestServer({ engine });
    after(() => server.close());

    async function newRoom(by: TestClient, content: object = { preset: 'public_chat' }): Promise<string> {
      const { body } = await by.post(`${v3}/createRoom`, content);
      return `${v3}/rooms/${encodeURIComponent(String(body['room_id']))}`;
    }
    const member = async (room: string, by: TestClient, of: TestClient) =>
      (await by.get(`${room}/state/m.room.member/${of.userId}`)).body;

    test('are gone: no session, no login, no profile, no second one of the name', async () => {
      const alice = await server.registerUser('leaver');
      await alice.put(`${v3}/profile/${alice.userId}/displayname`, { displayname: 'Leaver' });
      const asked = await alice.post(`${v3}/account/deactivate`, {});
      assert.deepEqual([asked.status, asked.body['flows']], [401, [{ stages: ['m.login.password'] }]]);
      const wrong = await alice.post(`${v3}/account/deactivate`, { auth: { ...auth, password: 'wrong' } });
      assert.deepEqual(outcome(wrong), [401, 'M_FORBIDDEN']);
      const done = await alice.post(`${v3}/account/deactivate`, { auth, erase: false });
      assert.deepEqual([done.status, done.body], [200, { id_server_unbind_result: 'success' }]);
      assert.deepEqual(outcome(await alice.get(`${v3}/account/whoami`)), [401, 'M_UNKNOWN_TOKEN']);
      const login = await server.anonymous.post(`${v3}/login`, { ...auth, user: 'leaver' });
      assert.deepEqual(outcome(login), [403, 'M_USER_DEACTIVATED']);
      assert.deepEqual(outcome(await server.anonymous.get(`${v3}/profile/${alice.userId}`)), [404, 'M_NOT_FOUND']);
      const again = { username: 'leaver', password: 'x', auth: { type: 'm.login.dummy' } };
      assert.deepEqual(outcome(await server.anonymous.post(`${v3}/register`, again)), [400, 'M_USER_IN_USE']);
    });

    test('leave every room, reject invitations, and say no more than that', async () => {
      const alice = await server.registerUser();
      const bob = await server.registerUser();
      await alice.put(`${v3}/profile/${alice.userId}/displayname`, { displayname: 'Alice' });
      const [joined, other, banned] = [await newRoom(bob), await newRoom(bob), await newRoom(bob)];
      const invited = await newRoom(bob, { invite: [alice.userId] });
      for (const room of [joined, other, banned]) assert.equal((await alice.post(`${room}/join`, {})).status, 200);
      await bob.post(`${banned}/ban`, { user_id: alice.userId });
      assert.equal((await alice.post(`${v3}/account/deactivate`, { auth })).status, 200);
      for (const room of [joined, other, invited]) {
        while ((await member(room, bob, alice))['membership'] !== 'leave') await delay(10);
        assert.deepEqual(await member(room, bob, alice), {
          membership: 'leave',
          'org.matrix.msc3759.deactivated': true,
        });
      }
      assert.equal((await member(banned, bob, alice))['membership'], 'ban');
      assert.deepEqual(server.errors, []);
    });

    test('never come back, however close a change of name and a join were', async () => {
      const bob = await server.registerUser();
      const rooms = [await newRoom(bob), await newRoom(bob), await newRoom(bob), await newRoom(bob)];
      for (let round = 0; round < 3; round++) {
        const alice = await server.registerUser();
        for (const room of rooms.slice(0, 2)) await alice.post(`${room}/join`, {});
        await alice.put(`${v3}/profile/${alice.userId}/displayname`, { displayname: `Alice ${round}` });
        const results = await Promise.all([
          alice.post(`${v3}/account/deactivate`, { auth }),
          ...rooms.slice(2).map((room) => alice.post(`${room}/join`, {})),
          alice.put(`${v3}/profile/${alice.userId}/displayname`, { displayname: 'Late' }),
          alice.post(`${v3}/createRoom`, {}),
        ]);
        assert.equal(results[0]?.status, 200);
        const isGone = async (room: string) => {
          const { membership } = await member(room, bob, alice);
          return membership === undefined || membership === 'leave';
        };
        for (const room of rooms) while (!(await isGone(room))) await delay(10);
        assert.deepEqual(outcome(await bob.get(`${v3}/profile/${alice.userId}`)), [404, 'M_NOT_FOUND']);
      }
      assert.deepEqual(server.errors, []);
    });
  });
}
