import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { startTestServer } from '@portico/testkit/server.ts';
import type { TestClient } from '@portico/testkit/test-client.ts';

const v3 = '/_matrix/client/v3';
type Notification = {
  readonly actions: unknown[];
  readonly event: { event_id: string; content: object; room_id?: string };
  readonly read: boolean;
  readonly room_id: string;
  readonly ts: number;
};

for (const engine of ['sqlite', 'postgres'] as const) {
  describe(`notifications (${engine})`, async () => {
    const server = await startTestServer({ engine });
    after(async () => {
      await server.close();
      assert.deepEqual(server.errors, []);
    });
    const [alice, bob, eve] = [await server.registerUser(), await server.registerUser(), await server.registerUser()];
    let count = 0;
    const createRoom = async () => {
      const roomId = String((await bob.post(`${v3}/createRoom`, { preset: 'public_chat' })).body['room_id']);
      await eve.post(`${v3}/join/${encodeURIComponent(roomId)}`, {});
      return roomId;
    };
    const join = (roomId: string) => alice.post(`${v3}/join/${encodeURIComponent(roomId)}`, {});
    const send = async (by: TestClient, roomId: string, content: object) => {
      count += 1;
      const path = `${v3}/rooms/${encodeURIComponent(roomId)}/send/m.room.message/${count}`;
      return String((await by.put(path, { msgtype: 'm.text', body: `${count}`, ...content })).body['event_id']);
    };
    const list = async (query = '') => {
      const { status, body } = await alice.get(`${v3}/notifications${query}`);
      assert.equal(status, 200);
      return body as { notifications: Notification[]; next_token?: string };
    };
    const eventsOf = ({ notifications }: { notifications: Notification[] }) =>
      notifications.map(({ event }) => event.event_id);
    const first = await createRoom();
    const second = await createRoom();

    test('what notified somebody is listed since they joined, the newest first, with how and whether it is read', async () => {
      assert.deepEqual(await list(), { notifications: [] });
      await send(bob, first, {});
      await join(first);
      await join(second);
      const one = await send(bob, first, {});
      await send(alice, second, {});
      const two = await send(bob, second, { 'm.mentions': { user_ids: [alice.userId] } });
      await send(bob, first, { msgtype: 'm.notice' });
      const three = await send(bob, first, { 'm.mentions': { room: true } });
      const four = await send(eve, first, { 'm.mentions': { room: true } });
      const gone = await send(bob, first, {});
      await bob.put(`${v3}/rooms/${encodeURIComponent(first)}/redact/${encodeURIComponent(gone)}/r`, {});
      await alice.post(`${v3}/rooms/${encodeURIComponent(first)}/receipt/m.read/${encodeURIComponent(three)}`, {});
      const page = await list();
      assert.deepEqual(
        page.notifications.map(({ event, read, room_id: roomId, actions }) => [
          event.event_id,
          read,
          roomId,
          JSON.stringify(actions),
        ]),
        [
          [four, false, first, '["notify"]'],
          [three, true, first, '["notify",{"set_tweak":"highlight"}]'],
          [two, false, second, '["notify",{"set_tweak":"sound","value":"default"},{"set_tweak":"highlight"}]'],
          [one, true, first, '["notify"]'],
        ],
      );
      assert.ok(page.notifications.every(({ ts, event }) => Date.now() - ts < 600_000 && event.room_id === undefined));
      assert.equal(page.next_token, undefined);
      assert.deepEqual(eventsOf(await list('?only=highlight')), [three, two]);
    });

    test('pages follow each other without gaps', async () => {
      for (let n = 0; n < 7; n++) await send(n % 2 === 0 ? bob : eve, n % 3 === 0 ? first : second, {});
      const all = eventsOf(await list('?limit=100'));
      const paged: string[] = [];
      for (let token: string | undefined = ''; token !== undefined;) {
        const page: Awaited<ReturnType<typeof list>> = await list(`?limit=3${token === '' ? '' : `&from=${token}`}`);
        assert.ok(page.notifications.length <= 3);
        paged.push(...eventsOf(page));
        token = page.next_token;
      }
      assert.deepEqual(paged, all);
      assert.equal(all.length, 11);
      const refused = await alice.get(`${v3}/notifications?from=nonsense`);
      assert.deepEqual([refused.status, refused.body['errcode']], [400, 'M_INVALID_PARAM']);
    });

    test('rules, ignored people and left rooms count as they are now', async () => {
      const before = eventsOf(await list());
      await alice.put(`${v3}/user/${alice.userId}/account_data/m.ignored_user_list`, {
        ignored_users: { [eve.userId]: {} },
      });
      const withoutEve = await list();
      assert.ok(withoutEve.notifications.length < before.length);
      await alice.put(`${v3}/pushrules/global/room/${encodeURIComponent(first)}`, { actions: [] });
      const quiet = await list();
      const ofFirst = quiet.notifications.filter(({ room_id: roomId }) => roomId === first);
      assert.equal(ofFirst.length, 1);
      await alice.post(`${v3}/rooms/${encodeURIComponent(second)}/leave`, {});
      assert.deepEqual(eventsOf(await list()), eventsOf({ notifications: ofFirst }));
    });

    test('invitations are listed while somebody has them and after they have taken them, but none that they do not get to see', async () => {
      const [carol, dave] = [await server.registerUser(), await server.registerUser()];
      const inviteTo = async (by: TestClient) => {
        const made = await by.post(`${v3}/createRoom`, { invite: [carol.userId] });
        return String(made.body['room_id']);
      };
      const listed = async (query = '') => {
        const { body } = await carol.get(`${v3}/notifications${query}`);
        const page = body as { notifications: (Notification & { event: { unsigned: object } })[]; next_token?: string };
        for (const { event } of page.notifications) {
          assert.deepEqual((event.content as { membership?: string }).membership, 'invite');
          assert.deepEqual((event.unsigned as { membership?: string }).membership, 'invite');
        }
        return { rooms: page.notifications.map(({ room_id: id, read }) => [id, read]), next: page.next_token };
      };
      const [one, two, three] = [await inviteTo(bob), await inviteTo(dave), await inviteTo(bob)];
      const all = [
        [three, false],
        [two, false],
        [one, false],
      ];
      assert.deepEqual(await listed(), { rooms: all, next: undefined });
      const start = await listed('?limit=2');
      assert.deepEqual(start.rooms, all.slice(0, 2));
      assert.deepEqual(await listed(`?from=${start.next}`), { rooms: all.slice(2), next: undefined });
      assert.deepEqual(await listed('?only=highlight'), { rooms: [], next: undefined });
      await carol.post(`${v3}/join/${encodeURIComponent(one)}`, {});
      const config = { default_action: 'block', allowed_users: [bob.userId] };
      await carol.put(`${v3}/user/${carol.userId}/account_data/m.invite_permission_config`, config);
      assert.deepEqual((await listed()).rooms, [
        [three, false],
        [one, true],
      ]);
      await bob.post(`${v3}/rooms/${encodeURIComponent(three)}/kick`, { user_id: carol.userId });
      assert.deepEqual((await listed()).rooms, [[one, true]]);
      await carol.put(`${v3}/pushrules/global/override/.m.rule.invite_for_me/enabled`, { enabled: false });
      assert.deepEqual((await listed()).rooms, []);
    });
  });
}
