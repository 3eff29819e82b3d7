import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { JsonObject } from '@portico/protocol';
import { type FederationPeer, startPeer } from '@portico/testkit/federation-peer.ts';
import { startTestNetwork, type TestNetwork } from '@portico/testkit/network.ts';
import { createRoom, must, pathOf, say } from '@portico/testkit/people.ts';
import type { TestClient } from '@portico/testkit/test-client.ts';

const v3 = '/_matrix/client/v3';

async function open(context: TestContext, settings: Readonly<Record<string, string>> = {}) {
  const network = await startTestNetwork(['hs1', 'hs2'], { settings });
  context.after(() => network.close());
  const [alice, bob] = await Promise.all([
    network.server('hs1').registerUser('alice'),
    network.server('hs2').registerUser('bob'),
  ]);
  return { network, alice, bob };
}

async function openPeer(context: TestContext, network: TestNetwork, name = 'peer.test'): Promise<FederationPeer> {
  const peer = await startPeer(network, name);
  context.after(() => peer.close());
  return peer;
}

async function addChild(client: TestClient, space: string, child: string, via: readonly string[], order?: string) {
  const path = pathOf(space, `state/m.space.child/${encodeURIComponent(child)}`);
  await must(client.put(path, { via, ...(order !== undefined && { order }) }));
}

const space = { creation_content: { type: 'm.space' } };

type Hierarchy = {
  readonly rooms: { readonly room_id: string; readonly name?: string }[];
  readonly next_batch?: string;
};

async function hierarchy(client: TestClient, roomId: string, query = ''): Promise<Hierarchy> {
  const { status, body } = await client.get(`/_matrix/client/v1/rooms/${encodeURIComponent(roomId)}/hierarchy${query}`);
  assert.equal(status, 200, JSON.stringify(body));
  return body as unknown as Hierarchy;
}

test('profiles of other servers’ people', async (context) => {
  const { network, alice, bob } = await open(context);
  const path = (rest = '') => `${v3}/profile/${encodeURIComponent(alice.userId)}${rest}`;
  assert.equal((await alice.put(path('/displayname'), { displayname: 'Alice Ö' })).status, 200);
  assert.deepEqual({ ...(await bob.get(path())).body }, { displayname: 'Alice Ö' });
  assert.deepEqual({ ...(await bob.get(path('/displayname'))).body }, { displayname: 'Alice Ö' });
  assert.equal((await bob.get(path('/avatar_url'))).status, 404);
  assert.equal((await bob.get(`${v3}/profile/@nobody:hs1`)).status, 404);
  assert.equal((await bob.get(`${v3}/profile/@a:unreachable.test`)).status, 502);

  await context.test('are kept for a moment', async () => {
    network.cut('hs1', 'hs2');
    assert.equal((await bob.get(path('/displayname'))).body['displayname'], 'Alice Ö');
    network.healAll();
  });
  await context.test('are asked for once at a time, and only what was asked for is shown', async () => {
    const peer = await openPeer(context, network);
    peer.on('GET', '/_matrix/federation/v1/query/profile', () => ({
      body: { displayname: 'P', 'org.example.other': 1 },
    }));
    const uri = `${v3}/profile/@p:peer.test/displayname`;
    const answers = await Promise.all([1, 2, 3].map(() => bob.get(uri)));
    for (const { body } of answers) assert.deepEqual({ ...body }, { displayname: 'P' });
    assert.equal(peer.requests.filter((request) => request.includes('query/profile')).length, 1);
  });
  await context.test('are not passed on to third servers', async () => {
    const peer = await openPeer(context, network, 'asker.test');
    const ask = (query: string) => peer.send('hs2', 'GET', `/_matrix/federation/v1/query/profile?${query}`);
    assert.equal((await ask(`user_id=${encodeURIComponent(alice.userId)}`)).status, 404);
    const name = `${v3}/profile/${encodeURIComponent(bob.userId)}/displayname`;
    assert.equal((await bob.put(name, { displayname: 'bob' })).status, 200);
    const own = await ask(`user_id=${encodeURIComponent(bob.userId)}&field=displayname`);
    assert.deepEqual({ ...(own.body as object) }, { displayname: 'bob' });
  });
});

test('aliases of other servers', async (context) => {
  const { alice, bob } = await open(context);
  const roomId = await createRoom(alice, { room_alias_name: 'hers' });
  const find = (alias: string) => bob.get(`${v3}/directory/room/${encodeURIComponent(alias)}`);
  const { body } = await find('#hers:hs1');
  assert.deepEqual([body['room_id'], body['servers']], [roomId, ['hs1']]);
  assert.equal((await find('#nobodys:hs1')).status, 404);
  assert.equal((await find('#x:nowhere.test')).status, 502);
});

test('an alias of another server is a canonical one of the room that it leads to', async (context) => {
  const { alice, bob } = await open(context);
  const levels = { events: { 'm.room.canonical_alias': 0 } };
  const roomId = await createRoom(alice, { room_alias_name: 'hers', power_level_content_override: levels });
  await createRoom(alice, { room_alias_name: 'other' });
  const second = `${v3}/directory/room/${encodeURIComponent('#second:hs1')}`;
  assert.equal((await alice.put(second, { room_id: roomId })).status, 200);
  assert.equal((await bob.post(`${v3}/join/${encodeURIComponent('#hers:hs1')}`)).status, 200);
  const path = `${v3}/rooms/${encodeURIComponent(roomId)}/state/m.room`;
  const setAliases = async (aliases: readonly string[]) => {
    const { status, body } = await bob.put(`${path}.canonical_alias/`, { alt_aliases: aliases });
    return status === 200 ? 200 : `${status} ${String(body['errcode'])}`;
  };
  assert.equal(await setAliases(['#second:hs1', '#other:hs1']), '400 M_BAD_ALIAS');
  assert.equal(await setAliases(['#nobodys:hs1']), '400 M_BAD_ALIAS');
  assert.equal(await setAliases(['#x:nowhere.test']), '400 M_BAD_ALIAS');
  assert.equal(await setAliases(Array.from({ length: 11 }, (_, index) => `#x${index}:hs1`)), '400 M_BAD_ALIAS');
  assert.equal(await setAliases(['#second:hs1']), 200);
});

test('directories of other servers', async (context) => {
  const { network, alice, bob } = await open(context);
  const first = await createRoom(alice, { name: 'First of hers', visibility: 'public' });
  const second = await createRoom(alice, { name: 'Second', visibility: 'public', ...space });
  await createRoom(alice, { name: 'Hidden' });
  type Rooms = { readonly chunk: { readonly room_id: string }[]; readonly next_batch?: string };
  const idsOf = (body: unknown) => (body as Rooms).chunk.map((room) => room.room_id);
  const all = await bob.get(`${v3}/publicRooms?server=hs1`);
  assert.deepEqual(new Set(idsOf(all.body)), new Set([first, second]));
  const page = (await bob.get(`${v3}/publicRooms?server=hs1&limit=1`)).body as unknown as Rooms;
  const next = await bob.get(`${v3}/publicRooms?server=hs1&limit=1&since=${encodeURIComponent(page.next_batch ?? '')}`);
  assert.deepEqual(new Set([...idsOf(page), ...idsOf(next.body)]), new Set([first, second]));
  const found = await bob.post(`${v3}/publicRooms?server=hs1`, { filter: { generic_search_term: 'hers' } });
  assert.deepEqual(idsOf(found.body), [first]);
  const spaces = await bob.post(`${v3}/publicRooms?server=hs1`, { filter: { room_types: ['m.space'] } });
  assert.deepEqual(idsOf(spaces.body), [second]);
  assert.equal((await bob.get(`${v3}/publicRooms?server=nowhere.test`)).status, 502);
  assert.equal((await bob.get(`${v3}/publicRooms?server=no%20name`)).status, 400);
  const peer = await openPeer(context, network);
  peer.on('GET', '/_matrix/federation/v1/publicRooms', () => ({ body: { chunk: [{ room_id: 5 }] } }));
  assert.equal((await bob.get(`${v3}/publicRooms?server=peer.test`)).status, 502, 'what makes no sense');
});

test('a server can keep its directory to itself', async (context) => {
  const { network, bob } = await open(context, { FEDERATION_PUBLIC_ROOMS: 'false' });
  const peer = await openPeer(context, network);
  assert.equal((await peer.send('hs1', 'GET', '/_matrix/federation/v1/publicRooms')).status, 403);
  assert.equal((await peer.send('hs1', 'POST', '/_matrix/federation/v1/publicRooms', { content: {} })).status, 403);
  assert.equal((await bob.get(`${v3}/publicRooms?server=hs1`)).status, 502);
});

test('an OpenID token tells anybody whose it is, while it is valid', async (context) => {
  const { network, alice } = await open(context);
  const path = `${v3}/user/${encodeURIComponent(alice.userId)}/openid/request_token`;
  const { access_token: token } = (await alice.post(path, {})).body;
  const peer = await openPeer(context, network);
  const uri = '/_matrix/federation/v1/openid/userinfo';
  const { status, body } = await peer.send('hs1', 'GET', `${uri}?access_token=${String(token)}`, { authorization: '' });
  assert.deepEqual([status, (body as { sub: string }).sub], [200, alice.userId]);
  const wrong = await peer.send('hs1', 'GET', `${uri}?access_token=wrong`, { authorization: '' });
  assert.deepEqual([wrong.status, (wrong.body as { errcode: string }).errcode], [401, 'M_UNKNOWN_TOKEN']);
  assert.equal((await peer.send('hs1', 'GET', uri, { authorization: '' })).status, 401);
});

test('a space of several servers is one tree, in stable pages', async (context) => {
  const { network, alice, bob } = await open(context);
  const root = await createRoom(bob, { name: 'Root', ...space });
  const inner = await createRoom(alice, { name: 'Inner', ...space });
  const leaf = await createRoom(alice, { name: 'Leaf' });
  const secret = await createRoom(alice, { name: 'Secret', preset: 'private_chat' });
  const members = { type: 'm.room.join_rules', state_key: '' };
  const restricted = await createRoom(alice, {
    name: 'Restricted',
    initial_state: [
      { ...members, content: { join_rule: 'restricted', allow: [{ type: 'm.room_membership', room_id: root }] } },
    ],
  });
  await addChild(bob, root, inner, ['hs1'], 'a');
  await addChild(bob, root, secret, ['hs1'], 'b');
  await addChild(alice, inner, leaf, ['hs1'], 'a');
  await addChild(alice, inner, restricted, ['hs1'], 'b');
  // A circle.
  await addChild(alice, inner, root, ['hs2'], 'c');
  const namesOf = ({ rooms }: Hierarchy) => rooms.map((room) => room.name);
  assert.deepEqual(namesOf(await hierarchy(bob, root)), ['Root', 'Inner', 'Leaf'], 'hs2 is not in what hs1 lets in');

  await context.test('which shows restricted rooms to who may enter', async () => {
    const joined = await alice.post(`${v3}/join/${encodeURIComponent(root)}?via=hs2`, {});
    assert.equal(joined.status, 200, JSON.stringify(joined.body));
    assert.deepEqual(namesOf(await hierarchy(alice, root)), ['Root', 'Inner', 'Leaf', 'Restricted', 'Secret']);
  });
  await context.test('and is paged', async () => {
    const names: (string | undefined)[] = [];
    for (let from = ''; ;) {
      const page = await hierarchy(bob, root, `?limit=1${from}`);
      names.push(...namesOf(page));
      if (page.next_batch === undefined) break;
      from = `&from=${encodeURIComponent(page.next_batch)}`;
    }
    // Somebody of hs2 is in the space, and hs1 knows it now.
    assert.deepEqual(names, ['Root', 'Inner', 'Leaf', 'Restricted']);
    assert.deepEqual(namesOf(await hierarchy(bob, root, '?max_depth=1')), ['Root', 'Inner']);
  });
  await context.test('a room has a summary, seen from another server', async () => {
    const summary = async (roomId: string) =>
      bob.get(`/_matrix/client/v1/room_summary/${encodeURIComponent(roomId)}?via=hs1`);
    const { status, body } = await summary(leaf);
    assert.equal(status, 200);
    assert.deepEqual([body['name'], body['membership'], body['num_joined_members']], ['Leaf', 'leave', 1]);
    assert.equal((await summary(secret)).status, 404);
  });
  await context.test('which other servers are told as much of as they may know', async () => {
    const peer = await openPeer(context, network);
    const ask = async (roomId: string) =>
      peer.send('hs1', 'GET', `/_matrix/federation/v1/hierarchy/${encodeURIComponent(roomId)}`);
    assert.equal((await ask(secret)).status, 404);
    const { body } = await ask(inner);
    const { children, inaccessible_children: inaccessible } = body as unknown as {
      children: { room_id: string }[];
      inaccessible_children: string[];
    };
    assert.deepEqual(new Set(children.map((room) => room.room_id)), new Set([leaf, root]));
    assert.deepEqual(inaccessible, [restricted]);
  });
});

test('a hostile server’s endless tree of spaces comes to an end, and shows nothing that must not be seen', async (context) => {
  const { network, bob } = await open(context);
  const peer = await openPeer(context, network);
  let asked = 0;
  const event = (child: string): JsonObject => ({
    type: 'm.space.child',
    state_key: child,
    sender: '@a:peer.test',
    origin_server_ts: 1,
    content: { via: ['peer.test'] },
  });
  const describe = (roomId: string, over: JsonObject = {}): JsonObject => ({
    room_id: roomId,
    num_joined_members: 1,
    world_readable: false,
    guest_can_join: false,
    join_rule: 'public',
    room_type: 'm.space',
    children_state: [],
    ...over,
  });
  peer.on('GET', '/_matrix/federation/v1/hierarchy/', ({ url }) => {
    asked++;
    const roomId = decodeURIComponent(url.split('/').at(-1)?.split('?')[0] ?? '');
    const deeper = [0, 1, 2].map((index) => `${roomId.split(':')[0]}${index}:peer.test`);
    const garbage = [5, null, { type: 'm.space.child' }, { ...event('not a room') }] as unknown as JsonObject[];
    return {
      body: {
        room: describe(roomId, {
          name: 7,
          children_state: [...garbage, ...deeper.map(event), event(roomId), event('!private:peer.test')],
          evil: '<script>',
        }),
        children: [describe('!private:peer.test', { join_rule: 'invite', name: 'Private', room_type: null })],
        inaccessible_children: [],
      },
    };
  });
  const root = await createRoom(bob, space);
  await addChild(bob, root, '!x:peer.test', ['peer.test']);
  const { rooms } = await hierarchy(bob, root, '?limit=100');
  assert.equal(rooms.length, 100);
  assert.ok(asked <= 200, `${asked} questions`);
  assert.ok(!JSON.stringify(rooms).includes('evil'));
  assert.ok(!rooms.some((room) => room.room_id === '!private:peer.test'));
  assert.deepEqual(network.server('hs2').errors, []);
});

test('what a hostile server says of a room does not stand for what others say of it', async (context) => {
  const { network, alice, bob } = await open(context);
  const peer = await openPeer(context, network);
  const roomId = await createRoom(alice, { preset: 'public_chat', name: 'True' });
  const false_ = {
    num_joined_members: 1,
    world_readable: true,
    guest_can_join: true,
    join_rule: 'public',
    name: 'False',
  };
  peer.on('GET', '/_matrix/federation/v1/hierarchy/', ({ url }) => {
    const asked = decodeURIComponent(url.split('/').at(-1)?.split('?')[0] ?? '');
    const room = { ...false_, room_id: asked, room_type: 'm.space', children_state: [] };
    return { body: { room, children: [{ ...false_, room_id: roomId }], inaccessible_children: [] } };
  });
  const root = await createRoom(bob, space);
  await addChild(bob, root, '!x:peer.test', ['peer.test']);
  await hierarchy(bob, root);
  const summary = (via: string) =>
    bob
      .get(`/_matrix/client/v1/room_summary/${encodeURIComponent(roomId)}?via=${via}`)
      .then(({ body }) => body['name']);
  assert.equal(await summary('hs1'), 'True', 'though the other one has told of it as a child of its own');
  assert.equal(await summary('peer.test'), 'False');
  await addChild(bob, root, roomId, ['hs1']);
  const { rooms } = await hierarchy(bob, root);
  assert.deepEqual(
    rooms.map((room) => room.name).filter((name) => name === 'True'),
    ['True'],
  );
});

test('an event of the past is found by its time, on another server if need be', async (context) => {
  const { alice, bob } = await open(context);
  const roomId = await createRoom(alice);
  const path = encodeURIComponent(roomId);
  const tick = async () => {
    for (const now = Date.now(); Date.now() <= now + 2;) await new Promise(setImmediate);
    return Date.now();
  };
  const before = await say(alice, roomId, 'a');
  const between = await tick();
  await tick();
  const after = await say(alice, roomId, 'b');
  await tick();
  assert.equal((await bob.post(`${v3}/join/${path}?via=hs1`, {})).status, 200);
  const find = async (ts: number, dir: 'f' | 'b') =>
    (await bob.get(`/_matrix/client/v1/rooms/${path}/timestamp_to_event?ts=${ts}&dir=${dir}`)).body['event_id'];
  assert.equal(await find(between, 'b'), before);
  assert.equal(await find(between, 'f'), after);
  assert.equal(await find(1, 'b'), undefined);
  // What was fetched for that is part of the timeline, and what lies between is fetched when somebody reads on.
  const context_ = await bob.get(`${v3}/rooms/${path}/context/${encodeURIComponent(before)}?limit=6`);
  const ids = (context_.body['events_after'] as { event_id: string }[]).map((event) => event.event_id);
  assert.equal(ids[0], after);
});
