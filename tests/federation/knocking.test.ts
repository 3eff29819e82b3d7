import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { findRoomVersion, hashAndSignEvent, type JsonObject } from '@portico/protocol';
import { openPeer, startPeer } from '@portico/testkit/federation-peer.ts';
import { startTestNetwork } from '@portico/testkit/network.ts';
import { createRoom, join, must, pathOf, refusal, say, sees } from '@portico/testkit/people.ts';
import { until } from '@portico/testkit/until.ts';
import { becomes, membershipOf, pending, setState } from './memberships.ts';

type Engine = 'sqlite' | 'postgres';

/** Alice of one server has a room that Bob of another one may knock on. */
async function open(
  context: TestContext,
  {
    engine = 'sqlite',
    joinRule = 'knock',
    version = '11',
  }: { engine?: Engine; joinRule?: string; version?: string } = {},
) {
  const network = await startTestNetwork(['hs1', 'hs2'], { engine });
  context.after(() => network.close());
  const [alice, bob] = await Promise.all([
    network.server('hs1').registerUser('alice'),
    network.server('hs2').registerUser('bob'),
  ]);
  const roomId = await createRoom(alice, {
    preset: 'private_chat',
    room_version: version,
    name: 'Quiet',
    topic: 'Hush',
  });
  await setState(alice, roomId, 'm.room.join_rules', { join_rule: joinRule, allow: [] });
  const knock = (via = 'hs1') =>
    bob.post(`/_matrix/client/v3/knock/${encodeURIComponent(roomId)}?via=${via}`, { reason: 'please' });
  return { network, alice, bob, roomId, knock };
}

const shows = (...[client, kind, roomId]: Parameters<typeof pending>) =>
  until(() => pending(client, kind, roomId), `${client.userId} sees the ${kind}`);
const showsNo = (...[client, kind, roomId]: Parameters<typeof pending>) =>
  until(async () => ((await pending(client, kind, roomId)) === undefined ? true : undefined), `there is no ${kind}`);

for (const engine of ['sqlite', 'postgres'] as const) {
  test(`a knock from another server is seen, answered with an invitation, and taken up (${engine})`, async (context) => {
    const { network, alice, bob, roomId, knock } = await open(context, { engine });
    assert.deepEqual(await must(knock()), { room_id: roomId });
    const state = await shows(bob, 'knock', roomId);
    assert.deepEqual(
      state.map(({ type, state_key: key, content }) => [type, key, content['membership'] ?? content['name']]),
      [
        ['m.room.create', '', undefined],
        ['m.room.name', '', 'Quiet'],
        ['m.room.topic', '', undefined],
        ['m.room.join_rules', '', undefined],
        ['m.room.member', bob.userId, 'knock'],
      ],
    );
    for (const event of state)
      assert.deepEqual(Object.keys(event).toSorted(), ['content', 'sender', 'state_key', 'type']);
    const seen = await must(alice.get(pathOf(roomId, `state/m.room.member/${encodeURIComponent(bob.userId)}`)));
    assert.equal(seen['membership'], 'knock');
    assert.equal(seen['reason'], 'please');
    await must(alice.post(pathOf(roomId, 'invite'), { user_id: bob.userId }));
    await shows(bob, 'invite', roomId);
    assert.equal(await pending(bob, 'knock', roomId), undefined);
    await join(bob, roomId, 'hs1');
    await sees(bob, roomId, await say(alice, roomId, 'welcome'));
    for (const name of ['hs1', 'hs2']) assert.deepEqual(network.server(name).errors, []);
  });
}

test('a knock is withdrawn by the servers through which it went, and may be made again', async (context) => {
  const { alice, bob, roomId, knock } = await open(context, { version: '12' });
  await must(knock());
  // The ID of a room of version 12 names no server: who was asked is remembered.
  await must(bob.post(pathOf(roomId, 'leave'), { reason: 'never mind' }));
  const left = await must(alice.get(pathOf(roomId, `state/m.room.member/${encodeURIComponent(bob.userId)}`)));
  assert.deepEqual([left['membership'], left['reason']], ['leave', 'never mind']);
  assert.equal(await pending(bob, 'knock', roomId), undefined);
  await must(knock());
  await shows(bob, 'knock', roomId);
});

test('a knock whose server is out of reach is withdrawn all the same', async (context) => {
  const { network, alice, bob, roomId, knock } = await open(context);
  await must(knock());
  network.cut('hs1', 'hs2');
  await must(bob.post(pathOf(roomId, 'leave'), {}));
  assert.equal(await pending(bob, 'knock', roomId), undefined);
  network.healAll();
  assert.equal(await membershipOf(alice, roomId, bob.userId), 'knock');
  assert.deepEqual(network.server('hs2').errors, []);
});

test('a knock that is turned down, and a ban, reach the person who knocks', async (context) => {
  const { alice, bob, roomId, knock } = await open(context);
  await must(knock());
  await must(alice.post(pathOf(roomId, 'kick'), { user_id: bob.userId }));
  await showsNo(bob, 'knock', roomId);
  await must(knock());
  await must(alice.post(pathOf(roomId, 'ban'), { user_id: bob.userId }));
  await showsNo(bob, 'knock', roomId);
  assert.equal(await refusal(knock()), '403 M_FORBIDDEN');
  assert.equal(await refusal(bob.post(pathOf(roomId, 'leave'), {})), '403 M_FORBIDDEN');
});

test('who may not knock is told so', async (context) => {
  const { alice, bob, roomId, knock } = await open(context, { joinRule: 'invite' });
  assert.equal(await refusal(knock()), '403 M_FORBIDDEN');
  assert.equal(await refusal(knock('nowhere.test')), '502 M_UNKNOWN');
  await setState(alice, roomId, 'm.room.join_rules', { join_rule: 'knock' });
  await setState(alice, roomId, 'm.room.server_acl', { allow: ['*'], deny: ['hs2'], allow_ip_literals: true });
  assert.equal(await refusal(knock()), '403 M_FORBIDDEN');
  await setState(alice, roomId, 'm.room.server_acl', { allow: ['*'] });
  await must(alice.post(pathOf(roomId, 'invite'), { user_id: bob.userId }));
  assert.equal(await refusal(knock()), '403 M_FORBIDDEN');
  await join(bob, roomId, 'hs1');
  assert.equal(await refusal(knock()), '403 M_FORBIDDEN');
  const old = await createRoom(alice, { room_version: '6' });
  const path = `/_matrix/client/v3/knock/${encodeURIComponent(old)}?via=hs1`;
  assert.equal(await refusal(bob.post(path, {})), '400 M_INCOMPATIBLE_ROOM_VERSION');
});

test('a knock_restricted room is knocked on, and its conditions let nobody in who knocks', async (context) => {
  const { alice, bob, roomId, knock } = await open(context, { joinRule: 'knock_restricted' });
  await must(knock());
  await becomes(alice, roomId, bob.userId, 'knock');
  const path = `/_matrix/client/v3/join/${encodeURIComponent(roomId)}?via=hs1`;
  assert.equal(await refusal(bob.post(path, {})), '403 M_FORBIDDEN');
  assert.equal(await membershipOf(alice, roomId, bob.userId), 'knock');
});

test('a knock counts whatever its server tells of the room, and can be withdrawn', async (context) => {
  const network = await startTestNetwork(['hs1']);
  context.after(() => network.close());
  const peer = await openPeer(context, network, 'peer.test');
  const bob = await network.server('hs1').registerUser('bob');
  const template = { depth: 5, prev_events: ['$before'], auth_events: ['$create'], content: { membership: 'knock' } };
  peer.on('GET', '/_matrix/federation/v1/make_', () => ({ body: { room_version: '10', event: template } }));
  peer.on('PUT', '/_matrix/federation/v2/send_leave/', () => ({ body: {} }));
  let answer: JsonObject = {};
  peer.on('PUT', '/_matrix/federation/v1/send_knock/', () => ({ body: answer }));
  const name = { type: 'm.room.name', state_key: '', sender: '@a:peer.test', content: { name: 'Name' } };
  const joined = {
    type: 'm.room.member',
    state_key: bob.userId,
    sender: '@a:peer.test',
    content: { membership: 'join' },
  };
  for (const [index, [told, shown]] of (
    [
      [{}, []],
      [{ knock_room_state: {} }, []],
      [{ knock_room_state: [5, null] }, []],
      [{ knock_room_state: [joined, { ...name, sender: 'nobody' }, name] }, ['Name']],
    ] as const
  ).entries()) {
    answer = told;
    const roomId = `!room${index}:peer.test`;
    await must(bob.post(`/_matrix/client/v3/knock/${encodeURIComponent(roomId)}?via=peer.test`, {}));
    const state = await shows(bob, 'knock', roomId);
    const contents = state.map(({ content }) => content['name'] ?? content['membership']);
    assert.deepEqual(contents, [...shown, 'knock']);
    await must(bob.post(pathOf(roomId, 'leave'), {}));
    await showsNo(bob, 'knock', roomId);
  }
  assert.deepEqual(network.server('hs1').errors, []);
});

test('no knock is signed for a room of a version that has none', async (context) => {
  const network = await startTestNetwork(['hs1']);
  context.after(() => network.close());
  const peer = await openPeer(context, network, 'peer.test');
  const bob = await network.server('hs1').registerUser('bob');
  const template = { depth: 5, prev_events: [], auth_events: [] };
  peer.on('GET', '/_matrix/federation/v1/make_knock/', () => ({ body: { room_version: '6', event: template } }));
  const path = `/_matrix/client/v3/knock/${encodeURIComponent('!old:peer.test')}?via=peer.test`;
  assert.equal(await refusal(bob.post(path, {})), '502 M_UNKNOWN');
  assert.ok(!peer.requests.some((request) => request.includes('send_knock')));
});

test('a knock stands that is made while the answer to an earlier one is still being checked', async (context) => {
  const network = await startTestNetwork(['hs1']);
  context.after(() => network.close());
  const [peer, other] = [await startPeer(network, 'peer.test'), await startPeer(network, 'other.test')];
  context.after(() => Promise.all([peer.close(), other.close()]));
  const bob = await network.server('hs1').registerUser('bob');
  const roomId = '!room:peer.test';
  const template = { depth: 5, prev_events: ['$before'], auth_events: ['$create'] };
  const knocks: string[] = [];
  peer.on('GET', '/_matrix/federation/v1/make_knock/', () => ({ body: { room_version: '10', event: template } }));
  peer.on('PUT', '/_matrix/federation/v1/send_knock/', ({ url }) => {
    knocks.push(decodeURIComponent(url.split('/').at(-1) ?? ''));
    return { body: { knock_room_state: [] } };
  });
  const knock = () => must(bob.post(`/_matrix/client/v3/knock/${encodeURIComponent(roomId)}?via=peer.test`, {}));
  const { promise: isAsked, resolve: asked } = Promise.withResolvers<void>();
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  other.on('GET', '/_matrix/key/v2/server', async () => {
    asked();
    await released;
    return { body: other.keyAnswer() };
  });
  const rules = findRoomVersion('10');
  assert.ok(rules);
  await knock();
  const turnedDown = {
    type: 'm.room.member',
    room_id: roomId,
    sender: '@admin:other.test',
    state_key: bob.userId,
    content: { membership: 'leave' },
    origin_server_ts: Date.now(),
    depth: 7,
    prev_events: knocks,
    auth_events: knocks,
  };
  const pdu = hashAndSignEvent(rules, turnedDown, other.serverName, other.key);
  const content = { origin: 'peer.test', origin_server_ts: 1, pdus: [pdu], edus: [] };
  const sending = peer.send('hs1', 'PUT', '/_matrix/federation/v1/send/1', { content });
  await isAsked;
  await knock();
  release();
  assert.equal((await sending).status, 200);
  assert.equal(new Set(knocks).size, 2);
  assert.ok(await pending(bob, 'knock', roomId), 'the second knock stands');
  assert.deepEqual(network.server('hs1').errors, []);
});
