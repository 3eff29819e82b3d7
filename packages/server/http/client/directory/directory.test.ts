import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { serverOfSuite } from '@portico/testkit/server-of-suite.ts';
import { startTestServer } from '@portico/testkit/server.ts';
import { createSyncClient, type SyncClient } from '@portico/testkit/sync-client.ts';
import { refusalOf, type TestResponse } from '@portico/testkit/test-client.ts';

const v3 = '/_matrix/client/v3';
const aliasPath = (alias: string) => `${v3}/directory/room/${encodeURIComponent(alias)}`;
const listPath = (roomId: string) => `${v3}/directory/list/room/${encodeURIComponent(roomId)}`;

type Chunk = { readonly room_id: string; readonly [field: string]: unknown };
const chunkOf = ({ body }: TestResponse) => body['chunk'] as readonly Chunk[];

for (const engine of ['sqlite', 'postgres'] as const) {
  describe(`aliases and the directory (${engine})`, () => {
    const server = serverOfSuite({ engine });
    let alice: SyncClient;
    let bob: SyncClient;
    let count = 0;
    const newAlias = () => `#alias-${++count}:localhost`;
    before(async () => {
      alice = createSyncClient(await server.registerUser());
      bob = createSyncClient(await server.registerUser());
    });

    const setAlias = (who: SyncClient, alias: string, roomId: string) =>
      who.http.put(aliasPath(alias), { room_id: roomId });
    const canonical = (who: SyncClient, roomId: string, content: object) =>
      who.http.put(who.room(roomId, 'state/m.room.canonical_alias'), content);

    test('an alias leads to its room, for anyone who asks', async () => {
      const roomId = await alice.createRoom();
      for (const alias of [newAlias(), '#老虎Â£я🤨👉ඞ:localhost']) {
        assert.equal((await setAlias(alice, alias, roomId)).status, 200);
        const { status, body } = await server.anonymous.get(aliasPath(alias));
        assert.deepEqual([status, body], [200, { room_id: roomId, servers: ['localhost'] }]);
        const joined = await bob.http.post(`${v3}/join/${encodeURIComponent(alias)}`, {
          foo: 'bar',
          membership: 'ban',
        });
        assert.deepEqual([joined.status, joined.body], [200, { room_id: roomId }]);
      }
      const member = await alice.get(roomId, `state/m.room.member/${bob.userId}`);
      assert.deepEqual([member['membership'], member['foo']], ['join', 'bar']);
      assert.equal(((await alice.get(roomId, 'aliases'))['aliases'] as string[]).length, 2);
    });

    test('aliases that cannot be made, found or removed', async () => {
      const roomId = await alice.createRoom();
      const alias = newAlias();
      await setAlias(alice, alias, roomId);
      const refusals = [
        [await setAlias(alice, alias, roomId), '409 M_UNKNOWN'],
        [await setAlias(alice, 'no-alias:localhost', roomId), '400 M_INVALID_PARAM'],
        [await setAlias(alice, '#else:elsewhere.example', roomId), '400 M_INVALID_PARAM'],
        [await setAlias(alice, newAlias(), '!nowhere:localhost'), '404 M_NOT_FOUND'],
        [await setAlias(bob, newAlias(), roomId), '403 M_FORBIDDEN'],
        [await alice.http.get(aliasPath('#nothing:localhost')), '404 M_NOT_FOUND'],
        [await alice.http.get(aliasPath('nothing')), '400 M_INVALID_PARAM'],
        [await bob.http.delete(aliasPath(alias)), '403 M_FORBIDDEN'],
        [await bob.http.delete(aliasPath('#nothing:localhost')), '404 M_NOT_FOUND'],
        [await bob.http.get(bob.room(roomId, 'aliases')), '403 M_FORBIDDEN'],
      ] as const;
      for (const [response, expected] of refusals) assert.equal(refusalOf(response), expected);
    });

    test('the aliases that a room has are for who is in it, or for everybody where it is open to the world', async () => {
      const roomId = await alice.createRoom({ preset: 'public_chat' });
      await bob.join(roomId);
      assert.equal((await bob.http.get(bob.room(roomId, 'aliases'))).status, 200);
      await bob.leave(roomId);
      await setAlias(alice, newAlias(), roomId);
      assert.equal(refusalOf(await bob.http.get(bob.room(roomId, 'aliases'))), '403 M_FORBIDDEN');
      const open = { history_visibility: 'world_readable' };
      await alice.http.put(alice.room(roomId, 'state/m.room.history_visibility/'), open);
      assert.equal(((await bob.get(roomId, 'aliases'))['aliases'] as string[]).length, 1);
    });

    test('whoever made an alias removes it, and so does who has the power', async () => {
      const roomId = await alice.createRoom({ preset: 'public_chat', room_version: '11' });
      await bob.join(roomId);
      const [mine, other] = [newAlias(), newAlias()];
      await setAlias(bob, mine, roomId);
      await setAlias(alice, other, roomId);
      assert.equal((await bob.http.delete(aliasPath(mine))).status, 200);
      assert.equal(refusalOf(await bob.http.delete(aliasPath(other))), '403 M_FORBIDDEN');
      await alice.setState(roomId, 'm.room.power_levels', { users: { [alice.userId]: 100, [bob.userId]: 50 } });
      await bob.leave(roomId);
      assert.equal(refusalOf(await bob.http.delete(aliasPath(other))), '403 M_FORBIDDEN');
      await bob.join(roomId);
      assert.equal((await bob.http.delete(aliasPath(other))).status, 200);
      assert.equal(refusalOf(await alice.http.get(aliasPath(other))), '404 M_NOT_FOUND');
    });

    test('the canonical alias goes with its alias, if whoever removes it may say so', async () => {
      const roomId = await alice.createRoom();
      await bob.join(roomId);
      const [kept, first, second] = [newAlias(), newAlias(), newAlias()];
      for (const alias of [kept, first]) await setAlias(alice, alias, roomId);
      await setAlias(bob, second, roomId);
      assert.equal((await canonical(alice, roomId, { alias: first, alt_aliases: [kept, second] })).status, 200);
      await alice.http.delete(aliasPath(first));
      assert.deepEqual(await alice.get(roomId, 'state/m.room.canonical_alias'), { alt_aliases: [kept, second] });
      assert.equal((await bob.http.delete(aliasPath(second))).status, 200);
      assert.deepEqual(await alice.get(roomId, 'state/m.room.canonical_alias'), { alt_aliases: [kept, second] });
      await alice.http.delete(aliasPath(kept));
      assert.deepEqual(await alice.get(roomId, 'state/m.room.canonical_alias'), { alt_aliases: [second] });
    });

    test('a canonical alias must be one of the room', async () => {
      const [roomId, otherId] = [await alice.createRoom(), await alice.createRoom()];
      const [here, there] = [newAlias(), newAlias()];
      await setAlias(alice, here, roomId);
      await setAlias(alice, there, otherId);
      const bad = [
        [{ alias: newAlias() }, '400 M_BAD_ALIAS'],
        [{ alias: there }, '400 M_BAD_ALIAS'],
        [{ alias: here, alt_aliases: [there] }, '400 M_BAD_ALIAS'],
        [{ alias: '#far:elsewhere.example' }, '400 M_BAD_ALIAS'],
        [{ alias: '%nothing:localhost' }, '400 M_INVALID_PARAM'],
        [{ alias: 1 }, '400 M_INVALID_PARAM'],
        [{ alias: here, alt_aliases: ['%nothing:localhost'] }, '400 M_INVALID_PARAM'],
        [{ alt_aliases: here }, '400 M_INVALID_PARAM'],
      ] as const;
      for (const [content, expected] of bad) assert.equal(refusalOf(await canonical(alice, roomId, content)), expected);
      assert.equal((await canonical(alice, roomId, { alias: here, alt_aliases: [here] })).status, 200);
      const far = { alias: '#far:elsewhere.example' };
      assert.equal(refusalOf(await canonical(bob, roomId, far)), '403 M_FORBIDDEN', 'of a room that they are not in');
      await bob.join(roomId);
      assert.equal(refusalOf(await canonical(bob, roomId, far)), '403 M_FORBIDDEN', 'without the power');
      // What was in the event before may stay, even if it leads nowhere by now.
      const gone = newAlias();
      await setAlias(bob, gone, roomId);
      await canonical(alice, roomId, { alias: here, alt_aliases: [gone] });
      await bob.http.delete(aliasPath(gone));
      assert.equal((await canonical(alice, roomId, { alias: here, alt_aliases: [gone], x: 1 })).status, 200);
      assert.equal((await canonical(alice, roomId, {})).status, 200);
    });

    test('a room begins with no canonical alias of another one', async () => {
      const theirs = newAlias();
      await setAlias(alice, theirs, await alice.createRoom());
      const create = (content: object, more: object = {}) =>
        bob.http.post(`${v3}/createRoom`, { ...more, initial_state: [{ type: 'm.room.canonical_alias', content }] });
      for (const content of [{ alias: theirs }, { alt_aliases: [theirs] }, { alias: newAlias() }]) {
        assert.equal(refusalOf(await create(content)), '400 M_BAD_ALIAS');
      }
      assert.equal(refusalOf(await create({ alias: 1 })), '400 M_INVALID_PARAM');
      assert.equal((await create({ alias: null })).status, 200);
      const own = newAlias();
      const { body } = await create({ alias: own, foo: 'bar' }, { room_alias_name: own.slice(1, own.indexOf(':')) });
      const roomId = String(body['room_id']);
      assert.deepEqual(await bob.get(roomId, 'state/m.room.canonical_alias'), { alias: own, foo: 'bar' });
    });

    test('only the room’s own people with the power, and administrators, list it', async () => {
      const roomId = await alice.createRoom();
      const outsider = createSyncClient(await server.registerUser());
      await bob.join(roomId);
      const publish = (who: SyncClient, visibility?: string) =>
        who.http.put(listPath(roomId), visibility === undefined ? {} : { visibility });
      assert.deepEqual((await server.anonymous.get(listPath(roomId))).body, { visibility: 'private' });
      for (const who of [outsider, bob]) assert.equal(refusalOf(await publish(who)), '403 M_FORBIDDEN');
      assert.equal((await publish(alice)).status, 200);
      assert.deepEqual((await server.anonymous.get(listPath(roomId))).body, { visibility: 'public' });
      assert.equal(refusalOf(await publish(bob, 'private')), '403 M_FORBIDDEN');
      assert.equal(refusalOf(await publish(alice, 'else')), '400 M_BAD_JSON');
      assert.equal((await publish(alice, 'private')).status, 200);
      assert.deepEqual((await server.anonymous.get(listPath(roomId))).body, { visibility: 'private' });
      const unknown = await alice.http.get(listPath('!nowhere:localhost'));
      assert.equal(refusalOf(unknown), '404 M_NOT_FOUND');
    });

    test('the directory says what a room is, as it is now', async () => {
      const name = `Wombles ${engine}`;
      const roomId = await alice.createRoom({ visibility: 'public', name, topic: 'Un topic à la française' });
      const find = async (term: string) =>
        chunkOf(await bob.http.post(`${v3}/publicRooms`, { filter: { generic_search_term: term } }));
      const listed = { guest_can_join: false, join_rule: 'public', num_joined_members: 1, world_readable: false };
      assert.deepEqual(await find('wombles FRANÇAISE'), [
        { ...listed, room_id: roomId, name, topic: 'Un topic à la française' },
      ]);
      assert.deepEqual(await find('wombles nothing'), []);
      await bob.join(roomId);
      assert.equal((await find('wombles'))[0]?.['num_joined_members'], 2);
      await alice.setState(roomId, 'm.room.history_visibility', { history_visibility: 'world_readable' });
      await alice.setState(roomId, 'm.room.guest_access', { guest_access: 'can_join' });
      await alice.setState(roomId, 'm.room.avatar', { url: 'mxc://localhost/picture' });
      const topicEvent = await alice.setState(roomId, 'm.room.topic', { topic: 'Secret' });
      assert.equal((await find('secret')).length, 1);
      await alice.redact(roomId, topicEvent);
      assert.deepEqual(await find('wombles'), [
        {
          room_id: roomId,
          name,
          avatar_url: 'mxc://localhost/picture',
          guest_can_join: true,
          join_rule: 'public',
          num_joined_members: 2,
          world_readable: true,
        },
      ]);
      assert.deepEqual(await find('secret'), []);
      await alice.http.put(listPath(roomId), { visibility: 'private' });
      assert.deepEqual(await find('wombles'), []);
    });

    test('the directory has pages that fit together, in both directions, by size', async () => {
      const type = `org.example.${engine}`;
      const rooms: string[] = [];
      for (let size = 0; size < 5; size++) {
        const creation_content = size === 4 ? {} : { type };
        rooms.push(await alice.createRoom({ visibility: 'public', creation_content }));
      }
      const [small, large] = rooms;
      assert.ok(small && large);
      await bob.join(large);
      const list = async (query: object) => {
        const response = await alice.http.post(`${v3}/publicRooms`, { filter: { room_types: [type] }, ...query });
        assert.equal(response.status, 200, JSON.stringify(response.body));
        return response;
      };
      const ids = (response: TestResponse) => chunkOf(response).map((room) => room.room_id);
      const all = ids(await list({}));
      assert.deepEqual(all.toSorted(), rooms.slice(0, 4).toSorted());
      assert.equal(all[0], large);
      const seen: string[] = [];
      let page = await list({ limit: 2 });
      assert.equal(page.body['prev_batch'], undefined);
      for (;;) {
        seen.push(...ids(page));
        if (page.body['next_batch'] === undefined) break;
        page = await list({ limit: 2, since: page.body['next_batch'] });
      }
      assert.deepEqual(seen, all);
      const back = await list({ limit: 2, since: page.body['prev_batch'] });
      assert.deepEqual(ids(back), all.slice(0, 2));
      assert.deepEqual(ids(await list({ limit: 2, since: back.body['next_batch'] })), all.slice(2));

      const untyped = await alice.http.post(`${v3}/publicRooms`, { filter: { room_types: [null] } });
      assert.ok(chunkOf(untyped).every((room) => room['room_type'] === undefined));
      assert.ok(ids(untyped).includes(rooms[4] ?? ''));
      assert.equal(chunkOf(await server.anonymous.get(`${v3}/publicRooms?limit=1`)).length, 1);
    });

    test('what the directory does not understand', async () => {
      const post = (body: object, query = '') => alice.http.post(`${v3}/publicRooms${query}`, body);
      const refusals = [
        [await post({ since: 'yesterday' }), '400 M_INVALID_PARAM'],
        [await post({ limit: -1 }), '400 M_INVALID_PARAM'],
        [await post({ limit: 'all' }), '400 M_BAD_JSON'],
        [await post({ filter: 'all' }), '400 M_BAD_JSON'],
        [await post({ include_all_networks: true, third_party_instance_id: 'irc' }), '400 M_INVALID_PARAM'],
        [await post({}, '?server=elsewhere.example'), '502 M_UNKNOWN'],
      ] as const;
      for (const [response, expected] of refusals) assert.equal(refusalOf(response), expected);
      assert.deepEqual(chunkOf(await post({ third_party_instance_id: 'irc' })), []);
      assert.equal((await post({ include_all_networks: true }, '?server=localhost')).status, 200);
      assert.equal((await post({ since: null })).status, 200);
    });

    test('nobody makes aliases without end, and no room has them', async () => {
      const [carol, dan] = [
        createSyncClient(await server.registerUser()),
        createSyncClient(await server.registerUser()),
      ];
      const [full, other] = [await carol.createRoom(), await carol.createRoom()];
      await dan.join(full);
      for (let from = 0; from < 1000; from += 50) {
        const some = Array.from({ length: 50 }, (_, n) => setAlias(carol, newAlias(), from + n < 999 ? full : other));
        for (const { status } of await Promise.all(some)) assert.equal(status, 200);
      }
      assert.equal(refusalOf(await setAlias(carol, newAlias(), other)), '403 M_USER_LIMIT_EXCEEDED');
      const named = await carol.http.post(`${v3}/createRoom`, { room_alias_name: 'one-more-of-carol' });
      assert.equal(refusalOf(named), '403 M_USER_LIMIT_EXCEEDED');
      assert.equal((await setAlias(dan, newAlias(), full)).status, 200);
      assert.equal(refusalOf(await setAlias(dan, newAlias(), full)), '403 M_FORBIDDEN');
      assert.equal((await setAlias(dan, newAlias(), await dan.createRoom())).status, 200);
    });

    test('there are no bridges to other networks', async () => {
      assert.deepEqual((await alice.http.get(`${v3}/thirdparty/protocols`)).body, {});
      for (const path of ['protocol/irc', 'location/irc', 'user/irc', 'location?alias=%23a:b', 'user?userid=@a:b']) {
        assert.equal(refusalOf(await alice.http.get(`${v3}/thirdparty/${path}`)), '404 M_NOT_FOUND', path);
      }
      assert.equal(refusalOf(await alice.http.get(`${v3}/thirdparty/user`)), '400 M_MISSING_PARAM');
    });
  });
}

test('a server where administrators alone fill the directory', async (context) => {
  const server = await startTestServer({ settings: { ROOMS_PUBLICATION: 'admins' } });
  context.after(() => server.close());
  const alice = createSyncClient(await server.registerUser());
  const create = await alice.http.post(`${v3}/createRoom`, { visibility: 'public' });
  assert.equal(refusalOf(create), '403 M_FORBIDDEN');
  const roomId = await alice.createRoom();
  assert.equal(refusalOf(await alice.http.put(listPath(roomId), {})), '403 M_FORBIDDEN');
});

test('a server where anyone fills the directory', async (context) => {
  const server = await startTestServer({ settings: { ROOMS_PUBLICATION: 'anyone' } });
  context.after(() => server.close());
  const [alice, bob] = [createSyncClient(await server.registerUser()), createSyncClient(await server.registerUser())];
  const roomId = await alice.createRoom();
  assert.equal((await bob.http.put(listPath(roomId), {})).status, 200);
});
