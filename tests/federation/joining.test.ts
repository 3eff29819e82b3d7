import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { eventIdOf, type JsonObject, parseJson } from '@portico/protocol';
import { startPeer } from '@portico/testkit/federation-peer.ts';
import { startTestNetwork } from '@portico/testkit/network.ts';
import { createPeerRoom, type MadeEvent } from '@portico/testkit/peer-room.ts';
import type { TestClient } from '@portico/testkit/test-client.ts';
import { contentOf, must, pathOf, refusal, say, sees } from '@portico/testkit/people.ts';
import { becomes, membershipOf, stateOf } from './memberships.ts';
import { sendTransaction } from './peer.ts';

/** A server with one person, and a peer with a room. */
async function open(context: TestContext, version = '11') {
  const network = await startTestNetwork(['hs1']);
  context.after(() => network.close());
  const [peer, other] = await Promise.all([startPeer(network, 'peer.test'), startPeer(network, 'other.test')]);
  context.after(() => Promise.all([peer.close(), other.close()]));
  const server = network.server('hs1');
  const alice = await server.registerUser('alice');
  return { network, server, peer, other, alice, room: createPeerRoom(peer, { version }) };
}

const enter = (client: TestClient, roomId: string, ...via: string[]) =>
  client.post(
    `/_matrix/client/v3/join/${encodeURIComponent(roomId)}?${via.map((name) => `via=${name}`).join('&')}`,
    {},
  );

const parsed = (pdus: readonly { readonly pdu: string }[]) => ({
  pdus: pdus.map(({ pdu }) => parseJson(pdu, 'lenient')),
  edus: [],
});

test('an answer that is cut off, too deep or of no use is none, and the next server is asked', async (context) => {
  const { server, peer, other, alice, room } = await open(context);
  const { roomId } = room;
  const whole = room.joinAnswer('{}');
  const { founder: sender } = room;
  const late = room.make({ type: 'm.room.create', stateKey: '', sender, content: { room_version: '11' } });
  const answers = {
    'cut off': whole.slice(0, -100),
    'too deep': room.joinAnswer('{}', { state: [`{"a":${'['.repeat(200)}${']'.repeat(200)}}`] }),
    'no objects': room.joinAnswer('{}', { state: ['1'] }),
    'too long': room.joinAnswer('{}', { state: [`{"a":"${'x'.repeat(200_000)}"}`] }),
    'without its create event': room.joinAnswer('{}', { state: [] }),
    'with a create event that the rules refuse': '',
    'no JSON': '<html>',
    'with another event': room.joinAnswer('{}'),
  };
  for (const [what, answer] of Object.entries(answers)) {
    room.serve((event) => {
      if (what === 'without its create event') return room.joinAnswer(event, { state: [] });
      return what.endsWith('refuse') ? room.joinAnswer(event, { state: [late.pdu] }) : answer;
    });
    assert.equal(await refusal(enter(alice, roomId, 'peer.test')), '502 M_UNKNOWN', what);
  }
  peer.on('GET', '/_matrix/federation/v1/make_join/', () => ({ status: 500, body: {} }));
  other.on('GET', '/_matrix/federation/v1/make_join/', ({ url }) => {
    const { userId } = alice;
    assert.ok(decodeURIComponent(url).includes(userId));
    const join = { type: 'm.room.member', stateKey: userId, sender: userId, content: { membership: 'join' } };
    const event = { depth: 9, prev_events: [], auth_events: room.authEvents(join), content: {} };
    return { body: { room_version: '11', event } };
  });
  other.on('PUT', '/_matrix/federation/v2/send_join/', ({ body }) => ({ body: room.joinAnswer(body) }));
  await must(enter(alice, roomId, 'peer.test', 'other.test'));
  assert.equal(await membershipOf(alice, roomId, room.founder), 'join');
  assert.deepEqual(server.errors, []);
});

test('what the given state says that its own auth events do not allow is no part of the room', async (context) => {
  const { peer, alice, room } = await open(context);
  const mallory = '@mallory:peer.test';
  room.add({ type: 'm.room.member', stateKey: mallory, sender: mallory, content: { membership: 'join' } });
  const content = { users: { [mallory]: 100 } };
  const stolen = room.make({ type: 'm.room.power_levels', stateKey: '', sender: mallory, content });
  const name = { type: 'm.room.name', stateKey: '', sender: mallory, content: { name: 'Mine' } };
  const power = room.state.get('m.room.power_levels ')?.eventId;
  const allowing = room.authEvents(name).map((eventId) => (eventId === power ? stolen.eventId : eventId));
  const named = room.make({ ...name, authEvents: allowing });
  const topic = { type: 'm.room.topic', stateKey: '', sender: room.founder, content: { topic: 'Hers' } };
  const joinRules = room.state.get('m.room.join_rules ')?.eventId ?? '';
  const withMore = room.make({ ...topic, authEvents: [...room.authEvents(topic), joinRules] });
  room.serve((event) => {
    const state = [...room.state.values()].map(({ pdu }) => pdu);
    return room.joinAnswer(event, { state: [...state, stolen.pdu, named.pdu, withMore.pdu], authChain: [stolen.pdu] });
  });
  await must(enter(alice, room.roomId, 'peer.test'));
  assert.equal(await refusal(alice.get(pathOf(room.roomId, 'state/m.room.topic/'))), '404 M_NOT_FOUND');
  const powers = await must(alice.get(pathOf(room.roomId, 'state/m.room.power_levels/')));
  assert.deepEqual(powers['users'], { [room.founder]: 100 });
  assert.equal(await refusal(alice.get(pathOf(room.roomId, 'state/m.room.name/'))), '404 M_NOT_FOUND');
  // Sent again as an event of its own it stays what it is, and so does what is built on it.
  const before = await stateOf(alice, room.roomId);
  const last = room.add({ type: 'm.room.message', sender: room.founder, content: { body: 'after' } });
  await sendTransaction(peer, parsed([stolen, named, last]));
  await sees(alice, room.roomId, last.eventId);
  assert.deepEqual(await stateOf(alice, room.roomId), before);
});

test('what was rejected is no part of the room when its state is given anew, nor are events of other rooms', async (context) => {
  const { server, peer, alice, room } = await open(context);
  const { roomId, founder } = room;
  const [mallory, stranger] = ['@mallory:peer.test', '@stranger:peer.test'];
  const join = (userId: string) =>
    ({ type: 'm.room.member', stateKey: userId, sender: userId, content: { membership: 'join' } }) as const;
  const levels = (users: JsonObject) =>
    room.add({ type: 'm.room.power_levels', stateKey: '', sender: founder, content: { users } });
  const before = [...room.state.values()];
  room.add(join(mallory));
  const withPower = levels({ [founder]: 100, [mallory]: 50 });
  const topic = { type: 'm.room.topic', stateKey: '', sender: mallory, content: { topic: 'Mine' } };
  const authEvents = room.authEvents(topic);
  levels({ [founder]: 100 });
  const chain = () => [...before, ...room.state.values(), withPower].map(({ pdu }) => pdu);
  room.serve((event) => room.joinAnswer(event, { authChain: chain() }));
  await must(enter(alice, roomId, 'peer.test'));
  // Its auth events allow it, the state before it does not.
  const late = room.make({ ...topic, authEvents });
  const { body } = await sendTransaction(peer, parsed([late]));
  const { error } = (body as { pdus: Record<string, { error?: string }> }).pdus[late.eventId] ?? {};
  assert.notEqual(error, undefined);

  await must(alice.post(pathOf(roomId, 'leave'), {}));
  const other = createPeerRoom(peer, { version: '11', name: 'other' });
  other.add(join(stranger));
  room.serve((event) => {
    const state = [...room.state.values(), late, ...other.state.values()].map(({ pdu }) => pdu);
    return room.joinAnswer(event, { state, authChain: [...chain(), ...state] });
  });
  await must(enter(alice, roomId, 'peer.test'));
  assert.equal(await membershipOf(alice, roomId, mallory), 'join');
  assert.equal(await membershipOf(alice, roomId, stranger), undefined);
  assert.equal(await refusal(alice.get(pathOf(roomId, 'state/m.room.topic/'))), '404 M_NOT_FOUND');
  const last = room.add({ type: 'm.room.message', sender: founder, content: { body: 'after' } });
  await sendTransaction(peer, parsed([last]));
  await sees(alice, roomId, last.eventId);
  assert.deepEqual(server.errors, []);
});

test('an event whose auth event did not come along is not rejected for good', async (context) => {
  const { peer, alice, room } = await open(context);
  const bob = '@bob:peer.test';
  const membership = (sender: string, is: string) =>
    ({ type: 'm.room.member', stateKey: bob, sender, content: { membership: is } }) as const;
  let late: MadeEvent[] = [];
  room.serve((event) => {
    const prevEvents = [eventIdOf(room.rules, parseJson(event, 'lenient') as JsonObject)];
    const invitation = room.make({ ...membership(room.founder, 'invite'), prevEvents });
    const join = membership(bob, 'join');
    const authEvents = [...room.authEvents(join), invitation.eventId];
    late = [invitation, room.make({ ...join, authEvents, prevEvents: [invitation.eventId] })];
    const state = [...room.state.values(), ...late.slice(1)].map(({ pdu }) => pdu);
    return room.joinAnswer(event, { state, authChain: [] });
  });
  await must(enter(alice, room.roomId, 'peer.test'));
  assert.equal(await membershipOf(alice, room.roomId, bob), undefined);
  await sendTransaction(peer, parsed(late));
  await becomes(alice, room.roomId, bob, 'join');
});

test('an invitation that lies about the version of its room does no harm', async (context) => {
  const { peer, alice, room } = await open(context, '11');
  // The same event, as versions 10 and 11 read it.
  const content = { membership: 'invite' };
  const { eventId, pdu } = room.make({ type: 'm.room.member', stateKey: alice.userId, sender: room.founder, content });
  const uri = `/_matrix/federation/v2/invite/${encodeURIComponent(room.roomId)}/${encodeURIComponent(eventId)}`;
  const invited = await peer.send('hs1', 'PUT', uri, {
    content: { event: parseJson(pdu, 'lenient'), room_version: '10', invite_room_state: [] },
  });
  assert.equal(invited.status, 200, JSON.stringify(invited.body));
  room.serve();
  await must(enter(alice, room.roomId, 'peer.test'));
  const message = await say(alice, room.roomId, 'to be redacted');
  const redaction = await must(alice.put(pathOf(room.roomId, `redact/${encodeURIComponent(message)}/1`), {}));
  const { event_id: redactionId } = redaction;
  // Only where the version is known to be 11 does the redaction name its target in its content.
  assert.deepEqual(await contentOf(alice, room.roomId, String(redactionId)), { redacts: message });
});
