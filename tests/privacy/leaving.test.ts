import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { policyKeyId, signingKeyFromSeed } from '@portico/protocol';
import type { PeerAnswer } from '@portico/testkit/federation-peer.ts';
import { startTestNetwork } from '@portico/testkit/network.ts';
import { createRoom, join, must, pathOf, refusal } from '@portico/testkit/people.ts';
import { startTestServer } from '@portico/testkit/server.ts';
import type { TestClient } from '@portico/testkit/test-client.ts';
import { until } from '@portico/testkit/until.ts';
import { joinAs, openWithPeer } from '../federation/peer.ts';
import { erase } from './erase.ts';

const v3 = '/_matrix/client/v3';
const auth = { type: 'm.login.password', password: 'a password' };
const gone = { membership: 'leave', 'org.matrix.msc3759.deactivated': true };

const member = async (by: TestClient, roomId: string, of: TestClient) =>
  (await by.get(pathOf(roomId, `state/m.room.member/${of.userId}`))).body;

describe('leaving for good, across servers', async () => {
  const network = await startTestNetwork(['hs1', 'hs2']);
  after(() => network.close());

  test('rooms are left, invitations rejected and knocks withdrawn wherever they are', async () => {
    const alice = await network.server('hs1').registerUser();
    const bob = await network.server('hs2').registerUser();
    await alice.put(`${v3}/profile/${alice.userId}/displayname`, { displayname: 'Alice' });
    const joined = await createRoom(bob);
    await join(alice, joined, 'hs2');
    const invited = await createRoom(bob, { preset: 'private_chat', invite: [alice.userId] });
    const rules = { type: 'm.room.join_rules', content: { join_rule: 'knock' } };
    const knocked = await createRoom(bob, { preset: 'private_chat', initial_state: [rules] });
    await must(alice.post(`${v3}/knock/${encodeURIComponent(knocked)}?via=hs2`, {}));
    await until(async () => (await member(bob, knocked, alice))['membership'] === 'knock', 'bob sees the knock');
    await must(alice.post(`${v3}/account/deactivate`, { auth }));
    for (const roomId of [joined, invited, knocked]) {
      await until(async () => (await member(bob, roomId, alice))['membership'] === 'leave', 'she has left');
      assert.deepEqual(await member(bob, roomId, alice), gone);
    }
  });

  test('who is on the way into a room when the account ends leaves it again', async () => {
    const [alice, bob] = [await network.server('hs1').registerUser(), await network.server('hs2').registerUser()];
    const rooms = [await createRoom(bob), await createRoom(bob), await createRoom(bob)];
    const joins = rooms.map((roomId) => alice.post(`${v3}/join/${encodeURIComponent(roomId)}?via=hs2`, {}));
    await must(alice.post(`${v3}/account/deactivate`, { auth }));
    await Promise.all(joins);
    for (const roomId of rooms) {
      await until(async () => (await member(bob, roomId, alice))['membership'] !== 'join', 'she is not in it');
    }
  });

  test('who says that they are gone is forgotten where no room is shared; who is said to be is not', async () => {
    const [alice, dora] = [await network.server('hs1').registerUser(), await network.server('hs1').registerUser()];
    const bob = await network.server('hs2').registerUser();
    const nameOf = async (of: TestClient) => (await bob.get(`${v3}/profile/${of.userId}`)).body['displayname'];
    const setName = (of: TestClient, displayname: string) =>
      must(of.put(`${v3}/profile/${of.userId}/displayname`, { displayname }));
    const memberPath = (of: TestClient, roomId: string) => pathOf(roomId, `state/m.room.member/${of.userId}`);
    const [first, second] = [await createRoom(bob), await createRoom(bob)];
    const joins = [
      [alice, first],
      [alice, second],
      [dora, first],
    ] as const;
    for (const [who, roomId] of joins) {
      await setName(who, 'One');
      await join(who, roomId, 'hs2');
    }
    for (const who of [alice, dora]) {
      assert.equal(await nameOf(who), 'One');
      await setName(who, 'Two');
      assert.equal(await nameOf(who), 'One', 'it is remembered for a moment');
    }
    // What happens to a membership while the new name is on its way to it would be another branch of the room.
    for (const [who, roomId] of joins) {
      await until(async () => (await member(bob, roomId, who))['displayname'] === 'Two', 'the new name has come');
    }
    // A kick that claims it, and a leave that says it while there still is a room that is shared.
    await must(bob.put(memberPath(alice, first), gone));
    await until(async () => (await member(alice, first, alice))['membership'] === 'leave', 'she knows');
    await join(alice, first, 'hs2');
    await until(async () => (await member(bob, first, alice))['membership'] === 'join', 'she is back');
    await must(alice.put(memberPath(alice, first), gone));
    await until(async () => (await member(bob, first, alice))['membership'] === 'leave', 'she has left');
    await must(dora.put(memberPath(dora, first), gone));
    await until(async () => (await nameOf(dora)) === 'Two', 'Dora is forgotten');
    assert.equal(await nameOf(alice), 'One');
    await must(alice.put(memberPath(alice, second), gone));
    await until(async () => (await nameOf(alice)) === 'Two', 'Alice is forgotten');
  });

  test('a server that was not there when something was said gets it redacted, if the sender is erased', async () => {
    const [alice, carol] = [await network.server('hs1').registerUser(), await network.server('hs1').registerUser()];
    const bob = await network.server('hs2').registerUser();
    const roomId = await createRoom(carol);
    await must(alice.put(`${v3}/profile/${alice.userId}/displayname`, { displayname: 'Alice Secret' }));
    await must(carol.post(pathOf(roomId, 'invite'), { user_id: alice.userId }));
    await must(alice.post(pathOf(roomId, 'join'), {}));
    const sent = await alice.put(pathOf(roomId, 'send/m.room.message/1'), { msgtype: 'm.text', body: 'a secret' });
    await must(carol.put(pathOf(roomId, 'send/m.room.message/2'), { msgtype: 'm.text', body: 'no secret' }));
    await erase(network.server('hs1'), alice);
    await join(bob, roomId, 'hs1');
    type Event = { event_id: string; content: { body?: string } };
    const bodies = new Map<string, string | undefined>();
    for (let from = ''; ;) {
      const { body } = await bob.get(pathOf(roomId, `messages?dir=b&limit=50${from}`));
      for (const event of body['chunk'] as Event[]) bodies.set(event.event_id, event.content.body);
      if (typeof body['end'] !== 'string') break;
      from = `&from=${body['end']}`;
    }
    const eventId = String(sent.body['event_id']);
    assert.ok([...bodies.values()].includes('no secret'), 'the history was fetched');
    assert.ok(bodies.has(eventId), 'the event is part of it');
    assert.equal(bodies.get(eventId), undefined);
    // Nor does what proves that she was in the room say more of her than that.
    const lazy = encodeURIComponent('{"lazy_load_members":true}');
    for (const way of [`messages?dir=b&limit=50&filter=${lazy}`, 'state', 'members', 'initialSync']) {
      assert.doesNotMatch(JSON.stringify((await bob.get(pathOf(roomId, way))).body), /Alice Secret/, way);
    }
    assert.deepEqual(await member(bob, roomId, alice), gone);
    const own = await carol.get(pathOf(roomId, `event/${encodeURIComponent(eventId)}`));
    assert.equal((own.body['content'] as Event['content']).body, 'a secret');
  });
});

test('a server that was out of reach is told later that its invitation is declined, and that nobody knocks', async (context) => {
  const network = await startTestNetwork(['hs1', 'hs2']);
  context.after(() => network.close());
  const [alice, bob] = [await network.server('hs1').registerUser(), await network.server('hs2').registerUser()];
  const invited = await createRoom(bob, { preset: 'private_chat', invite: [alice.userId] });
  const rules = { type: 'm.room.join_rules', content: { join_rule: 'knock' } };
  const knocked = await createRoom(bob, { preset: 'private_chat', initial_state: [rules] });
  await must(alice.post(`${v3}/knock/${encodeURIComponent(knocked)}?via=hs2`, {}));
  await until(async () => (await member(bob, knocked, alice))['membership'] === 'knock', 'bob sees the knock');
  network.cut('hs1', 'hs2');
  // That is the end of it on her own server, which waits for nobody.
  await erase(network.server('hs1'), alice);
  // And what is still to be said outlives it.
  await network.stop('hs1');
  network.heal('hs1', 'hs2');
  await network.start('hs1');
  for (const roomId of [invited, knocked]) {
    await until(async () => (await member(bob, roomId, alice))['membership'] === 'leave', 'her server has said so');
    assert.deepEqual(await member(bob, roomId, alice), gone);
  }
});

test('nobody is held in a room by its policy server, and a silent one delays no erasure', async (context) => {
  const { peer, server, alice: owner, roomId, path } = await openWithPeer(context);
  const [dora, erin] = [await server.registerUser(), await server.registerUser()];
  await must(erin.put(`${v3}/profile/${erin.userId}/displayname`, { displayname: 'Erin' }));
  for (const who of [dora, erin]) await join(who, roomId);
  await joinAs(peer, path, '@policy:peer.test');
  const key = signingKeyFromSeed(policyKeyId, new Uint8Array(32).fill(7));
  let answer: PeerAnswer = { status: 400, body: { errcode: 'M_FORBIDDEN', error: 'Stay' } };
  peer.on('POST', '/_matrix/policy/v1/sign', () => answer);
  await must(
    owner.put(pathOf(roomId, 'state/m.room.policy/'), { via: 'peer.test', public_keys: { ed25519: key.publicKey } }),
  );
  assert.equal(await refusal(dora.post(pathOf(roomId, 'leave'), {})), '403 M_FORBIDDEN');
  await must(dora.post(`${v3}/account/deactivate`, { auth }));
  await until(async () => (await member(owner, roomId, dora))['membership'] === 'leave', 'she has left');
  assert.deepEqual(await member(owner, roomId, dora), gone);
  answer = { status: 503, body: {} };
  await erase(server, erin);
});

test('leaves carry the stable marker, too, where that is configured', async (context) => {
  const server = await startTestServer({ settings: { PRIVACY_DEACTIVATION_MARKER: 'both' } });
  context.after(() => server.close());
  const [alice, bob] = [await server.registerUser(), await server.registerUser()];
  const roomId = await createRoom(bob);
  await must(alice.post(pathOf(roomId, 'join'), {}));
  await must(alice.post(`${v3}/account/deactivate`, { auth }));
  await until(async () => (await member(bob, roomId, alice))['membership'] === 'leave', 'she has left');
  assert.deepEqual(await member(bob, roomId, alice), { ...gone, 'm.deactivated': true });
});
