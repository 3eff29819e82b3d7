import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { startTestServer } from '@portico/testkit/server.ts';
import type { TestClient } from '@portico/testkit/test-client.ts';
import { until } from '@portico/testkit/until.ts';
import { erase } from './erase.ts';

const v3 = '/_matrix/client/v3';
const auth = { type: 'm.login.password', password: 'a password' };
const word = 'quokka';

type Event = {
  readonly event_id: string;
  readonly type: string;
  readonly sender: string;
  readonly content: { readonly [name: string]: unknown };
  readonly unsigned: object;
};

for (const engine of ['sqlite', 'postgres'] as const) {
  describe(`events of somebody who is erased (${engine})`, async () => {
    const server = await startTestServer({ engine });
    after(() => server.close());

    async function setUp() {
      const [alice, bob, carol, dave] = await Promise.all([1, 2, 3, 4].map(() => server.registerUser()));
      assert.ok(alice && bob && carol && dave);
      await alice.put(`${v3}/profile/${alice.userId}/displayname`, { displayname: `Alice ${word}` });
      const open = { type: 'm.room.history_visibility', content: { history_visibility: 'world_readable' } };
      const created = await bob.post(`${v3}/createRoom`, { preset: 'public_chat', initial_state: [open] });
      const roomId = String(created.body['room_id']);
      const room = `${v3}/rooms/${encodeURIComponent(roomId)}`;
      await alice.post(`${room}/join`, {});
      const send = async (by: TestClient, content: object) => {
        const { body } = await by.put(`${room}/send/m.room.message/${Math.random()}`, {
          msgtype: 'm.text',
          ...content,
        });
        return String(body['event_id']);
      };
      const root = await send(bob, { body: 'a thread' });
      const inThread = { rel_type: 'm.thread', event_id: root };
      const said = await send(alice, { body: `seen by ${word}`, 'm.relates_to': inThread });
      await send(alice, {
        body: '*',
        'm.new_content': { body: word },
        'm.relates_to': { rel_type: 'm.replace', event_id: said },
      });
      await erase(server, alice);
      await carol.post(`${room}/join`, {});
      return { alice, bob, carol, dave, roomId, room, root, said };
    }

    test('who was there still sees them, and nobody else does, by whichever way they look', async () => {
      const { alice, bob, carol, dave, roomId, room, root, said } = await setUp();
      const eventPath = `${room}/event/${encodeURIComponent(said)}`;
      const filter = '{"room":{"timeline":{"limit":100}}}';
      const ways: readonly ((by: TestClient) => Promise<unknown>)[] = [
        async (by) => (await by.get(eventPath)).body,
        async (by) => (await by.get(`${room}/messages?dir=b&limit=100`)).body['chunk'],
        async (by) => (await by.get(`${room}/context/${encodeURIComponent(said)}?limit=20`)).body,
        async (by) =>
          (
            await by.get(
              `${v3.replace('v3', 'v1')}/rooms/${encodeURIComponent(roomId)}/relations/${encodeURIComponent(root)}`,
            )
          ).body,
        async (by) => (await by.get(`${v3.replace('v3', 'v1')}/rooms/${encodeURIComponent(roomId)}/threads`)).body,
        async (by) => (await by.get(`${room}/event/${encodeURIComponent(root)}`)).body,
      ];
      for (const [index, look] of ways.entries()) {
        assert.ok(JSON.stringify(await look(bob)).includes(word), `way ${index} for bob`);
        for (const reader of [carol, dave]) {
          const found = JSON.stringify(await look(reader));
          assert.ok(!found.includes(word), `way ${index}: ${found}`);
        }
      }
      const sync = (by: TestClient) => by.get(`${v3}/sync?filter=${encodeURIComponent(filter)}`);
      const timeline = async (by: TestClient) => {
        const rooms = (await sync(by)).body['rooms'] as { join: Record<string, { timeline: { events: Event[] } }> };
        return rooms.join[roomId]?.timeline.events ?? [];
      };
      const shown = (await timeline(carol)).filter(({ sender }) => sender === alice.userId);
      assert.ok(!JSON.stringify(shown).includes(word));
      assert.ok(JSON.stringify(await timeline(bob)).includes(word));
      // They are there, with what a redaction leaves of them.
      assert.deepEqual(
        shown.map(({ type, content }) => [type, content]),
        [
          ['m.room.member', { membership: 'join' }],
          ['m.room.message', {}],
          ['m.room.message', {}],
          ['m.room.member', { membership: 'leave' }],
        ],
      );
      const search = { search_categories: { room_events: { search_term: word } } };
      const count = async (by: TestClient) => {
        const { body } = await by.post(`${v3}/search`, search);
        return (body['search_categories'] as { room_events: { results: unknown[] } }).room_events.results.length;
      };
      assert.equal(await count(bob), 1);
      assert.equal(await count(carol), 0);
    });

    test('nor does the state of the room as it was tell who they were', async () => {
      const [alice, bob, carol, dave] = await Promise.all([1, 2, 3, 4].map(() => server.registerUser()));
      assert.ok(alice && bob && carol && dave);
      await alice.put(`${v3}/profile/${alice.userId}/displayname`, { displayname: `Alice ${word}` });
      const open = { type: 'm.room.history_visibility', content: { history_visibility: 'world_readable' } };
      const { body: created } = await bob.post(`${v3}/createRoom`, { preset: 'public_chat', initial_state: [open] });
      const roomId = String(created['room_id']);
      const room = `${v3}/rooms/${encodeURIComponent(roomId)}`;
      await alice.post(`${room}/join`, {});
      const { body: said } = await alice.put(`${room}/send/m.room.message/1`, { msgtype: 'm.text', body: 'hello' });
      const at = String((await bob.get(`${v3}/sync`)).body['next_batch']);
      // Dave came after Alice, and goes before her.
      await dave.post(`${room}/join`, {});
      await dave.post(`${room}/leave`, {});
      await erase(server, alice);

      const lazy = `filter=${encodeURIComponent('{"lazy_load_members":true}')}`;
      const context = `${room}/context/${encodeURIComponent(String(said['event_id']))}?limit=0`;
      const left = encodeURIComponent('{"room":{"include_leave":true,"timeline":{"limit":1}}}');
      const back = await bob.get(`${room}/messages?dir=b&limit=100`);
      const ways = [
        context,
        `${context}&${lazy}`,
        `${room}/messages?dir=b&limit=100&from=${at}&${lazy}`,
        `${room}/messages?dir=f&limit=3&from=${String(back.body['end'])}&${lazy}`,
        `${room}/members?at=${at}`,
        `${room}/members`,
        `${room}/state`,
        `${room}/state/m.room.member/${alice.userId}`,
        `${room}/state/m.room.member/${alice.userId}?format=event`,
        `${room}/initialSync`,
        `${v3}/sync?filter=${left}`,
      ];
      for (const reader of [carol, dave]) {
        for (const way of ways) {
          const found = JSON.stringify((await reader.get(way)).body);
          assert.ok(!found.includes(word), `${reader === dave ? 'who left' : 'who never was there'}: ${way} ${found}`);
        }
      }
      for (const way of [context, `${context}&${lazy}`, `${room}/members?at=${at}`]) {
        assert.ok(JSON.stringify((await bob.get(way)).body).includes(word), `who was there: ${way}`);
      }
      // What is left of it says that she was in the room.
      const { body: members } = await carol.get(`${room}/members?at=${at}`);
      const hers = (members['chunk'] as (Event & { state_key: string })[]).find(
        ({ state_key: key }) => key === alice.userId,
      );
      assert.deepEqual(hers?.content, { membership: 'join' });
    });

    test('nor do memberships that others gave them, nor the state that a sync or a search begins with', async () => {
      const [alice, bob, carol] = await Promise.all([1, 2, 3].map(() => server.registerUser()));
      assert.ok(alice && bob && carol);
      const setName = (name: string) =>
        alice.put(`${v3}/profile/${alice.userId}/displayname`, { displayname: `${name} ${word}` });
      await setName('First');
      const { body: created } = await bob.post(`${v3}/createRoom`, { preset: 'public_chat' });
      const roomId = String(created['room_id']);
      const room = `${v3}/rooms/${encodeURIComponent(roomId)}`;
      const nameOf = async () => (await bob.get(`${room}/state/m.room.member/${alice.userId}`)).body['displayname'];
      const invite = () => bob.post(`${room}/invite`, { user_id: alice.userId });
      await invite();
      await alice.post(`${room}/join`, {});
      await setName('Second');
      await until(async () => (await nameOf()) === `Second ${word}`, 'the room has the new name');
      await bob.put(`${room}/send/m.room.message/1`, { msgtype: 'm.text', body: 'a wombat' });
      await bob.post(`${room}/kick`, { user_id: alice.userId });
      await invite();
      await alice.post(`${room}/join`, {});
      await bob.post(`${room}/ban`, { user_id: alice.userId });
      await erase(server, alice);
      await carol.post(`${room}/join`, {});
      const carolsWays: (readonly [string, () => Promise<unknown>])[] = [];
      for (const way of ['messages?dir=b&limit=100', 'members', 'state']) {
        carolsWays.push([way, async () => (await carol.get(`${room}/${way}`)).body]);
      }
      for (let limit = 1; limit < 16; limit++) {
        for (const after of ['', '&use_state_after=true']) {
          const filter = encodeURIComponent(JSON.stringify({ room: { timeline: { limit } } }));
          carolsWays.push([
            `sync ${limit} ${after}`,
            async () => (await carol.get(`${v3}/sync?filter=${filter}${after}`)).body,
          ]);
        }
        carolsWays.push([
          `sliding sync ${limit}`,
          async () => {
            const lists = { all: { ranges: [[0, 9]], timeline_limit: limit, required_state: [['*', '*']] } };
            const path = '/_matrix/client/unstable/org.matrix.simplified_msc3575/sync?timeout=0';
            return (await carol.post(path, { conn_id: `${limit}`, lists })).body;
          },
        ]);
      }
      const around = { before_limit: 20, after_limit: 20, include_profile: true };
      const search = async (by: TestClient) => {
        const wanted = { room_events: { search_term: 'wombat', event_context: around } };
        const { body } = await by.post(`${v3}/search`, { search_categories: wanted });
        return (body['search_categories'] as { room_events: { results: unknown[] } }).room_events.results;
      };
      assert.equal((await search(carol)).length, 1);
      carolsWays.push(['search', () => search(carol)]);
      for (const [way, look] of carolsWays) assert.doesNotMatch(JSON.stringify(await look()), new RegExp(word), way);
      for (const found of [await search(bob), (await bob.get(`${room}/messages?dir=b&limit=100`)).body]) {
        assert.match(JSON.stringify(found), new RegExp(`First ${word}`));
      }
    });

    test('invitations that are not answered do not tell who made them', async () => {
      const [alice, bob, carol] = await Promise.all([1, 2, 3].map(() => server.registerUser()));
      assert.ok(alice && bob && carol);
      const roomOf = async (by: TestClient) => {
        await by.put(`${v3}/profile/${by.userId}/displayname`, { displayname: `${by.userId} ${word}` });
        const settings = { preset: 'private_chat', name: 'a party' };
        const roomId = String((await by.post(`${v3}/createRoom`, settings)).body['room_id']);
        const invite = { user_id: bob.userId, reason: `${word} is looking forward to it` };
        await by.post(`${v3}/rooms/${encodeURIComponent(roomId)}/invite`, invite);
        return roomId;
      };
      const [hers, carols] = [await roomOf(alice), await roomOf(carol)];
      await erase(server, alice);
      type Invited = { readonly invite: Record<string, { readonly invite_state: { readonly events: Event[] } }> };
      const { invite } = (await bob.get(`${v3}/sync`)).body['rooms'] as Invited;
      const sliding = { lists: { all: { ranges: [[0, 9]], timeline_limit: 1, required_state: [] } } };
      const slide = await bob.post('/_matrix/client/unstable/org.matrix.simplified_msc3575/sync?timeout=0', sliding);
      const { [hers]: slid, [carols]: slidOfCarol } = slide.body['rooms'] as Record<string, unknown>;
      assert.doesNotMatch(JSON.stringify([invite[hers], slid]), new RegExp(word));
      for (const other of [invite[carols], slidOfCarol]) assert.match(JSON.stringify(other), new RegExp(word));
      const events = invite[hers]?.invite_state.events ?? [];
      const contents = events.filter(({ type }) => type === 'm.room.member').map(({ content }) => content);
      assert.deepEqual(contents, [{ membership: 'join' }, { membership: 'invite' }]);
      assert.ok(events.some(({ type }) => type === 'm.room.name'));
    });

    test('a deactivation without erasure takes nothing from anybody', async () => {
      const [alice, bob, carol] = await Promise.all([1, 2, 3].map(() => server.registerUser()));
      assert.ok(alice && bob && carol);
      const created = await bob.post(`${v3}/createRoom`, { preset: 'public_chat' });
      const room = `${v3}/rooms/${encodeURIComponent(String(created.body['room_id']))}`;
      await alice.post(`${room}/join`, {});
      const { body } = await alice.put(`${room}/send/m.room.message/1`, { msgtype: 'm.text', body: word });
      await alice.post(`${v3}/account/deactivate`, { auth });
      await carol.post(`${room}/join`, {});
      const event = await carol.get(`${room}/event/${encodeURIComponent(String(body['event_id']))}`);
      assert.equal((event.body['content'] as Event['content'])['body'], word);
    });
  });
}
