import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { test, type TestContext } from 'node:test';
import { isJsonObject, type JsonObject, signingKeyFromSeed, signJson } from '@portico/protocol';
import { openPeer, type PeerAnswer } from '@portico/testkit/federation-peer.ts';
import { startTestNetwork } from '@portico/testkit/network.ts';
import { createRoom, must, pathOf, refusal } from '@portico/testkit/people.ts';
import { registerAdmin } from '@portico/testkit/register-admin.ts';
import { until } from '@portico/testkit/until.ts';
import { membershipOf, pending } from './memberships.ts';

/** Alice has invited an email address, of which an identity server says that it is Bob's. */
async function open(context: TestContext) {
  const network = await startTestNetwork(['hs1', 'hs2']);
  context.after(() => network.close());
  const peer = await openPeer(context, network, 'identity.test');
  const [alice, bob, carol] = await Promise.all([
    network.server('hs1').registerUser('alice'),
    network.server('hs2').registerUser('bob'),
    network.server('hs1').registerUser('carol'),
  ]);
  const identity = signingKeyFromSeed('ed25519:0', randomBytes(32));
  const roomId = await createRoom(alice, { preset: 'private_chat' });
  const validityUrl = 'https://identity.test:8448/isvalid?of=bob';
  const invited = { display_name: 'b...@example.org', public_key: identity.publicKey, key_validity_url: validityUrl };
  peer.on('GET', '/isvalid', () => ({ body: { valid: true } }));
  await must(alice.put(pathOf(roomId, 'state/m.room.third_party_invite/token'), invited));
  const sign = (mxid: string, key = identity, more: JsonObject = {}) =>
    signJson({ mxid, token: 'token', ...more }, 'identity.test', key);
  async function bind(server: string, mxid: string, over: JsonObject = {}, method: 'PUT' | 'POST' = 'PUT') {
    const invite = { mxid, room_id: roomId, sender: alice.userId, signed: sign(mxid), ...over };
    const content = { medium: 'email', address: 'bob@example.org', mxid, invites: [invite] };
    const { status, body } = await peer.send(server, method, '/_matrix/federation/v1/3pid/onbind', { content });
    return `${status} ${isJsonObject(body) && typeof body['errcode'] === 'string' ? body['errcode'] : ''}`.trim();
  }
  return { network, peer, alice, bob, carol, roomId, identity, sign, bind };
}

test('who turns out to have an invited address is invited, here and elsewhere', async (context) => {
  const { network, alice, bob, carol, roomId, bind } = await open(context);
  assert.equal(await bind('hs2', bob.userId), '200');
  await until(() => pending(bob, 'invite', roomId), 'he is invited');
  const member = await must(alice.get(pathOf(roomId, `state/m.room.member/${encodeURIComponent(bob.userId)}`)));
  assert.deepEqual(Object.keys(member['third_party_invite'] as object).toSorted(), ['display_name', 'signed']);
  await must(bob.post(`/_matrix/client/v3/join/${encodeURIComponent(roomId)}?via=hs1`, {}));
  // As identity servers in use do.
  assert.equal(await bind('hs1', carol.userId, {}, 'POST'), '200');
  await until(() => pending(carol, 'invite', roomId), 'she is invited');
  for (const name of ['hs1', 'hs2']) assert.deepEqual(network.server(name).errors, []);
});

test('only what the identity server has signed for a person invites them', async (context) => {
  const { network, peer, alice, bob, carol, roomId, sign, bind } = await open(context);
  const other = signingKeyFromSeed('ed25519:0', randomBytes(32));
  assert.equal(await bind('hs2', bob.userId, { signed: sign(bob.userId, other) }), '200');
  assert.equal(await bind('hs2', bob.userId, { signed: sign('@other:hs2') }), '200');
  for (const method of ['PUT', 'POST'] as const) {
    await bind('hs1', carol.userId, { signed: sign(carol.userId, other) }, method);
    assert.equal(await pending(carol, 'invite', roomId), undefined);
  }
  assert.equal(
    await refusal(carol.post(`/_matrix/client/v3/join/${encodeURIComponent(roomId)}`, {})),
    '403 M_FORBIDDEN',
  );
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
  assert.equal(await exchange({ type: 'm.room.topic' }), '400 M_INVALID_PARAM');
  assert.equal(await membershipOf(alice, roomId, bob.userId), undefined);
  const dora = '@dora:identity.test';
  // Who is invited signs the invitation; each of the others is one thing away from this one.
  peer.on('PUT', '/_matrix/federation/v2/invite/', ({ body }) => ({ body: { event: JSON.parse(body).event } }));
  const forDora = (over: JsonObject = {}, signed: JsonObject = sign(dora)) =>
    exchange({
      state_key: dora,
      content: { membership: 'invite', third_party_invite: { display_name: '', signed } },
      ...over,
    });
  assert.equal(await forDora({ sender: carol.userId }), '403 M_FORBIDDEN', 'who did not invite the address');
  assert.equal(await forDora({ sender: bob.userId }), '403 M_FORBIDDEN', 'somebody of another server');
  assert.equal(await forDora({ state_key: '@eve:identity.test' }), '400 M_INVALID_PARAM', 'for somebody else');
  const asJoin = { membership: 'join', third_party_invite: { display_name: '', signed: sign(dora) } };
  assert.equal(await forDora({ content: asJoin }), '400 M_INVALID_PARAM', 'for something else');
  assert.equal(await forDora({ type: 'm.room.topic' }), '400 M_INVALID_PARAM', 'for another event');
  assert.equal(await forDora({ room_id: await createRoom(alice) }), '400 M_INVALID_PARAM', 'to another room');
  assert.equal(await forDora({}, sign(dora, other)), '403 M_FORBIDDEN', 'signed by somebody else');
  assert.equal(await membershipOf(alice, roomId, dora), undefined);
  assert.match(await forDora(), /^200/);
  assert.equal(await membershipOf(alice, roomId, dora), 'invite');
  for (const name of ['hs1', 'hs2']) assert.deepEqual(network.server(name).errors, []);
});

test('who shows that an invited address is theirs joins by that, here and elsewhere', async (context) => {
  const { network, alice, bob, carol, roomId, sign } = await open(context);
  const join = (client: typeof bob, signed: object | undefined, way = 'rooms') => {
    const room = encodeURIComponent(roomId);
    const path = way === 'rooms' ? `rooms/${room}/join` : `join/${room}?via=hs1`;
    return client.post(`/_matrix/client/v3/${path}`, signed === undefined ? {} : { third_party_signed: signed });
  };
  const other = signingKeyFromSeed('ed25519:0', randomBytes(32));
  const signed = (mxid: string, key?: typeof other) => sign(mxid, key, { sender: alice.userId });
  for (const [client, way] of [
    [carol, 'rooms'],
    [bob, 'join'],
  ] as const) {
    assert.equal(await refusal(join(client, undefined, way)), '403 M_FORBIDDEN');
    const somebody = '@somebody:hs1';
    assert.equal(await refusal(join(client, signed(somebody), way)), '403 M_FORBIDDEN', 'for somebody else');
    assert.equal(await membershipOf(alice, roomId, somebody), undefined);
    assert.equal(await refusal(join(client, signed(client.userId, other), way)), '403 M_FORBIDDEN', 'by somebody else');
    const forged = sign(client.userId, undefined, { sender: client.userId });
    assert.match(await refusal(join(client, forged, way)), /^40[34] /, 'invited by somebody else');
    await must(join(client, signed(client.userId), way));
    assert.equal(await membershipOf(alice, roomId, client.userId), 'join');
  }
  for (const name of ['hs1', 'hs2']) assert.deepEqual(network.server(name).errors, []);
});

test('a key invites nobody once it has been revoked, or while nobody says that it is valid', async (context) => {
  const { network, peer, alice, bob, carol, roomId, identity, sign, bind } = await open(context);
  const signed = (mxid: string) => sign(mxid, undefined, { sender: alice.userId });
  const join = (client: typeof bob) =>
    refusal(
      client.post(`/_matrix/client/v3/join/${encodeURIComponent(roomId)}?via=hs1`, {
        third_party_signed: signed(client.userId),
      }),
    );
  const asked: string[] = [];
  const answerWith = (answer: PeerAnswer) =>
    peer.on('GET', '/isvalid', ({ url }) => {
      asked.push(url);
      return answer;
    });
  const unhelpful = ['no JSON', { valid: 'true' }, {}, []];
  for (const body of [{ valid: false }, ...unhelpful]) {
    answerWith({ body });
    assert.equal(await bind('hs1', carol.userId), '200');
    assert.equal(await bind('hs2', bob.userId), '200');
    assert.equal(await join(carol), '403 M_FORBIDDEN');
  }
  answerWith({ status: 500, body: { valid: true } });
  assert.equal(await join(carol), '502 M_UNKNOWN');
  assert.equal(await join(bob), '403 M_FORBIDDEN', 'by way of the server of who invited him');
  for (const { userId } of [bob, carol]) assert.equal(await membershipOf(alice, roomId, userId), undefined);
  const wanted = `/isvalid?of=bob&public_key=${encodeURIComponent(identity.publicKey)}`;
  assert.deepEqual([...new Set(asked)], [wanted]);
  answerWith({ body: { valid: true } });
  for (const { userId } of [bob, carol]) await bind(userId.endsWith(':hs1') ? 'hs1' : 'hs2', userId);
  for (const client of [bob, carol]) await until(() => pending(client, 'invite', roomId), 'they are invited');
  for (const name of ['hs1', 'hs2']) assert.deepEqual(network.server(name).errors, []);
});

test('a key is asked about where the invitation says, and one of which it says nothing is valid', async (context) => {
  const { peer, alice, bob, carol, roomId, identity, sign, bind } = await open(context);
  const ephemeral = signingKeyFromSeed('ed25519:ephemeral', randomBytes(32));
  const elsewhere = 'https://identity.test:8448/ephemeral';
  const keys = [identity, ephemeral].map(({ publicKey }) => ({ public_key: publicKey }));
  const offer = async (url?: string) => {
    const content = {
      display_name: 'b...',
      public_keys: keys.map((key) => (url === undefined ? key : { ...key, key_validity_url: url })),
    };
    await must(alice.put(pathOf(roomId, 'state/m.room.third_party_invite/token'), content));
  };
  await offer();
  assert.equal(await bind('hs1', carol.userId), '200');
  await until(() => pending(carol, 'invite', roomId), 'she is invited');
  await offer(elsewhere);
  peer.on('GET', '/ephemeral', () => ({ body: { valid: true } }));
  const before = peer.requests.length;
  assert.equal(await bind('hs2', bob.userId, { signed: sign(bob.userId, ephemeral) }), '200');
  await until(() => pending(bob, 'invite', roomId), 'he is invited');
  const asked = peer.requests.slice(before).filter((request) => request.startsWith('GET /ephemeral'));
  assert.deepEqual(asked, [`GET /ephemeral?public_key=${encodeURIComponent(ephemeral.publicKey)}`]);
});

test('nobody is invited by that who blocks the person who invited the address', async (context) => {
  const { network, alice, bob, carol, roomId, bind } = await open(context);
  const type = 'm.invite_permission_config';
  for (const client of [bob, carol]) {
    const path = `/_matrix/client/v3/user/${encodeURIComponent(client.userId)}/account_data/${type}`;
    await must(client.put(path, { blocked_users: [alice.userId] }));
  }
  assert.equal(await bind('hs1', carol.userId), '200');
  assert.equal(await bind('hs2', bob.userId), '200');
  for (const { userId } of [bob, carol]) assert.equal(await membershipOf(alice, roomId, userId), undefined);
  for (const name of ['hs1', 'hs2']) assert.deepEqual(network.server(name).errors, []);
});

test('nobody is invited by that into a room that is blocked', async (context) => {
  const { network, alice, carol, roomId, sign, bind } = await open(context);
  const admin = await registerAdmin(network.server('hs1'), 'admin');
  await must(admin.put(`/_synapse/admin/v1/rooms/${encodeURIComponent(roomId)}/block`, { block: true }));
  const signed = sign(carol.userId, undefined, { sender: alice.userId });
  const join = carol.post(pathOf(roomId, 'join'), { third_party_signed: signed });
  assert.equal(await refusal(join), '403 M_FORBIDDEN');
  assert.equal(await bind('hs1', carol.userId), '200');
  assert.equal(await membershipOf(alice, roomId, carol.userId), undefined);
  for (const name of ['hs1', 'hs2']) assert.deepEqual(network.server(name).errors, []);
});

test('an address is invited by way of an identity server, which is asked for its folded form', async (context) => {
  const { network, peer, alice, carol, roomId } = await open(context);
  const stored: JsonObject[] = [];
  const known = createHash('sha256').update('carol@example.org email pepper').digest('base64url');
  peer.on('GET', '/_matrix/identity/v2/hash_details', ({ headers }) => {
    assert.equal(headers.authorization, 'Bearer secret');
    return { body: { lookup_pepper: 'pepper', algorithms: ['none', 'sha256'] } };
  });
  peer.on('POST', '/_matrix/identity/v2/lookup', ({ body }) => {
    const { addresses } = JSON.parse(body) as { addresses: string[] };
    return { body: { mappings: addresses[0] === known ? { [known]: carol.userId } : {} } };
  });
  peer.on('POST', '/_matrix/identity/v2/store-invite', ({ body }) => {
    stored.push(JSON.parse(body) as JsonObject);
    const keys = [{ public_key: 'AAAA', key_validity_url: 'https://identity.test/pubkey/isvalid' }];
    return { body: { token: 'another', display_name: 'd...', public_keys: keys } };
  });
  const invite = (address: string, over: object = {}) =>
    alice.post(pathOf(roomId, 'invite'), {
      id_server: 'identity.test:8448',
      id_access_token: 'secret',
      medium: 'email',
      address,
      ...over,
    });
  await must(invite('Carol@Example.org'));
  assert.equal(await membershipOf(alice, roomId, carol.userId), 'invite');
  await must(invite('DORA@STRASSE.example'));
  assert.deepEqual(stored, [
    { medium: 'email', address: 'dora@strasse.example', room_id: roomId, sender: alice.userId },
  ]);
  const kept = await must(alice.get(pathOf(roomId, 'state/m.room.third_party_invite/another')));
  assert.deepEqual([kept['display_name'], kept['public_key']], ['d...', 'AAAA']);
  const by = { id_server: 'identity.test:8448', id_access_token: 'secret', medium: 'email' };
  const addresses = ['carol@example.org', 'dora@strasse.example'].map((address) => ({ ...by, address }));
  const another = await createRoom(alice, { preset: 'private_chat', invite_3pid: addresses });
  assert.equal(await membershipOf(alice, another, carol.userId), 'invite');
  await must(alice.get(pathOf(another, 'state/m.room.third_party_invite/another')));
  const lost = { ...by, id_server: 'nowhere.test', address: 'a@b.c' };
  const partly = alice.post('/_matrix/client/v3/createRoom', { invite_3pid: [lost, ...addresses] });
  assert.equal(await refusal(partly), '502 M_UNKNOWN');
  assert.equal(stored.length, 3, 'the others were invited all the same');
  const blocked = `/_matrix/client/v3/user/${encodeURIComponent(carol.userId)}/account_data/m.invite_permission_config`;
  await must(carol.put(blocked, { blocked_users: [alice.userId] }));
  const refused = { invite: [carol.userId], invite_3pid: addresses };
  assert.equal(await refusal(alice.post('/_matrix/client/v3/createRoom', refused)), '403 M_INVITE_BLOCKED');
  assert.equal(stored.length, 4, 'an address is invited where a person is not');
  const tooMany = Array.from({ length: 21 }, () => lost);
  assert.equal(
    await refusal(alice.post('/_matrix/client/v3/createRoom', { invite_3pid: tooMany })),
    '400 M_INVALID_PARAM',
  );
  assert.equal(await refusal(invite('a@b.c', { id_server: 'nowhere.test' })), '502 M_UNKNOWN');
  assert.equal(await refusal(invite('a@b.c', { id_server: 'no name' })), '400 M_INVALID_PARAM');
  assert.equal(await refusal(invite('a@b.c', { medium: undefined })), '400 M_MISSING_PARAM');
  assert.equal(await refusal(carol.post(pathOf(roomId, 'invite'), {})), '400 M_MISSING_PARAM');
  const asked = peer.requests.length;
  const outside = { id_server: 'identity.test:8448', id_access_token: 'secret', medium: 'email', address: 'a@b.c' };
  assert.equal(await refusal(carol.post(pathOf(roomId, 'invite'), outside)), '403 M_FORBIDDEN');
  await must(carol.post(pathOf(roomId, 'join'), {}));
  const levels = await must(alice.get(pathOf(roomId, 'state/m.room.power_levels')));
  await must(alice.put(pathOf(roomId, 'state/m.room.power_levels'), { ...levels, invite: 50 }));
  assert.equal(await refusal(carol.post(pathOf(roomId, 'invite'), outside)), '403 M_FORBIDDEN', 'without the power');
  assert.equal(peer.requests.length, asked, 'the identity server hears nothing of it');
  assert.deepEqual(network.server('hs1').errors, []);
});

test('anybody can tell of a bound address, and nobody all the time', async (context) => {
  const start = Date.now();
  // No time passes, however slow the machine is.
  const settings = { RATE_LIMITS_ENABLED: 'true' };
  const network = await startTestNetwork(['hs1'], { settings, now: () => start });
  context.after(() => network.close());
  const peer = await openPeer(context, network, 'identity.test');
  const content = { medium: 'email', address: 'a@b.c', mxid: '@nobody:hs1', invites: [] };
  const statuses: number[] = [];
  while (statuses.at(-1) !== 429 && statuses.length < 50) {
    statuses.push((await peer.send('hs1', 'PUT', '/_matrix/federation/v1/3pid/onbind', { content })).status);
  }
  assert.equal(statuses[0], 404);
  assert.equal(statuses.at(-1), 429);
});
