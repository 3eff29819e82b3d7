import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test, type TestContext } from 'node:test';
import { isJsonObject, type JsonObject, signingKeyFromSeed, signJson } from '@portico/protocol';
import { startPeer } from '@portico/testkit/federation-peer.ts';
import { startTestNetwork } from '@portico/testkit/network.ts';
import { membershipOf, must, pathOf, pending } from './memberships.ts';
import { createRoom, until } from './people.ts';

/** Alice has invited an email address, of which an identity server says that it is Bob's. */
async function open(context: TestContext) {
  const network = await startTestNetwork(['hs1', 'hs2']);
  context.after(() => network.close());
  const peer = await startPeer(network, 'identity.test');
  context.after(() => peer.close());
  const [alice, bob, carol] = await Promise.all([
    network.server('hs1').registerUser('alice'),
    network.server('hs2').registerUser('bob'),
    network.server('hs1').registerUser('carol'),
  ]);
  const identity = signingKeyFromSeed('ed25519:0', randomBytes(32));
  const roomId = await createRoom(alice, { preset: 'private_chat' });
  const invited = { display_name: 'b...@example.org', public_key: identity.publicKey, key_validity_url: 'https://x/' };
  await must(alice.put(pathOf(roomId, 'state/m.room.third_party_invite/token'), invited));
  const sign = (mxid: string, key = identity) => signJson({ mxid, token: 'token' }, 'identity.test', key);
  async function bind(server: string, mxid: string, over: JsonObject = {}) {
    const invite = { mxid, room_id: roomId, sender: alice.userId, signed: sign(mxid), ...over };
    const content = { medium: 'email', address: 'bob@example.org', mxid, invites: [invite] };
    const { status, body } = await peer.send(server, 'PUT', '/_matrix/federation/v1/3pid/onbind', { content });
    return `${status} ${isJsonObject(body) && typeof body['errcode'] === 'string' ? body['errcode'] : ''}`.trim();
  }
  return { network, peer, alice, bob, carol, roomId, sign, bind };
}

test('who turns out to have an invited address is invited, here and elsewhere', async (context) => {
  const { network, alice, bob, carol, roomId, bind } = await open(context);
  assert.equal(await bind('hs2', bob.userId), '200');
  await until(() => pending(bob, 'invite', roomId), 'he is invited');
  const member = await must(alice.get(pathOf(roomId, `state/m.room.member/${encodeURIComponent(bob.userId)}`)));
  assert.deepEqual(Object.keys(member['third_party_invite'] as object).toSorted(), ['display_name', 'signed']);
  await must(bob.post(`/_matrix/client/v3/join/${encodeURIComponent(roomId)}?via=hs1`, {}));
  assert.equal(await bind('hs1', carol.userId), '200');
  await until(() => pending(carol, 'invite', roomId), 'she is invited');
  for (const name of ['hs1', 'hs2']) assert.deepEqual(network.server(name).errors, []);
});

test('only what the identity server has signed for a person invites them', async (context) => {
  const { network, peer, alice, bob, roomId, sign, bind } = await open(context);
  const other = signingKeyFromSeed('ed25519:0', randomBytes(32));
  assert.equal(await bind('hs2', bob.userId, { signed: sign(bob.userId, other) }), '200');
  assert.equal(await bind('hs2', bob.userId, { signed: sign('@other:hs2') }), '200');
  assert.equal(await bind('hs2', bob.userId, { sender: '@nobody:hs1' }), '200');
  assert.equal(await bind('hs2', '@nobody:hs2'), '404 M_NOT_FOUND');
  const content = { membership: 'invite', third_party_invite: { display_name: '', signed: sign(bob.userId) } };
  const wanted = { type: 'm.room.member', room_id: roomId, sender: alice.userId, state_key: bob.userId, content };
  const exchange = async (over: JsonObject) => {
    const uri = `/_matrix/federation/v1/exchange_third_party_invite/${encodeURIComponent(roomId)}`;
    const { status, body } = await peer.send('hs1', 'PUT', uri, { content: { ...wanted, ...over } });
    return `${status} ${isJsonObject(body) ? (body['errcode'] as string) : ''}`;
  };
  assert.equal(await exchange({}), '403 M_FORBIDDEN', 'of another server');
  assert.equal(await exchange({ room_id: '!other:hs1' }), '400 M_INVALID_PARAM');
  assert.equal(await exchange({ content: { membership: 'join' } }), '400 M_INVALID_PARAM');
  assert.equal(await exchange({ state_key: '@x:identity.test' }), '400 M_INVALID_PARAM');
  assert.equal(await membershipOf(alice, roomId, bob.userId), undefined);
  for (const name of ['hs1', 'hs2']) assert.deepEqual(network.server(name).errors, []);
});
