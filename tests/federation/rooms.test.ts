import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { startTestNetwork, type TestNetwork } from '@portico/testkit/network.ts';
import type { TestClient } from '@portico/testkit/test-client.ts';
import { contentOf, createRoom, join, must, pathOf, say, sees } from '@portico/testkit/people.ts';
import { registerAdmin } from '@portico/testkit/register-admin.ts';
import { until } from '@portico/testkit/until.ts';
import { stateOf } from './memberships.ts';

const names = ['hs1', 'hs2'];

async function open(context: TestContext, engine: 'sqlite' | 'postgres' = 'sqlite'): Promise<TestNetwork> {
  const network = await startTestNetwork(names, { engine });
  context.after(() => network.close());
  return network;
}

for (const version of ['2', '6', '11', '12']) {
  test(`a room of version ${version} is joined from another server, and both hear each other`, async (context) => {
    const network = await open(context);
    const [alice, bob] = await Promise.all([
      network.server('hs1').registerUser('alice'),
      network.server('hs2').registerUser('bob'),
    ]);
    const roomId = await createRoom(alice, { room_version: version, name: 'Across' });
    await say(alice, roomId, 'before');
    await join(bob, roomId, 'hs1');
    assert.deepEqual(await sees(bob, roomId, await say(alice, roomId, 'hello')), { msgtype: 'm.text', body: 'hello' });
    assert.deepEqual(await sees(alice, roomId, await say(bob, roomId, 'hi')), { msgtype: 'm.text', body: 'hi' });
    assert.deepEqual(await stateOf(alice, roomId), await stateOf(bob, roomId));
    assert.deepEqual(network.server('hs1').errors, []);
    assert.deepEqual(network.server('hs2').errors, []);
  });
}

/** Two people of different servers in one room. */
async function meet(context: TestContext, engine?: 'sqlite' | 'postgres') {
  const network = await open(context, engine);
  const [alice, bob] = await Promise.all([
    network.server('hs1').registerUser('alice'),
    network.server('hs2').registerUser('bob'),
  ]);
  const roomId = await createRoom(alice);
  await join(bob, roomId, 'hs1');
  return { network, alice, bob, roomId };
}

test('who joins the room that replaces another one by way of another server keeps the settings', async (context) => {
  const { alice, bob, roomId } = await meet(context);
  const ruleOf = (room: string) => `/_matrix/client/v3/pushrules/global/room/${encodeURIComponent(room)}`;
  assert.equal((await bob.put(ruleOf(roomId), { actions: [] })).status, 200);
  const upgraded = await alice.post(pathOf(roomId, 'upgrade'), { new_version: '11' });
  const replacement = String(upgraded.body['replacement_room']);
  await join(bob, replacement, 'hs1');
  assert.deepEqual((await bob.get(ruleOf(replacement))).body['actions'], []);
});

const directory = '/_matrix/client/v3/directory';

async function listed(client: TestClient): Promise<unknown[]> {
  const { chunk } = (await client.get('/_matrix/client/v3/publicRooms')).body;
  return (chunk as { room_id: string }[]).map((room) => room.room_id);
}

async function roomOf(client: TestClient, alias: string): Promise<unknown> {
  return (await client.get(`${directory}/room/${encodeURIComponent(alias)}`)).body['room_id'];
}

/** What a server has for a room that it did not make: an alias of its own, and a place in its directory. */
async function announce(client: TestClient, roomId: string, alias: string): Promise<void> {
  await must(client.put(`${directory}/room/${encodeURIComponent(alias)}`, { room_id: roomId }));
  await must(client.put(`${directory}/list/room/${encodeURIComponent(roomId)}`, { visibility: 'public' }));
}

test('a server whose people follow to the room that replaces another one brings its aliases and its directory along', async (context) => {
  const network = await open(context);
  const [admin, bob] = await Promise.all([
    network.server('hs1').registerUser('alice'),
    registerAdmin(network.server('hs2'), 'bob'),
  ]);
  const roomId = await createRoom(admin);
  await join(bob, roomId, 'hs1');
  await announce(bob, roomId, '#here:hs2');
  const upgraded = await must(admin.post(pathOf(roomId, 'upgrade'), { new_version: '12' }));
  const replacement = String(upgraded['replacement_room']);
  const tombstone = async () => (await bob.get(pathOf(roomId, 'state/m.room.tombstone/'))).status === 200;
  await until(tombstone, 'the other server knows that the room has been replaced');
  assert.equal(await roomOf(bob, '#here:hs2'), roomId);
  await join(bob, replacement, 'hs1');
  assert.equal(await roomOf(bob, '#here:hs2'), replacement);
  assert.deepEqual(await listed(bob), [replacement]);
  assert.deepEqual(network.server('hs2').errors, []);
});

test('a room that only claims to replace another one gets nothing of it', async (context) => {
  const network = await open(context);
  const [mallory, bob] = await Promise.all([
    network.server('hs1').registerUser('mallory'),
    registerAdmin(network.server('hs2'), 'bob'),
  ]);
  const roomId = await createRoom(bob);
  await announce(bob, roomId, '#here:hs2');
  const predecessor = { room_id: roomId, event_id: await say(bob, roomId, 'the last') };
  const claiming = await createRoom(mallory, { creation_content: { predecessor } });
  await join(bob, claiming, 'hs1');
  assert.equal(await roomOf(bob, '#here:hs2'), roomId);
  assert.deepEqual(await listed(bob), [roomId]);
});

async function setName(client: TestClient, roomId: string, name: string): Promise<void> {
  assert.equal((await client.put(pathOf(roomId, 'state/m.room.name/'), { name })).status, 200);
}

async function nameOf(client: TestClient, roomId: string): Promise<unknown> {
  return (await client.get(pathOf(roomId, 'state/m.room.name/'))).body['name'];
}

test('state and redactions reach the other server', async (context) => {
  const { alice, bob, roomId } = await meet(context);
  await setName(alice, roomId, 'New');
  await until(async () => ((await nameOf(bob, roomId)) === 'New' ? true : undefined), 'the name is there');
  const eventId = await say(bob, roomId, 'a secret');
  await sees(alice, roomId, eventId);
  const redacted = await alice.put(pathOf(roomId, `redact/${encodeURIComponent(eventId)}/1`), {});
  assert.equal(redacted.status, 200);
  await until(
    async () => (JSON.stringify(await contentOf(bob, roomId, eventId)) === '{}' ? true : undefined),
    'it is redacted',
  );
  const own = await say(bob, roomId, 'another one');
  await sees(alice, roomId, own);
  assert.equal((await bob.put(pathOf(roomId, `redact/${encodeURIComponent(own)}/2`), {})).status, 200);
  await until(
    async () => (JSON.stringify(await contentOf(alice, roomId, own)) === '{}' ? true : undefined),
    'it is redacted on the other side',
  );
});

test('who leaves, or is kicked, is gone everywhere, and may come back', async (context) => {
  const { alice, bob, roomId } = await meet(context);
  const membership = async (client: TestClient) =>
    (await client.get(pathOf(roomId, `state/m.room.member/${encodeURIComponent(bob.userId)}`))).body['membership'];
  assert.equal((await bob.post(pathOf(roomId, 'leave'), {})).status, 200);
  await until(async () => ((await membership(alice)) === 'leave' ? true : undefined), 'he has left');
  await join(bob, roomId, 'hs1');
  assert.equal(await membership(alice), 'join');
  await sees(bob, roomId, await say(alice, roomId, 'welcome back'));
  assert.equal((await alice.post(pathOf(roomId, 'kick'), { user_id: bob.userId })).status, 200);
  await until(async () => ((await membership(bob)) === 'leave' ? true : undefined), 'he knows');
});

for (const engine of ['sqlite', 'postgres'] as const) {
  test(`a partition heals, and both servers have the same state (${engine})`, async (context) => {
    const { network, alice, bob, roomId } = await meet(context, engine);
    await sees(bob, roomId, await say(alice, roomId, 'before'));
    network.cut('hs1', 'hs2');
    await setName(alice, roomId, 'Hers');
    const hers = await say(alice, roomId, 'on my side');
    const his = await say(bob, roomId, 'on mine');
    network.healAll();
    await Promise.all([sees(bob, roomId, hers), sees(alice, roomId, his)]);
    await Promise.all([
      sees(bob, roomId, await say(alice, roomId, 'one more')),
      sees(alice, roomId, await say(bob, roomId, 'mine too')),
    ]);
    assert.deepEqual(await stateOf(alice, roomId), await stateOf(bob, roomId));
    assert.equal(await nameOf(bob, roomId), 'Hers');
  });
}

test('a server that was away is told everything in its order, more than fits into one transaction', async (context) => {
  const { network, alice, bob, roomId } = await meet(context);
  await sees(bob, roomId, await say(alice, roomId, 'before'));
  await network.stop('hs2');
  let last = '';
  for (let count = 0; count < 70; count++) last = await say(alice, roomId, `message ${count}`);
  await network.stop('hs1');
  await Promise.all([network.start('hs1'), network.start('hs2')]);
  const again = network.server('hs2').as(bob);
  await sees(again, roomId, last);
  const { body } = await again.get(pathOf(roomId, 'messages?dir=b&limit=71'));
  const texts = (body['chunk'] as { content: { body?: string } }[]).map(({ content }) => content.body);
  assert.deepEqual(
    texts.toReversed().slice(1),
    Array.from({ length: 70 }, (_, index) => `message ${index}`),
  );
});

test('somebody of another server is invited, declines, is invited again, and joins', async (context) => {
  const network = await open(context);
  const [alice, bob] = await Promise.all([
    network.server('hs1').registerUser('alice'),
    network.server('hs2').registerUser('bob'),
  ]);
  const roomId = await createRoom(alice, { preset: 'private_chat', name: 'Private', invite: [bob.userId] });
  type Rooms = { rooms?: { invite?: Record<string, { invite_state: { events: { type: string }[] } }> } };
  const invitation = async () => ((await bob.get('/_matrix/client/v3/sync')).body as Rooms).rooms?.invite?.[roomId];
  const { events } = (await until(invitation, 'the invitation is there')).invite_state;
  const types = new Set(events.map(({ type }) => type));
  for (const type of ['m.room.create', 'm.room.name', 'm.room.member']) assert.ok(types.has(type), type);
  const membership = async () =>
    (await alice.get(pathOf(roomId, `state/m.room.member/${encodeURIComponent(bob.userId)}`))).body['membership'];
  assert.equal(await membership(), 'invite');
  const left = await bob.post(pathOf(roomId, 'leave'), {});
  assert.equal(left.status, 200, JSON.stringify(left.body));
  assert.equal(await membership(), 'leave');
  assert.equal(await invitation(), undefined);
  const again = await alice.post(pathOf(roomId, 'invite'), { user_id: bob.userId });
  assert.equal(again.status, 200, JSON.stringify(again.body));
  await join(bob, roomId, 'hs1');
  await sees(bob, roomId, await say(alice, roomId, 'hello'));
  await sees(alice, roomId, await say(bob, roomId, 'hello'));
  assert.deepEqual(await stateOf(alice, roomId), await stateOf(bob, roomId));
  const nobody = await alice.post(pathOf(roomId, 'invite'), { user_id: '@nobody:hs2' });
  assert.equal(nobody.status, 403);
});

test('an alias of another server leads to its room', async (context) => {
  const network = await open(context);
  const [alice, bob] = await Promise.all([
    network.server('hs1').registerUser('alice'),
    network.server('hs2').registerUser('bob'),
  ]);
  const roomId = await createRoom(alice, { room_alias_name: 'here' });
  const { status, body } = await bob.post(`/_matrix/client/v3/join/${encodeURIComponent('#here:hs1')}`, {});
  assert.equal(status, 200, JSON.stringify(body));
  assert.equal(body['room_id'], roomId);
});
