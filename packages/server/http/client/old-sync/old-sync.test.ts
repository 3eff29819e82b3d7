import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { startTestServer } from '@portico/testkit/server.ts';
import type { TestClient, TestResponse } from '@portico/testkit/test-client.ts';

const v3 = '/_matrix/client/v3';
type Event = { type: string; event_id?: string; room_id?: string; content: { body?: string } };
type Room = {
  room_id: string;
  membership?: string;
  visibility?: string;
  messages?: { start?: string; end: string; chunk: Event[] };
  state?: Event[];
  account_data?: Event[];
  invite?: Event;
};

for (const engine of ['sqlite', 'postgres'] as const) {
  describe(`what came before /sync (${engine})`, async () => {
    const server = await startTestServer({ engine });
    after(() => server.close());
    const [alice, bob] = [await server.registerUser(), await server.registerUser()];
    async function newRoom(options: object): Promise<string> {
      return String((await alice.post(`${v3}/createRoom`, options)).body['room_id']);
    }
    const say = async (by: TestClient, room: string, body: string) =>
      String(
        (
          await by.put(`${v3}/rooms/${encodeURIComponent(room)}/send/m.room.message/${body}`, {
            msgtype: 'm.text',
            body,
          })
        ).body['event_id'],
      );
    const bodies = (chunk: readonly Event[] = []) =>
      chunk.flatMap(({ content: { body } }) => (body === undefined ? [] : [body]));
    const initialSync = async (who: TestClient, room: string, query = '') =>
      who.get(`${v3}/rooms/${encodeURIComponent(room)}/initialSync${query}`);
    const events = (who: TestClient, query: Record<string, string>) =>
      who.get(`${v3}/events?${new URLSearchParams(query).toString()}`);
    /** What is said next, past what else comes: that one is there oneself. */
    async function nextSaid(who: TestClient, from: string): Promise<{ chunk: Event[]; end: string }> {
      const told = (await events(who, { from, timeout: '30000' })).body as { chunk: Event[]; end: string };
      return bodies(told.chunk).length === 0 ? nextSaid(who, told.end) : told;
    }
    const worldReadable = {
      preset: 'public_chat',
      visibility: 'public',
      initial_state: [{ type: 'm.room.history_visibility', content: { history_visibility: 'world_readable' } }],
    };

    test('a room is shown with its last messages and its state', async () => {
      const room = await newRoom({ preset: 'private_chat', name: 'Ours' });
      for (const body of ['1', '2', '3']) await say(alice, room, body);
      await alice.put(`${v3}/user/${alice.userId}/rooms/${encodeURIComponent(room)}/account_data/org.note`, { a: 1 });
      const info = (await initialSync(alice, room, '?limit=2')).body as unknown as Room;
      assert.deepEqual([info.room_id, info.membership, info.visibility], [room, 'join', 'private']);
      assert.deepEqual(bodies(info.messages?.chunk), ['2', '3']);
      assert.ok(info.state?.some(({ type }) => type === 'm.room.name'));
      assert.deepEqual(info.account_data, [{ type: 'org.note', content: { a: 1 } }]);
      const older = await alice.get(
        `${v3}/rooms/${encodeURIComponent(room)}/messages?dir=b&limit=1&from=${info.messages?.start}`,
      );
      assert.deepEqual(bodies(older.body['chunk'] as Event[]), ['1']);
      const none = (await initialSync(alice, room, '?limit=0')).body as unknown as Room;
      assert.deepEqual([none.messages?.chunk, none.messages?.end], [[], info.messages?.end]);
      const everywhere = (await alice.get(`${v3}/initialSync?limit=0`)).body as unknown as { rooms: Room[] };
      const here = everywhere.rooms.find(({ room_id: id }) => id === room);
      assert.deepEqual([here?.messages?.chunk, here?.state?.length], [[], info.state?.length]);
      const { status, body } = await initialSync(bob, room);
      assert.deepEqual([status, body['errcode']], [403, 'M_FORBIDDEN']);
    });

    test('somebody who looks into a room from outside is told what happens there', async () => {
      const room = await newRoom(worldReadable);
      await say(alice, room, 'before');
      const info = (await initialSync(bob, room)).body as unknown as Room;
      assert.deepEqual(
        [info.membership, info.visibility, bodies(info.messages?.chunk)],
        [undefined, 'public', ['before']],
      );
      const from = info.messages?.end ?? '';
      const waiting = events(bob, { room_id: room, from, timeout: '30000' });
      await say(alice, room, 'after');
      const told = (await waiting).body as { chunk: Event[]; end: string };
      assert.deepEqual(bodies(told.chunk), ['after']);
      assert.equal(told.chunk[0]?.room_id, room);
      const nothing = (await events(bob, { room_id: room, from: told.end, timeout: '0' })).body;
      assert.deepEqual(nothing['chunk'], []);
      await say(alice, room, 'later');
      const next = await events(bob, { room_id: room, from: String(nothing['end']), timeout: '0' });
      assert.deepEqual(bodies(next.body['chunk'] as Event[]), ['later']);
      const closed = await newRoom({ preset: 'private_chat' });
      const refusals: [TestResponse, number, string][] = [
        [await events(bob, { room_id: closed }), 403, 'M_FORBIDDEN'],
        [await events(bob, { room_id: room, from: 'elsewhere' }), 400, 'M_INVALID_PARAM'],
      ];
      assert.equal((await events(bob, { from: '' })).status, 200);
      for (const [{ status, body }, ...expected] of refusals) assert.deepEqual([status, body['errcode']], expected);
    });

    test('everything comes at once, and then in one list', async () => {
      const carol = await server.registerUser();
      const [joined, left, invited] = [
        await newRoom(worldReadable),
        await newRoom(worldReadable),
        await newRoom({ invite: [carol.userId] }),
      ];
      for (const room of [joined, left]) await carol.post(`${v3}/join/${encodeURIComponent(room)}`, {});
      await say(alice, joined, 'hello');
      await carol.post(`${v3}/rooms/${encodeURIComponent(left)}/leave`, {});
      const start = (await carol.get(`${v3}/initialSync?limit=1`)).body as unknown as {
        end: string;
        rooms: Room[];
        account_data: Event[];
      };
      const byId = new Map(start.rooms.map((room) => [room.room_id, room]));
      assert.deepEqual([byId.get(joined)?.membership, bodies(byId.get(joined)?.messages?.chunk)], ['join', ['hello']]);
      assert.ok(byId.get(joined)?.state?.some(({ type }) => type === 'm.room.create'));
      assert.deepEqual([byId.get(invited)?.membership, byId.get(invited)?.invite?.type], ['invite', 'm.room.member']);
      assert.equal(byId.has(left), false);
      assert.ok(start.account_data.some(({ type }) => type === 'm.push_rules'));
      const archived = (await carol.get(`${v3}/initialSync?archived=true`)).body as unknown as { rooms: Room[] };
      assert.equal(archived.rooms.find(({ room_id: id }) => id === left)?.membership, 'leave');

      const waiting = nextSaid(carol, start.end);
      await say(alice, joined, 'news');
      const told = await waiting;
      assert.deepEqual(bodies(told.chunk), ['news']);
      assert.equal(told.chunk.find(({ content }) => content.body === 'news')?.room_id, joined);

      const many = Array.from({ length: 15 }, (_, index) => `message ${index}`);
      for (const body of many) await say(alice, joined, encodeURIComponent(body));
      const own = `${v3}/user/${carol.userId}`;
      await carol.put(`${own}/account_data/org.note`, { a: 1 });
      await carol.put(`${own}/rooms/${encodeURIComponent(joined)}/tags/m.favourite`, {});
      const all = (await events(carol, { from: told.end })).body as { chunk: Event[] };
      assert.deepEqual(bodies(all.chunk), many.map(encodeURIComponent));
      const data = all.chunk.filter(({ type }) => type === 'org.note' || type === 'm.tag');
      assert.deepEqual(
        data.map(({ type, room_id: room }) => [type, room]),
        [
          ['org.note', undefined],
          ['m.tag', joined],
        ],
      );
    });

    test('who listens is there to be seen', async () => {
      const room = await newRoom(worldReadable);
      for (const query of [{}, { room_id: room }]) {
        const listener = await server.registerUser();
        await listener.post(`${v3}/join/${encodeURIComponent(room)}`, {});
        const shown = async () =>
          (await alice.get(`${v3}/presence/${encodeURIComponent(listener.userId)}/status`)).body['presence'];
        assert.equal(await shown(), 'offline');
        await events(listener, { ...query, timeout: '0' });
        assert.equal(await shown(), 'online');
      }
    });

    test('an event is found without its room, by those who may see it', async () => {
      const room = await newRoom({ preset: 'private_chat' });
      const id = encodeURIComponent(await say(alice, room, 'found'));
      assert.equal((await alice.get(`${v3}/events/${id}`)).body['room_id'], room);
      for (const response of [await bob.get(`${v3}/events/${id}`), await alice.get(`${v3}/events/$none`)]) {
        assert.deepEqual([response.status, response.body['errcode']], [404, 'M_NOT_FOUND']);
      }
    });
  });
}
