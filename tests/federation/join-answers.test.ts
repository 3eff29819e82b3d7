import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { eventIdOf, findRoomVersion, hashAndSignEvent, isJsonObject, type JsonObject } from '@portico/protocol';
import { type FederationPeer, openPeer } from '@portico/testkit/federation-peer.ts';
import { startTestNetwork } from '@portico/testkit/network.ts';
import { createRoom, join } from '@portico/testkit/people.ts';
import { becomes, setState } from './memberships.ts';

type Answer = {
  readonly auth_chain: readonly JsonObject[];
  readonly state: readonly JsonObject[];
  readonly members_omitted: boolean;
  readonly servers_in_room?: readonly string[];
};

/** Alice of one server and Bob of another in a room, which somebody of a third one joins. */
async function open(context: TestContext) {
  const network = await startTestNetwork(['hs1', 'hs2']);
  context.after(() => network.close());
  const peer = await openPeer(context, network, 'peer.test');
  const [alice, bob] = await Promise.all([
    network.server('hs1').registerUser('alice'),
    network.server('hs2').registerUser('bob'),
  ]);
  const roomId = await createRoom(alice, { room_version: '11' });
  await setState(alice, roomId, 'm.room.power_levels', { users: { [alice.userId]: 100 } });
  await join(bob, roomId, 'hs1');
  await becomes(alice, roomId, bob.userId, 'join');
  return { peer, alice, bob, roomId };
}

async function joinAs(
  peer: FederationPeer,
  roomId: string,
  userId: string,
  query: string,
  version = '11',
): Promise<Answer> {
  const rules = findRoomVersion(version);
  const path = encodeURIComponent(roomId);
  const make = `/_matrix/federation/v1/make_join/${path}/${encodeURIComponent(userId)}?ver=${version}`;
  const { body: made } = await peer.send('hs1', 'GET', make);
  assert.ok(rules && isJsonObject(made) && isJsonObject(made['event']));
  const pdu = hashAndSignEvent(rules, made['event'], peer.serverName, peer.key);
  const eventId = encodeURIComponent(eventIdOf(rules, pdu));
  const uri = `/_matrix/federation/v2/send_join/${path}/${eventId}${query}`;
  const { status, body } = await peer.send('hs1', 'PUT', uri, { content: pdu });
  assert.equal(status, 200, JSON.stringify(body));
  return body as unknown as Answer;
}

const keysOf = (events: readonly JsonObject[]) =>
  events.map((event) => `${event['type'] as string} ${event['state_key'] as string}`).toSorted();
function idsOf(events: readonly JsonObject[], version = '11'): readonly string[] {
  const rules = findRoomVersion(version);
  return events.map((event) => eventIdOf(rules as never, event as never));
}

test('who asks for fewer members gets those that a room without a name is named after, and all servers', async (context) => {
  const { peer, alice, bob, roomId } = await open(context);
  const answer = await joinAs(peer, roomId, '@first:peer.test', '?omit_members=true');
  assert.equal(answer.members_omitted, true);
  const others = ['create', 'history_visibility', 'join_rules', 'power_levels'];
  const wanted = [
    ...others.map((type) => `m.room.${type} `),
    ...[alice, bob].map(({ userId }) => `m.room.member ${userId}`),
  ];
  assert.deepEqual(keysOf(answer.state), wanted.toSorted());
  // The first power levels are in the auth chain of the others, and no part of the state.
  assert.deepEqual(keysOf(answer.auth_chain), ['m.room.power_levels ']);
  assert.deepEqual(answer.servers_in_room?.toSorted(), ['hs1', 'hs2']);
  const again = await joinAs(peer, roomId, '@second:peer.test', '?omit_members=true');
  assert.deepEqual(again.servers_in_room?.toSorted(), ['hs1', 'hs2', 'peer.test']);
});

test('a room with a name needs no members, and whoever does not ask gets them all', async (context) => {
  const { peer, alice, bob, roomId } = await open(context);
  await setState(alice, roomId, 'm.room.name', { name: 'A name' });
  const answer = await joinAs(peer, roomId, '@first:peer.test', '?omit_members=true');
  assert.deepEqual(
    keysOf(answer.state).filter((key) => key.startsWith('m.room.member')),
    [],
  );
  const chain = keysOf(answer.auth_chain).filter((key) => key.startsWith('m.room.member'));
  assert.deepEqual(chain, [`m.room.member ${alice.userId}`], 'who allows what is in the state');
  const whole = await joinAs(peer, roomId, '@second:peer.test', '');
  assert.equal(whole.members_omitted, false);
  assert.equal(whole.servers_in_room, undefined);
  const members = [alice.userId, bob.userId, '@first:peer.test'].map((userId) => `m.room.member ${userId}`);
  assert.deepEqual(
    keysOf(whole.state).filter((key) => key.startsWith('m.room.member')),
    members.toSorted(),
  );
  const ids = new Set(idsOf([...whole.state, ...whole.auth_chain]));
  for (const event of whole.state) for (const id of event['auth_events'] as string[]) assert.ok(ids.has(id));
});

test('where the ID of the room stands for the create event in auth events, it is in auth chains all the same', async (context) => {
  const network = await startTestNetwork(['hs1']);
  context.after(() => network.close());
  const peer = await openPeer(context, network, 'peer.test');
  const alice = await network.server('hs1').registerUser('alice');
  const roomId = await createRoom(alice, { room_version: '12' });
  const answer = await joinAs(peer, roomId, '@first:peer.test', '', '12');
  const chain = keysOf(answer.auth_chain);
  assert.deepEqual(
    chain.filter((key) => key === 'm.room.create '),
    ['m.room.create '],
  );
  const create = `$${roomId.slice(1)}`;
  const ask = async (path: string) => (await peer.send('hs1', 'GET', `/_matrix/federation/v1/${path}`)).body as Answer;
  const [powers = ''] = idsOf(
    answer.state.filter(({ type }) => type === 'm.room.power_levels'),
    '12',
  );
  for (const [eventId, expected] of [
    [powers, 1],
    [create, 0],
  ] as const) {
    const { auth_chain: auth } = await ask(`event_auth/${encodeURIComponent(roomId)}/${encodeURIComponent(eventId)}`);
    assert.equal(keysOf(auth).filter((key) => key === 'm.room.create ').length, expected, eventId);
  }
  const path = `${encodeURIComponent(roomId)}?event_id=${encodeURIComponent(powers)}`;
  const { auth_chain_ids: ids } = (await ask(`state_ids/${path}`)) as unknown as { auth_chain_ids: string[] };
  assert.equal(ids.filter((id) => id === create).length, 1);
  const { auth_chain: whole } = await ask(`state/${path}`);
  assert.ok(keysOf(whole).includes('m.room.create '));
});
