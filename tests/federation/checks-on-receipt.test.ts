import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import {
  findRoomVersion,
  hashAndSignEvent,
  isJsonObject,
  type JsonObject,
  parseJson,
  signingKeyFromSeed,
} from '@portico/protocol';
import { type FederationPeer, openPeer } from '@portico/testkit/federation-peer.ts';
import { startTestNetwork } from '@portico/testkit/network.ts';
import { createPeerRoom } from '@portico/testkit/peer-room.ts';
import { contentOf, must, pathOf, refusal } from '@portico/testkit/people.ts';
import { pending, setState } from './memberships.ts';
import { errcodeOf, joinAs, openWithPeer, send, sign } from './peer.ts';

const mallory = '@mallory:peer.test';

/** Ways in which an event is not its sender's: nobody has signed it, or somebody who is not known for it. */
function unproved(pdu: JsonObject, peer: FederationPeer, version = '10'): readonly JsonObject[] {
  const rules = findRoomVersion(version);
  assert.ok(rules);
  const other = signingKeyFromSeed(peer.key.keyId, randomBytes(32));
  const { signatures: _, ...unsigned } = pdu as { readonly [key: string]: JsonObject };
  return [
    { ...pdu, signatures: {} },
    hashAndSignEvent(rules, unsigned, peer.serverName, other),
    hashAndSignEvent(rules, unsigned, 'other.test', peer.key),
  ];
}

/** The same event for those who look at its hash: what has been changed is not kept by a redaction. */
const changed = (pdu: JsonObject, content: JsonObject): JsonObject => ({
  ...pdu,
  content: { ...(pdu['content'] as JsonObject), ...content },
});

test('a membership of one’s own counts redacted if it is not as hashed, and not at all without a signature', async (context) => {
  const { peer, alice, roomId, path } = await openWithPeer(context);
  for (const [membership, version] of [
    ['join', 'v2'],
    ['leave', 'v2'],
    ['knock', 'v1'],
  ] as const) {
    if (membership === 'knock') await setState(alice, roomId, 'm.room.join_rules', { join_rule: 'knock' });
    const make = `/_matrix/federation/v1/make_${membership}/${path}/${encodeURIComponent(mallory)}?ver=10`;
    const { body: template } = await peer.send('hs1', 'GET', make);
    assert.ok(isJsonObject(template) && isJsonObject(template['event']));
    const content = { membership, reason: 'as hashed' };
    const { pdu, eventId } = sign(peer, { ...template['event'], content });
    const uri = `/_matrix/federation/${version}/send_${membership}/${path}/${encodeURIComponent(eventId)}`;
    for (const each of unproved(pdu, peer)) {
      const { status, body } = await peer.send('hs1', 'PUT', uri, { content: each });
      assert.equal(`${status} ${errcodeOf(body)}`, '400 M_INVALID_PARAM', membership);
    }
    const { status } = await peer.send('hs1', 'PUT', uri, { content: changed(pdu, { reason: 'as changed' }) });
    assert.equal(status, 200, membership);
    const member = await must(alice.get(pathOf(roomId, `state/m.room.member/${encodeURIComponent(mallory)}`)));
    assert.deepEqual({ ...member }, { membership });
  }
});

test('an event that is sent, or fetched since others follow it, is checked', async (context) => {
  const { peer, alice, roomId, path } = await openWithPeer(context);
  const { template, eventId: joined, depth } = await joinAs(peer, path, mallory);
  const [create, powerLevels] = template['auth_events'] as string[];
  const state = (await must(alice.get(pathOf(roomId, 'state')))) as unknown as {
    type: string;
    state_key: string;
    event_id: string;
  }[];
  const ofAlice = state.find((each) => each.type === 'm.room.member' && each.state_key === alice.userId)?.event_id;
  assert.ok(create && powerLevels && ofAlice);
  const message = (sender: string, previous: string, place: number) =>
    sign(peer, {
      type: 'm.room.message',
      room_id: roomId,
      sender,
      content: { body: 'as hashed' },
      depth: depth + place,
      origin_server_ts: Date.now(),
      prev_events: [previous],
      auth_events: [create, powerLevels, sender === mallory ? joined : ofAlice],
    });
  const own = message(mallory, joined, 1);
  const forged = message(alice.userId, joined, 1);
  for (const pdu of [...unproved(own.pdu, peer), forged.pdu]) {
    await send(peer, [pdu]);
    for (const { eventId } of [own, forged]) assert.equal(await contentOf(alice, roomId, eventId), undefined);
  }
  await send(peer, [changed(own.pdu, { body: 'as changed' })]);
  assert.deepEqual(await contentOf(alice, roomId, own.eventId), {});

  const missing = message(mallory, own.eventId, 2);
  const next = message(mallory, missing.eventId, 3);
  peer.on('POST', '/_matrix/federation/v1/get_missing_events', () => ({
    body: { events: [changed(missing.pdu, { body: 'as changed' })] },
  }));
  await send(peer, [next.pdu]);
  assert.deepEqual(await contentOf(alice, roomId, missing.eventId), {});

  const missingForged = message(alice.userId, next.eventId, 4);
  const last = message(mallory, missingForged.eventId, 5);
  peer.on('POST', '/_matrix/federation/v1/get_missing_events', () => ({ body: { events: [missingForged.pdu] } }));
  await send(peer, [last.pdu]);
  for (const { eventId } of [missingForged, last]) assert.equal(await contentOf(alice, roomId, eventId), undefined);
});

test('the state of a room that is joined, and the join as it comes back, are checked', async (context) => {
  const network = await startTestNetwork(['hs1']);
  context.after(() => network.close());
  const peer = await openPeer(context, network, 'peer.test');
  const alice = await network.server('hs1').registerUser('alice');
  const room = createPeerRoom(peer, { version: '11' });
  const { roomId, founder } = room;
  room.add({ type: 'm.room.name', stateKey: '', sender: founder, content: { name: 'as hashed' } });
  room.add({ type: 'm.room.topic', stateKey: '', sender: founder, content: { topic: 'unsigned' } });
  const unsignedText = (text: string) => {
    const pdu = parseJson(text, 'lenient') as JsonObject;
    return JSON.stringify({ ...pdu, signatures: {} });
  };
  const state = () =>
    [...room.state.values()].map(({ pdu }) =>
      pdu.includes('m.room.topic') ? unsignedText(pdu) : pdu.replace('"as hashed"', '"as changed"'),
    );
  const enter = () => alice.post(`/_matrix/client/v3/join/${encodeURIComponent(roomId)}?via=peer.test`, {});
  room.serve((event) => room.joinAnswer(unsignedText(event), { state: state(), authChain: state() }));
  assert.equal(await refusal(enter()), '502 M_UNKNOWN', 'the join is not signed');
  room.serve((event) => {
    const join = parseJson(event, 'lenient') as JsonObject;
    const text = JSON.stringify(changed(join, { displayname: 'as changed' }));
    return room.joinAnswer(text, { state: state(), authChain: state() });
  });
  await must(enter());
  assert.deepEqual({ ...(await must(alice.get(pathOf(roomId, 'state/m.room.name/')))) }, {});
  assert.equal(await refusal(alice.get(pathOf(roomId, 'state/m.room.topic/'))), '404 M_NOT_FOUND');
  const ofAlice = pathOf(roomId, `state/m.room.member/${encodeURIComponent(alice.userId)}`);
  assert.deepEqual({ ...(await must(alice.get(ofAlice))) }, { membership: 'join' });
});

test('an invitation is checked, and so is one that the invited person’s server has signed', async (context) => {
  const { peer, alice, roomId } = await openWithPeer(context);
  const room = createPeerRoom(peer, { version: '11' });
  const made = room.make({
    type: 'm.room.member',
    stateKey: alice.userId,
    sender: room.founder,
    content: { membership: 'invite', reason: 'as hashed' },
  });
  const event = parseJson(made.pdu, 'lenient') as JsonObject;
  const uri = `/_matrix/federation/v2/invite/${encodeURIComponent(room.roomId)}/${encodeURIComponent(made.eventId)}`;
  const invite = (pdu: JsonObject) =>
    peer.send('hs1', 'PUT', uri, { content: { event: pdu, room_version: '11', invite_room_state: [] } });
  for (const each of unproved(event, peer, '11')) {
    const { status, body } = await invite(each);
    assert.equal(`${status} ${errcodeOf(body)}`, '400 M_INVALID_PARAM');
  }
  assert.equal((await invite(changed(event, { reason: 'as changed' }))).status, 200);
  const shown = await pending(alice, 'invite', room.roomId);
  assert.deepEqual({ ...shown?.at(-1)?.content }, { membership: 'invite' });

  let answer = (pdu: JsonObject): JsonObject => ({ ...pdu, signatures: {} });
  peer.on('PUT', '/_matrix/federation/v2/invite/', ({ body }) => ({
    body: { event: answer((parseJson(body, 'lenient') as JsonObject)['event'] as JsonObject) },
  }));
  const inviteOut = () => alice.post(pathOf(roomId, 'invite'), { user_id: mallory, reason: 'as hashed' });
  assert.equal(await refusal(inviteOut()), '502 M_UNKNOWN', 'without this server’s signature');
  answer = (pdu) => changed(pdu, { reason: 'as changed' });
  await must(inviteOut());
  const member = await must(alice.get(pathOf(roomId, `state/m.room.member/${encodeURIComponent(mallory)}`)));
  assert.deepEqual({ ...member }, { membership: 'invite' });
});
