import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  eventIdOf,
  findRoomVersion,
  hashAndSignEvent,
  isJsonObject,
  type JsonObject,
  parseJson,
} from '@portico/protocol';
import { openPeer } from '@portico/testkit/federation-peer.ts';
import { createPeerRoom } from '@portico/testkit/peer-room.ts';
import { createRoom, pathOf } from '@portico/testkit/people.ts';
import { membershipOf, pending, setState } from './memberships.ts';
import { errcodeOf, openWithPeer, send, sign } from './peer.ts';

const mallory = '@mallory:peer.test';

test('a join, leave or knock is nothing else, of nobody else, and of no other room', async (context) => {
  const { network, peer, alice, roomId, path } = await openWithPeer(context);
  const third = await openPeer(context, network, 'third.test');
  const other = encodeURIComponent(await createRoom(alice, { room_version: '10' }));
  await setState(alice, roomId, 'm.room.join_rules', { join_rule: 'knock' });
  const doors = { join: 'v2/send_join', leave: 'v2/send_leave', knock: 'v1/send_knock' } as const;
  const put = async (door: string, room: string, eventId: string, pdu: JsonObject) => {
    const uri = `/_matrix/federation/${door}/${room}/${encodeURIComponent(eventId)}`;
    const { status, body } = await peer.send('hs1', 'PUT', uri, { content: pdu });
    return `${status} ${errcodeOf(body)}`;
  };
  /** As it would be taken, by the door that is meant for it. */
  async function make(membership: keyof typeof doors): Promise<JsonObject> {
    const uri = `/_matrix/federation/v1/make_${membership}/${path}/${encodeURIComponent(mallory)}?ver=10`;
    const { status, body } = await peer.send('hs1', 'GET', uri);
    assert.equal(status, 200, membership);
    assert.ok(isJsonObject(body) && isJsonObject(body['event']));
    return body['event'];
  }
  async function refuseAllBut(membership: keyof typeof doors): Promise<void> {
    const event = await make(membership);
    const { pdu, eventId } = sign(peer, event);
    for (const [wanted, door] of Object.entries(doors)) {
      if (wanted !== membership) assert.equal(await put(door, path, eventId, pdu), '400 M_INVALID_PARAM', door);
    }
    assert.equal(await put(doors[membership], other, eventId, pdu), '400 M_INVALID_PARAM', 'for another room');
    assert.equal(await put(doors[membership], path, '$other', pdu), '400 M_INVALID_PARAM', 'with another ID');
    for (const over of [
      { type: 'm.room.topic' },
      { state_key: '@other:peer.test' },
      { state_key: '' },
      { sender: '@mallory:other.test', state_key: '@mallory:other.test' },
    ]) {
      const changed = sign(peer, { ...event, ...over });
      const said = await put(doors[membership], path, changed.eventId, changed.pdu);
      assert.equal(said, '400 M_INVALID_PARAM', JSON.stringify(over));
    }
    const dora = '@dora:third.test';
    const signedElsewhere = sign(third, { ...event, sender: dora, state_key: dora });
    const said = await put(doors[membership], path, signedElsewhere.eventId, signedElsewhere.pdu);
    assert.equal(said, '400 M_INVALID_PARAM', 'of somebody of another server');
    assert.equal(await put(doors[membership], path, eventId, pdu), '200 ', membership);
    assert.equal(await membershipOf(alice, roomId, mallory), membership);
  }
  await refuseAllBut('knock');
  await setState(alice, roomId, 'm.room.join_rules', { join_rule: 'public' });
  await refuseAllBut('join');
  await refuseAllBut('leave');
  for (const door of Object.keys(doors)) {
    const uri = `/_matrix/federation/v1/make_${door}/${path}/${encodeURIComponent(alice.userId)}?ver=10`;
    assert.equal((await peer.send('hs1', 'GET', uri)).status, 403, `make_${door} of somebody of this server`);
  }
});

test('an invitation is of the room, event and sender’s server that its request says', async (context) => {
  const { network, server, peer, alice } = await openWithPeer(context);
  const third = await openPeer(context, network, 'third.test');
  const room = createPeerRoom(peer, { version: '11' });
  const rules = findRoomVersion('11');
  assert.ok(rules);
  const invitation = {
    type: 'm.room.member',
    stateKey: alice.userId,
    sender: room.founder,
    content: { membership: 'invite' },
  };
  const asGiven = (pdu: string) => parseJson(pdu, 'lenient') as JsonObject;
  const base = asGiven(room.make(invitation).pdu);
  const signed = (over: JsonObject, by = peer) => {
    const { signatures: _, hashes: __, ...event } = { ...base, ...over };
    return hashAndSignEvent(rules, event, by.serverName, by.key);
  };
  const invite = async (pdu: JsonObject, roomId = room.roomId, eventId = eventIdOf(rules, pdu)) => {
    const uri = `/_matrix/federation/v2/invite/${encodeURIComponent(roomId)}/${encodeURIComponent(eventId)}`;
    const content = { event: pdu, room_version: '11', invite_room_state: [] };
    const { status, body } = await peer.send('hs1', 'PUT', uri, { content });
    return { said: `${status} ${errcodeOf(body)}`, body };
  };
  const refused = '400 M_INVALID_PARAM';
  assert.equal((await invite(base, '!other:peer.test')).said, refused, 'for another room');
  assert.equal((await invite(base, room.roomId, '$other')).said, refused, 'with another ID');
  for (const over of [
    { type: 'm.room.topic' },
    { content: { membership: 'join' } },
    { content: { membership: 'leave' } },
    { content: {} },
    { sender: '@founder:other.test' },
    { state_key: '@somebody:other.test' },
    { state_key: 'alice' },
  ]) {
    const { said, body } = await invite(signed(over));
    assert.equal(said, refused, JSON.stringify(over));
    assert.equal(JSON.stringify(body).includes('signatures'), false, 'nothing of it is signed');
  }
  const ofThird = signed({ sender: '@dora:third.test' }, third);
  assert.equal((await invite(ofThird)).said, refused, 'of somebody of another server, which has signed it');
  // Which needs no signature but that of whoever found out whose the address is.
  const ofAlice = signed({
    sender: alice.userId,
    content: { membership: 'invite', third_party_invite: { signed: {} } },
  });
  assert.equal((await invite(ofAlice)).said, refused, 'in the name of who is invited');
  assert.equal((await invite(signed({ state_key: '@nobody:hs1' }))).said, '403 M_FORBIDDEN');
  assert.equal(await pending(alice, 'invite', room.roomId), undefined);
  assert.equal((await invite(base)).said, '200 ');
  assert.ok(await pending(alice, 'invite', room.roomId));
  assert.deepEqual(server.errors, []);
});

test('an event that takes the ID of an invitation ends it no more than it disturbs others', async (context) => {
  const { server, peer, alice } = await openWithPeer(context);
  const rules = findRoomVersion('1');
  assert.ok(rules);
  const [roomId, eventId] = ['!old:peer.test', '$invitation:peer.test'];
  const member = (membership: string, id: string, references: readonly string[]) => {
    const pairs = references.map((each) => [each, { sha256: '' }]);
    const event: JsonObject = {
      type: 'm.room.member',
      room_id: roomId,
      event_id: id,
      sender: '@founder:peer.test',
      state_key: alice.userId,
      content: { membership },
      depth: 5,
      origin_server_ts: Date.now(),
      prev_events: pairs,
      auth_events: pairs,
    };
    return hashAndSignEvent(rules, event, peer.serverName, peer.key);
  };
  const uri = `/_matrix/federation/v2/invite/${encodeURIComponent(roomId)}/${encodeURIComponent(eventId)}`;
  const content = { event: member('invite', eventId, []), room_version: '1', invite_room_state: [] };
  assert.equal((await peer.send('hs1', 'PUT', uri, { content })).status, 200);
  const twin = member('leave', eventId, [eventId]);
  assert.equal((await send(peer, [twin])).status, 200);
  assert.ok(await pending(alice, 'invite', roomId));
  assert.equal((await send(peer, [twin, member('leave', '$leave:peer.test', [eventId])])).status, 200);
  assert.equal(await pending(alice, 'invite', roomId), undefined);
  assert.deepEqual(server.errors, []);
});

test('of a template for a join, leave or knock only what it follows is signed', async (context) => {
  const { server, peer, alice } = await openWithPeer(context);
  const room = createPeerRoom(peer, { version: '10' });
  const { roomId } = room;
  const rules = findRoomVersion('10');
  assert.ok(rules);
  const invitation = room.make({
    type: 'm.room.member',
    stateKey: alice.userId,
    sender: room.founder,
    content: { membership: 'invite' },
  });
  const template = {
    type: 'm.room.power_levels',
    room_id: '!victim:hs1',
    sender: '@admin:hs1',
    state_key: '',
    content: {
      users: { [mallory]: 100 },
      membership: 'ban',
      evil: true,
      join_authorised_via_users_server: mallory,
      third_party_invite: {},
    },
    depth: 5,
    prev_events: [`$${'a'.repeat(43)}`],
    auth_events: [`$${'b'.repeat(43)}`],
    origin_server_ts: 1,
    redacts: '$victim',
    unsigned: { evil: true },
    hashes: { sha256: 'evil' },
    signatures: { hs1: { 'ed25519:evil': 'evil' } },
    evil: true,
  };
  let over: JsonObject = {};
  let version = '10';
  const sent: JsonObject[] = [];
  for (const [membership, send] of [
    ['join', 'v2/send_join'],
    ['knock', 'v1/send_knock'],
    ['leave', 'v2/send_leave'],
  ] as const) {
    peer.on('GET', `/_matrix/federation/v1/make_${membership}/`, () => ({
      body: { room_version: version, event: { ...template, ...over } },
    }));
    peer.on('PUT', `/_matrix/federation/${send}/`, ({ body }) => {
      sent.push(parseJson(body, 'lenient') as JsonObject);
      return { status: 403, body: { errcode: 'M_FORBIDDEN', error: 'No.' } };
    });
  }
  const inviteUri = `/_matrix/federation/v2/invite/${encodeURIComponent(roomId)}/${encodeURIComponent(invitation.eventId)}`;
  const ask = {
    join: () => alice.post(`/_matrix/client/v3/join/${encodeURIComponent(roomId)}?via=peer.test`, {}),
    knock: () => alice.post(`/_matrix/client/v3/knock/${encodeURIComponent(roomId)}?via=peer.test`, {}),
    async leave() {
      const event = parseJson(invitation.pdu, 'lenient');
      await peer.send('hs1', 'PUT', inviteUri, { content: { event, room_version: '10', invite_room_state: [] } });
      return alice.post(pathOf(roomId, 'leave'), {});
    },
  };
  for (const [membership, attempt] of Object.entries(ask)) {
    sent.length = 0;
    const before = Date.now();
    await attempt();
    const [event] = sent;
    assert.ok(event, membership);
    const { content, origin_server_ts: ts, hashes: _, signatures, ...rest } = event;
    assert.deepEqual(
      { ...rest },
      {
        type: 'm.room.member',
        room_id: roomId,
        sender: alice.userId,
        state_key: alice.userId,
        depth: template.depth,
        prev_events: template.prev_events,
        auth_events: template.auth_events,
      },
    );
    assert.ok(Number(ts) >= before, 'of now');
    assert.deepEqual(Object.keys(signatures as JsonObject), ['hs1']);
    const { displayname: __, ...more } = content as JsonObject;
    const authorised = membership === 'join' ? { join_authorised_via_users_server: mallory } : {};
    assert.deepEqual({ ...more }, { membership, ...authorised });
  }
  const useless: readonly [what: string, over: JsonObject, version?: string][] = [
    ['with too many previous events', { prev_events: Array.from({ length: 21 }, () => `$${'a'.repeat(43)}`) }],
    ['with too many auth events', { auth_events: Array.from({ length: 11 }, () => `$${'a'.repeat(43)}`) }],
    ['with references that are none', { prev_events: [{ evil: true }] }],
    ['with references that no event can have', { prev_events: [1.5] }],
    ['without references', { prev_events: null }],
    ['of a depth that is none', { depth: -1 }],
    ['of a depth that is no number', { depth: '5' }],
    ['of an unknown version', {}, 'evil'],
  ];
  for (const [what, changed, ofVersion = '10'] of useless) {
    [over, version] = [changed, ofVersion];
    for (const attempt of [ask.join, ask.knock, ask.leave]) {
      sent.length = 0;
      await attempt();
      assert.deepEqual(sent, [], what);
    }
  }
  [over, version] = [{ depth: 2 ** 53 }, '10'];
  sent.length = 0;
  await ask.join();
  assert.equal(sent[0]?.['depth'], Number.MAX_SAFE_INTEGER);
  // Before version 8 nobody lets anybody in by the conditions of a room.
  [over, version] = [{}, '7'];
  sent.length = 0;
  await ask.join();
  assert.deepEqual(
    Object.keys((sent[0]?.['content'] ?? {}) as JsonObject).includes('join_authorised_via_users_server'),
    false,
  );
  assert.deepEqual(server.errors, []);
});
