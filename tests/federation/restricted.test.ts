import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { eventIdOf, findRoomVersion, hashAndSignEvent, isJsonObject, type JsonObject } from '@portico/protocol';
import { openPeer } from '@portico/testkit/federation-peer.ts';
import { startTestNetwork } from '@portico/testkit/network.ts';
import { createPeerRoom } from '@portico/testkit/peer-room.ts';
import type { TestClient } from '@portico/testkit/test-client.ts';
import { createRoom, join, must, pathOf, refusal } from '@portico/testkit/people.ts';
import { until } from '@portico/testkit/until.ts';
import { serveLeaves } from './leaves.ts';
import { becomes, membershipOf, setState } from './memberships.ts';

const enter = (client: TestClient, roomId: string, via: string) =>
  client.post(`/_matrix/client/v3/join/${encodeURIComponent(roomId)}?via=${via}`, {});

async function createRestricted(alice: TestClient, space: string, version = '11'): Promise<string> {
  const allow = [
    { type: 'org.example.unknown', room_id: space },
    { type: 'm.room_membership' },
    { type: 'm.room_membership', room_id: space },
  ];
  const initial_state = [{ type: 'm.room.join_rules', content: { join_rule: 'restricted', allow } }];
  return createRoom(alice, { preset: 'private_chat', room_version: version, initial_state });
}

async function open(context: TestContext) {
  const network = await startTestNetwork(['hs1', 'hs2']);
  context.after(() => network.close());
  const [alice, bob] = await Promise.all([
    network.server('hs1').registerUser('alice'),
    network.server('hs2').registerUser('bob'),
  ]);
  return { network, alice, bob, space: await createRoom(alice) };
}

for (const version of ['8', '12']) {
  test(`conditions let people of other servers in, and nothing else does (version ${version})`, async (context) => {
    const { alice, bob, space } = await open(context);
    const roomId = await createRestricted(alice, space, version);
    assert.equal(await refusal(enter(bob, roomId, 'hs1')), '403 M_FORBIDDEN');
    await join(bob, space, 'hs1');
    await join(bob, roomId, 'hs1');
    const member = await must(alice.get(pathOf(roomId, `state/m.room.member/${encodeURIComponent(bob.userId)}`)));
    assert.equal(member['join_authorised_via_users_server'], alice.userId);
    // Who was kicked may come back, by the same conditions; who is banned may not.
    await must(alice.post(pathOf(roomId, 'kick'), { user_id: bob.userId }));
    await becomes(bob, roomId, bob.userId, 'leave');
    await join(bob, roomId, 'hs1');
    await must(bob.post(pathOf(roomId, 'leave'), {}));
    await becomes(alice, roomId, bob.userId, 'leave');
    await must(bob.post(pathOf(space, 'leave'), {}));
    await becomes(alice, space, bob.userId, 'leave');
    assert.equal(await refusal(enter(bob, roomId, 'hs1')), '403 M_FORBIDDEN');
    await join(bob, space, 'hs1');
    await must(alice.post(pathOf(roomId, 'ban'), { user_id: bob.userId }));
    assert.equal(await refusal(enter(bob, roomId, 'hs1')), '403 M_FORBIDDEN');
    assert.equal(await membershipOf(alice, roomId, bob.userId), 'ban');
  });
}

test('in a room of version 7 the conditions mean nothing', async (context) => {
  const { alice, bob, space } = await open(context);
  const roomId = await createRestricted(alice, space, '7');
  await join(bob, space, 'hs1');
  assert.equal(await refusal(enter(bob, roomId, 'hs1')), '403 M_FORBIDDEN');
});

test('where nobody of the own server may let somebody in, another server does', async (context) => {
  const { network, alice, bob, space } = await open(context);
  const carol = await network.server('hs2').registerUser('carol');
  const roomId = await createRestricted(alice, space);
  const powers = await must(alice.get(pathOf(roomId, 'state/m.room.power_levels/')));
  await setState(alice, roomId, 'm.room.power_levels', { ...powers, invite: 50 });
  for (const roomToJoin of [space, roomId]) await join(bob, roomToJoin, 'hs1');
  assert.equal(await refusal(enter(carol, roomId, 'hs2')), '403 M_FORBIDDEN');
  await join(carol, space, 'hs1');
  await becomes(alice, space, carol.userId, 'join');
  // Her own server is in the room.
  await must(enter(carol, roomId, 'hs2'));
  const member = await must(carol.get(pathOf(roomId, `state/m.room.member/${encodeURIComponent(carol.userId)}`)));
  assert.equal(member['join_authorised_via_users_server'], alice.userId);
  await becomes(alice, roomId, carol.userId, 'join');
});

test('a change of profile needs nobody who lets the person in', async (context) => {
  const { alice, bob, space } = await open(context);
  const roomId = await createRestricted(alice, space);
  for (const roomToJoin of [space, roomId]) await join(bob, roomToJoin, 'hs1');
  const content = { membership: 'join', displayname: 'Bobby', join_authorised_via_users_server: 'unused' };
  await must(bob.put(pathOf(roomId, `state/m.room.member/${encodeURIComponent(bob.userId)}`), content));
  const seen = await until(async () => {
    const { body } = await alice.get(pathOf(roomId, `state/m.room.member/${encodeURIComponent(bob.userId)}`));
    return body['displayname'] === 'Bobby' ? body : undefined;
  }, 'she sees the name');
  assert.deepEqual(seen, { membership: 'join', displayname: 'Bobby' });
});

test('who is let in is decided when the join comes, and said with the right error', async (context) => {
  const network = await startTestNetwork(['hs1']);
  context.after(() => network.close());
  const peer = await openPeer(context, network, 'peer.test');
  const [alice, dora] = await Promise.all(['alice', 'dora'].map((name) => network.server('hs1').registerUser(name)));
  assert.ok(alice && dora);
  const space = await createRoom(alice, { room_version: '11' });
  const roomId = await createRestricted(alice, space);
  const mallory = '@mallory:peer.test';
  const rules = findRoomVersion('11');
  assert.ok(rules);

  async function make(room: string) {
    const path = `${encodeURIComponent(room)}/${encodeURIComponent(mallory)}?ver=11&ver=10`;
    const { status, body } = await peer.send('hs1', 'GET', `/_matrix/federation/v1/make_join/${path}`);
    assert.ok(isJsonObject(body));
    return { said: `${status} ${body['errcode'] as string}`, event: body['event'] as JsonObject };
  }
  async function send(room: string, event: JsonObject) {
    const pdu = hashAndSignEvent(rules as NonNullable<typeof rules>, event, peer.serverName, peer.key);
    const eventId = eventIdOf(rules as NonNullable<typeof rules>, pdu);
    const path = `${encodeURIComponent(room)}/${encodeURIComponent(eventId)}`;
    const uri = `/_matrix/federation/v2/send_join/${path}`;
    const { status, body } = await peer.send('hs1', 'PUT', uri, { content: pdu });
    assert.ok(isJsonObject(body));
    return { said: `${status} ${body['errcode'] as string}`, body };
  }

  assert.equal((await make(roomId)).said, '403 M_FORBIDDEN');
  await send(space, (await make(space)).event);
  const { event } = await make(roomId);
  const content = { membership: 'join', join_authorised_via_users_server: alice.userId };
  assert.deepEqual({ ...(event['content'] as object) }, content);
  const named = (userId: string) => ({ ...event, content: { ...content, join_authorised_via_users_server: userId } });
  assert.equal((await send(roomId, named('@somebody:peer.test'))).said, '400 M_INVALID_PARAM', 'of another server');
  assert.equal((await send(roomId, named(dora.userId))).said, '403 M_FORBIDDEN', 'not in the room');
  assert.equal((await send(roomId, { ...event, content: { membership: 'join' } })).said, '403 M_FORBIDDEN', 'nobody');

  // The conditions change in the middle of the join.
  await setState(alice, roomId, 'm.room.join_rules', { join_rule: 'restricted', allow: [] });
  assert.equal((await send(roomId, event)).said, '403 M_FORBIDDEN');
  const elsewhere = [{ type: 'm.room_membership', room_id: '!elsewhere:peer.test' }];
  await setState(alice, roomId, 'm.room.join_rules', { join_rule: 'restricted', allow: elsewhere });
  assert.equal((await make(roomId)).said, '400 M_UNABLE_TO_AUTHORISE_JOIN');
  assert.equal((await send(roomId, event)).said, '400 M_UNABLE_TO_AUTHORISE_JOIN');

  await must(alice.post(pathOf(roomId, 'ban'), { user_id: mallory }));
  assert.equal((await make(roomId)).said, '403 M_FORBIDDEN', 'banned, so nobody else need be asked');
  assert.equal((await send(roomId, event)).said, '403 M_FORBIDDEN');
  await must(alice.post(pathOf(roomId, 'unban'), { user_id: mallory }));

  const allow = [{ type: 'm.room_membership', room_id: space }];
  await setState(alice, roomId, 'm.room.join_rules', { join_rule: 'restricted', allow });
  const joined = await send(roomId, (await make(roomId)).event);
  const { signatures } = joined.body['event'] as { readonly signatures: object };
  assert.deepEqual(Object.keys(signatures).toSorted(), ['hs1', 'peer.test']);
  assert.equal(joined.body['members_omitted'], false);

  const other = await createRestricted(alice, space);
  const powers = await must(alice.get(pathOf(other, 'state/m.room.power_levels/')));
  await setState(alice, other, 'm.room.power_levels', { ...powers, invite: 100, users: { [alice.userId]: 50 } });
  assert.equal((await make(other)).said, '400 M_UNABLE_TO_GRANT_JOIN');
  assert.deepEqual(network.server('hs1').errors, []);
});

test('what was known of a room while somebody here was in it lets nobody in once they have left', async (context) => {
  const network = await startTestNetwork(['hs1']);
  context.after(() => network.close());
  const peer = await openPeer(context, network, 'peer.test');
  const alice = await network.server('hs1').registerUser('alice');
  const space = createPeerRoom(peer);
  space.serve();
  serveLeaves(peer, space);
  const roomId = await createRestricted(alice, space.roomId);
  const make = async () => {
    const path = `${encodeURIComponent(roomId)}/${encodeURIComponent(space.founder)}?ver=11`;
    const { status, body } = await peer.send('hs1', 'GET', `/_matrix/federation/v1/make_join/${path}`);
    assert.ok(isJsonObject(body));
    return status === 200 ? '200' : `${status} ${body['errcode'] as string}`;
  };
  assert.equal(await make(), '400 M_UNABLE_TO_AUTHORISE_JOIN');
  await join(alice, space.roomId, 'peer.test');
  assert.equal(await make(), '200');
  await must(alice.post(pathOf(space.roomId, 'leave'), {}));
  assert.equal(await make(), '400 M_UNABLE_TO_AUTHORISE_JOIN');
});

test('who was let in through the second server that was asked leaves, and may come again', async (context) => {
  const network = await startTestNetwork(['hs1', 'hs2', 'hs3']);
  context.after(() => network.close());
  const [alice, bob, carol] = await Promise.all([
    network.server('hs1').registerUser('alice'),
    network.server('hs2').registerUser('bob'),
    network.server('hs3').registerUser('carol'),
  ]);
  const space = await createRoom(alice);
  const roomId = await createRestricted(alice, space);
  const onlyAlice = { invite: 100, users: { [alice.userId]: 100 } };
  await setState(alice, roomId, 'm.room.power_levels', onlyAlice);
  for (const roomToJoin of [space, roomId]) await join(bob, roomToJoin, 'hs1');
  await join(carol, space, 'hs1');
  assert.match(await refusal(enter(carol, roomId, 'hs2')), /^40[03] /, 'nobody there may let her in');
  await must(enter(carol, roomId, 'hs2&via=hs1'));
  await becomes(bob, roomId, carol.userId, 'join');
  await setState(alice, roomId, 'm.room.power_levels', {
    ...onlyAlice,
    users: { ...onlyAlice.users, [bob.userId]: 100 },
  });
  await must(carol.post(pathOf(roomId, 'leave'), {}));
  await becomes(alice, roomId, carol.userId, 'leave');
  await becomes(bob, roomId, carol.userId, 'leave');
});

test('no server gets somebody of this one named as who lets a person in, by a template', async (context) => {
  const network = await startTestNetwork(['hs1']);
  context.after(() => network.close());
  const peer = await openPeer(context, network, 'peer.test');
  const [alice, bob] = await Promise.all(['alice', 'bob'].map((name) => network.server('hs1').registerUser(name)));
  assert.ok(alice && bob);
  // Whether bob is in this room, hs1 cannot tell.
  const roomId = await createRestricted(alice, '!elsewhere:peer.test');
  const state = (await must(alice.get(pathOf(roomId, 'state')))) as unknown as readonly JsonObject[];
  const idOf = (type: string) => state.find((event) => event['type'] === type)?.['event_id'] as string;
  const allowing = ['m.room.create', 'm.room.power_levels', 'm.room.join_rules', 'm.room.member'].map(idOf);
  const sent: string[] = [];
  peer.on('GET', '/_matrix/federation/v1/make_join/', () => ({
    body: {
      room_version: '11',
      event: {
        depth: 20,
        prev_events: [idOf('m.room.join_rules')],
        auth_events: allowing,
        content: { membership: 'join', join_authorised_via_users_server: alice.userId },
      },
    },
  }));
  peer.on('PUT', '/_matrix/federation/v2/send_join/', ({ body }) => {
    sent.push(body);
    return { body: `{"auth_chain":[],"event":${body},"members_omitted":false,"state":[]}` };
  });
  assert.notEqual((await enter(bob, roomId, 'peer.test')).status, 200);
  assert.deepEqual(sent, [], 'nothing is signed');
  assert.equal(await membershipOf(alice, roomId, bob.userId), undefined);
});
