import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { startTestServer } from '@portico/testkit/server.ts';
import type { TestClient, TestResponse } from '@portico/testkit/test-client.ts';

const v3 = '/_matrix/client/v3';
const avatar = 'mxc://localhost/abc';
const path = (userId: string, key?: string) => `${v3}/profile/${userId}${key === undefined ? '' : `/${key}`}`;
const outcome = ({ status, body }: TestResponse) => [status, body['errcode']];

for (const engine of ['sqlite', 'postgres'] as const) {
  describe(`profiles (${engine})`, async () => {
    const server = await startTestServer({ engine });
    after(() => server.close());

    const set = (user: TestClient, key: string, value: unknown) =>
      user.put(path(user.userId, encodeURIComponent(key)), { [key]: value });

    test('a field is set, read by anybody, and removed', async () => {
      const alice = await server.registerUser();
      const displayname = alice.userId.slice(1, alice.userId.indexOf(':'));
      assert.deepEqual((await server.anonymous.get(path(alice.userId))).body, { displayname });
      const fields = {
        displayname: 'Alice 🦊',
        avatar_url: avatar,
        'm.tz': 'Europe/Paris',
        'com.example.cat-names_2': { names: ['Mia', null], age: 3 },
        'com.example.null': null,
      };
      for (const [key, value] of Object.entries(fields)) assert.deepEqual((await set(alice, key, value)).body, {});
      assert.deepEqual((await server.anonymous.get(path(alice.userId))).body, fields);
      assert.deepEqual((await server.anonymous.get(path(alice.userId, 'm.tz'))).body, { 'm.tz': 'Europe/Paris' });
      const unstable = `/_matrix/client/unstable/uk.tcpip.msc4133/profile/${alice.userId}/m.tz`;
      assert.deepEqual((await server.anonymous.get(unstable)).body, { 'm.tz': 'Europe/Paris' });
      for (let n = 0; n < 2; n++) assert.deepEqual((await alice.delete(path(alice.userId, 'm.tz'))).body, {});
      await set(alice, 'displayname', '');
      for (const key of ['m.tz', 'displayname']) {
        assert.deepEqual(outcome(await server.anonymous.get(path(alice.userId, key))), [404, 'M_NOT_FOUND']);
      }
    });

    test('what is no field, or no value of it, is refused', async () => {
      const alice = await server.registerUser();
      for (const key of ['Upper.case', 'nodots', '1.a', 'a b.c', 'a..b', 'a.', '.a', 'ü.a', '__proto__']) {
        assert.deepEqual(outcome(await set(alice, key, 1)), [400, 'M_INVALID_PARAM'], key);
      }
      assert.deepEqual(outcome(await set(alice, `a.${'b'.repeat(254)}`, 1)), [400, 'M_KEY_TOO_LARGE']);
      assert.deepEqual(outcome(await set(alice, `a.${'b'.repeat(253)}`, 1)), [200, undefined]);
      assert.deepEqual(outcome(await set(alice, 'displayname', 1)), [400, 'M_BAD_JSON']);
      assert.deepEqual(outcome(await set(alice, 'displayname', 'x'.repeat(257))), [400, 'M_INVALID_PARAM']);
      assert.deepEqual(outcome(await set(alice, 'avatar_url', null)), [400, 'M_BAD_JSON']);
      assert.deepEqual(outcome(await set(alice, 'avatar_url', 'x'.repeat(1001))), [400, 'M_INVALID_PARAM']);
      assert.deepEqual(outcome(await set(alice, 'm.tz', 7)), [400, 'M_BAD_JSON']);
      // These stand in events, which have no such text: nobody of that name could enter a room.
      for (const key of ['displayname', 'avatar_url']) {
        assert.deepEqual(outcome(await set(alice, key, 'a\ud800')), [400, 'M_BAD_JSON'], key);
      }
      const other = await alice.put(path(alice.userId, 'a.b'), { 'a.c': 1 });
      assert.deepEqual(outcome(other), [400, 'M_MISSING_PARAM']);
    });

    test('a profile has less than 64 KiB, one field or many', async () => {
      const alice = await server.registerUser();
      await alice.delete(path(alice.userId, 'displayname'));
      // {"a.b":"…"} is 10 bytes and the text.
      assert.deepEqual(outcome(await set(alice, 'a.b', 'x'.repeat(65_536 - 10))), [400, 'M_PROFILE_TOO_LARGE']);
      assert.deepEqual(outcome(await set(alice, 'a.b', 'x'.repeat(65_535 - 10))), [200, undefined]);
      assert.deepEqual(outcome(await set(alice, 'a.c', 1)), [400, 'M_PROFILE_TOO_LARGE']);
      const text = JSON.stringify((await alice.get(path(alice.userId))).body);
      assert.equal(Buffer.byteLength(text), 65_535);
      assert.deepEqual(outcome(await set(alice, 'a.b', 1)), [200, undefined]);
      assert.deepEqual(outcome(await set(alice, 'a.c', 1)), [200, undefined]);
    });

    test('nobody changes the profile of another, and strangers have none', async () => {
      const [alice, bob] = [await server.registerUser(), await server.registerUser()];
      assert.deepEqual(outcome(await bob.put(path(alice.userId, 'a.b'), { 'a.b': 1 })), [403, 'M_FORBIDDEN']);
      assert.deepEqual(outcome(await bob.delete(path(alice.userId, 'displayname'))), [403, 'M_FORBIDDEN']);
      assert.deepEqual(outcome(await server.anonymous.put(path(alice.userId, 'a.b'), {})), [401, 'M_MISSING_TOKEN']);
      for (const [userId, ...expected] of [
        ['@nobody:localhost', 404, 'M_NOT_FOUND'],
        ['@someone:elsewhere.example', 502, 'M_UNKNOWN'],
      ] as const) {
        assert.deepEqual(outcome(await bob.get(path(userId))), expected);
        assert.deepEqual(outcome(await bob.get(path(userId, 'displayname'))), expected);
      }
      assert.deepEqual(outcome(await bob.get(path('nobody'))), [400, 'M_INVALID_PARAM']);
    });

    test('a new name reaches every room where the person is, the last one wins, and nobody comes back', async () => {
      const alice = await server.registerUser();
      const bob = await server.registerUser();
      const rooms: string[] = [];
      while (rooms.length < 6) {
        const { body } = await bob.post(`${v3}/createRoom`, { preset: 'public_chat' });
        const id = encodeURIComponent(String(body['room_id']));
        assert.equal((await alice.post(`${v3}/rooms/${id}/join`, {})).status, 200);
        rooms.push(id);
      }
      const member = async (room: string) =>
        (await bob.get(`${v3}/rooms/${room}/state/m.room.member/${alice.userId}`)).body;
      const [left, banned, ...others] = rooms as [string, string, ...string[]];
      await alice.post(`${v3}/rooms/${left}/leave`, {});
      await bob.post(`${v3}/rooms/${banned}/ban`, { user_id: alice.userId });
      await set(alice, 'avatar_url', avatar);
      for (const name of ['A', 'Al', 'Ali', 'Alice']) await set(alice, 'displayname', name);
      for (const room of others) {
        while ((await member(room))['displayname'] !== 'Alice') await delay(10);
        assert.deepEqual(await member(room), { membership: 'join', displayname: 'Alice', avatar_url: avatar });
      }
      assert.equal((await member(left))['membership'], 'leave');
      assert.equal((await member(banned))['membership'], 'ban');
      await set(alice, 'displayname', '');
      for (const room of others) while ('displayname' in (await member(room))) await delay(10);
      assert.deepEqual(server.errors, []);
    });
  });
}
