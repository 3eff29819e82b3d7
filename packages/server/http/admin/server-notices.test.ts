import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { registerAdmin } from '@portico/testkit/register-admin.ts';
import { startTestServer } from '@portico/testkit/server.ts';
import type { TestClient, TestResponse } from '@portico/testkit/test-client.ts';

const v3 = '/_matrix/client/v3';
const path = '/_synapse/admin/v1/send_server_notice';
const outcome = ({ status, body }: TestResponse) => [status, body['errcode']];
type Rooms = {
  invite?: Record<string, { invite_state: { events: { sender: string; type: string }[] } }>;
  join?: Record<
    string,
    { timeline: { events: { event_id: string }[] }; account_data: { events: { type: string; content: object }[] } }
  >;
};

for (const engine of ['sqlite', 'postgres'] as const) {
  describe(`server notices (${engine})`, async () => {
    const server = await startTestServer({ engine });
    after(() => server.close());
    const admin = await registerAdmin(server, 'admin');
    const notice = (userId: string, body = 'The server will be down tonight') => ({
      user_id: userId,
      content: { msgtype: 'm.text', body },
    });
    const rooms = async (who: TestClient) => ((await who.get(`${v3}/sync?timeout=0`)).body['rooms'] ?? {}) as Rooms;
    const invitation = async (who: TestClient) =>
      Object.entries((await rooms(who)).invite ?? {})[0] ?? (['', undefined] as const);

    test('come in a room of their own, which one cannot refuse and can leave', async () => {
      const alice = await server.registerUser();
      const sent = await admin.post(path, notice(alice.userId));
      assert.equal(sent.status, 200);
      const [roomId, invite] = await invitation(alice);
      const room = `${v3}/rooms/${encodeURIComponent(roomId)}`;
      assert.ok(invite?.invite_state.events.every(({ sender }) => sender === '@_server:localhost'));
      assert.deepEqual(outcome(await alice.post(`${room}/leave`, {})), [403, 'M_CANNOT_LEAVE_SERVER_NOTICE_ROOM']);
      assert.equal((await alice.post(`${room}/join`, {})).status, 200);
      const joined = (await rooms(alice)).join?.[roomId];
      assert.ok(joined?.timeline.events.some(({ event_id: id }) => id === sent.body['event_id']));
      const tagged = joined?.account_data.events.find(({ type }) => type === 'm.tag');
      assert.deepEqual(tagged?.content, { tags: { 'm.server_notice': {} } });
      const answer = await alice.put(`${room}/send/m.room.message/1`, { msgtype: 'm.text', body: 'Why?' });
      assert.deepEqual(outcome(answer), [403, 'M_FORBIDDEN']);
      assert.equal((await alice.post(`${room}/leave`, {})).status, 200);
      await admin.post(path, notice(alice.userId));
      assert.equal((await invitation(alice))[0], roomId);
    });

    test('reach who takes invitations from nobody, in one room however many come at once', async () => {
      const bob = await server.registerUser();
      await bob.put(`${v3}/user/${bob.userId}/account_data/m.invite_permission_config`, { default_action: 'block' });
      const sent = await Promise.all([1, 2, 3, 4].map((n) => admin.post(path, notice(bob.userId, String(n)))));
      assert.deepEqual(
        sent.map(({ status }) => status),
        [200, 200, 200, 200],
      );
      assert.equal(Object.keys((await rooms(bob)).invite ?? {}).length, 1);
    });

    test('are sent once for a transaction, and may be state', async () => {
      const carol = await server.registerUser();
      const [first, again] = [
        await admin.put(`${path}/1`, notice(carol.userId)),
        await admin.put(`${path}/1`, notice(carol.userId)),
      ];
      assert.equal(first.status, 200);
      assert.equal(first.body['event_id'], again.body['event_id']);
      const state = { user_id: carol.userId, type: 'm.room.topic', state_key: '', content: { topic: 'News' } };
      assert.equal((await admin.put(`${path}/2`, state)).status, 200);
      const [roomId] = await invitation(carol);
      await carol.post(`${v3}/join/${encodeURIComponent(roomId)}`, {});
      const topic = await carol.get(`${v3}/rooms/${encodeURIComponent(roomId)}/state/m.room.topic/`);
      assert.equal(topic.body['topic'], 'News');
    });

    test('come from administrators, to people of this server', async () => {
      const dave = await server.registerUser();
      const refusals: [TestResponse, number, string][] = [
        [await dave.post(path, notice(dave.userId)), 403, 'M_FORBIDDEN'],
        [await dave.post(path), 403, 'M_FORBIDDEN'],
        [await admin.post(path, notice('@nobody:localhost')), 404, 'M_NOT_FOUND'],
        [await admin.post(path, notice('@somebody:elsewhere.example')), 400, 'M_INVALID_PARAM'],
        [await admin.post(path, { user_id: dave.userId }), 400, 'M_MISSING_PARAM'],
      ];
      for (const [response, ...expected] of refusals) assert.deepEqual(outcome(response), expected);
      const taken = { username: '_server', password: 'x', auth: { type: 'm.login.dummy' } };
      assert.equal((await server.anonymous.post(`${v3}/register`, taken)).status, 400);
    });
  });
}
