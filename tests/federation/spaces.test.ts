import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '@portico/protocol';
import { openPeer } from '@portico/testkit/federation-peer.ts';
import { createRoom, join, must, pathOf, refusal } from '@portico/testkit/people.ts';
import type { TestClient } from '@portico/testkit/test-client.ts';
import { until } from '@portico/testkit/until.ts';
import { openPair } from './people.ts';

const v3 = '/_matrix/client/v3';

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

test('a space of several servers is one tree, in stable pages', async (context) => {
  const { network, alice, bob } = await openPair(context);
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
    const peer = await openPeer(context, network, 'peer.test');
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

test('who is banned from a room of other servers is shown nothing of it', async (context) => {
  const { alice, bob } = await openPair(context);
  const roomId = await createRoom(alice, { name: 'Open' });
  const root = await createRoom(bob, space);
  await addChild(bob, root, roomId, ['hs1']);
  const isShown = async () => (await hierarchy(bob, root)).rooms.some((room) => room.room_id === roomId);
  const summary = async () =>
    (await bob.get(`/_matrix/client/v1/room_summary/${encodeURIComponent(roomId)}?via=hs1`)).status;
  assert.deepEqual([await isShown(), await summary()], [true, 200]);
  await join(bob, roomId, 'hs1');
  await must(alice.post(pathOf(roomId, 'ban'), { user_id: bob.userId }));
  await until(async () => !(await isShown()), 'it is not in the space any more');
  assert.equal(await summary(), 404);
});

test('a room that a server shows to this one is not for all of its people', async (context) => {
  const { network, bob } = await openPair(context);
  const peer = await openPeer(context, network, 'peer.test');
  const room = {
    room_id: '!private:peer.test',
    name: 'Private',
    num_joined_members: 1,
    world_readable: false,
    guest_can_join: false,
    join_rule: 'invite',
    children_state: [],
  };
  peer.on('GET', '/_matrix/federation/v1/hierarchy/', () => ({
    body: { room, children: [room], inaccessible_children: [] },
  }));
  const path = encodeURIComponent(room.room_id);
  assert.equal(await refusal(bob.get(`/_matrix/client/v1/room_summary/${path}?via=peer.test`)), '404 M_NOT_FOUND');
  assert.equal(await refusal(bob.get(`/_matrix/client/v1/rooms/${path}/hierarchy`)), '403 M_FORBIDDEN');
  const root = await createRoom(bob, space);
  await addChild(bob, root, room.room_id, ['peer.test']);
  assert.equal((await hierarchy(bob, root)).rooms.length, 1);
  assert.equal(peer.requests.filter((request) => request.includes('/hierarchy/')).length > 0, true);
});

test('a hostile server’s endless tree of spaces comes to an end, and shows nothing that must not be seen', async (context) => {
  const { network, bob } = await openPair(context);
  const peer = await openPeer(context, network, 'peer.test');
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
  assert.ok(!JSON.stringify(rooms).includes('<script>'));
  assert.ok(!rooms.some((room) => room.room_id === '!private:peer.test'));
  assert.deepEqual(network.server('hs2').errors, []);
});

test('what a hostile server says of a room does not stand for what others say of it', async (context) => {
  const { network, alice, bob } = await openPair(context);
  const peer = await openPeer(context, network, 'peer.test');
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
