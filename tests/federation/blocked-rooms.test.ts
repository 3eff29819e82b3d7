import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hashAndSignEvent, isJsonObject, type JsonObject, parseJson } from '@portico/protocol';
import { createPeerRoom, type MadeEvent } from '@portico/testkit/peer-room.ts';
import { must, refusal } from '@portico/testkit/people.ts';
import { registerAdmin } from '@portico/testkit/register-admin.ts';
import { until } from '@portico/testkit/until.ts';
import { serveLeaves } from './leaves.ts';
import { becomes, membershipOf } from './memberships.ts';
import { openWithPeer, send } from './peer.ts';

const blockOf = (roomId: string) => `/_synapse/admin/v1/rooms/${encodeURIComponent(roomId)}/block`;
const objectOf = (made: MadeEvent) => parseJson(made.pdu) as JsonObject;
const join = (roomId: string) => `/_matrix/client/v3/join/${encodeURIComponent(roomId)}?via=peer.test`;

test('who is on their way into a room when it is blocked does not come in, and leaves over there', async (context) => {
  const { server, peer, alice } = await openWithPeer(context);
  const admin = await registerAdmin(server, 'admin');
  const room = createPeerRoom(peer);
  const left = serveLeaves(peer, room);
  const block = `/_synapse/admin/v2/rooms/${encodeURIComponent(room.roomId)}`;
  room.serve(room.joinAnswer, async () => {
    assert.equal((await admin.delete(block, { block: true })).status, 200);
  });
  assert.equal(await refusal(alice.post(join(room.roomId), {})), '403 M_FORBIDDEN');
  await until(() => left[0], 'she has left over there');
  assert.equal(left[0]?.['sender'], alice.userId);
  const { joined_rooms: joined } = (await alice.get('/_matrix/client/v3/joined_rooms')).body;
  assert.ok(!(joined as string[]).includes(room.roomId));
  assert.deepEqual(server.errors, []);
});

for (const engine of ['sqlite', 'postgres'] as const) {
  test(`who is invited to a blocked room by an event of it is taken out of it again (${engine})`, async (context) => {
    const { server, peer, alice } = await openWithPeer(context, engine);
    const admin = await registerAdmin(server, 'admin');
    const carol = await server.registerUser('carol');
    const room = createPeerRoom(peer);
    room.serve();
    await must(alice.post(join(room.roomId), {}));
    const invite = () =>
      room.add({
        type: 'm.room.member',
        stateKey: carol.userId,
        sender: room.founder,
        content: { membership: 'invite' },
      });
    peer.on('PUT', '/_matrix/federation/v1/send/', ({ body }) => {
      const { pdus } = parseJson(body) as { readonly pdus: readonly JsonObject[] };
      for (const pdu of pdus) room.follow(pdu);
      return { body: {} };
    });
    // Of a room that is not blocked it stands.
    await send(peer, [objectOf(invite())]);
    await becomes(alice, room.roomId, carol.userId, 'invite');
    await must(carol.post(`/_matrix/client/v3/rooms/${encodeURIComponent(room.roomId)}/leave`, {}));
    await until(() => room.state.get(`m.room.member ${carol.userId}`)?.pdu.includes('leave'), 'the room hears of it');

    await must(admin.put(blockOf(room.roomId), { block: true }));
    await send(peer, [objectOf(invite())]);
    await until(() => room.state.get(`m.room.member ${carol.userId}`)?.pdu.includes('leave'), 'she declines');
    await becomes(alice, room.roomId, carol.userId, 'leave');
    assert.equal(await membershipOf(alice, room.roomId, alice.userId), 'join', 'who was there stays');
    assert.deepEqual(server.errors, []);
  });
}

test('who is let in by another server while the room is being blocked is taken out again', async (context) => {
  const { server, peer, alice } = await openWithPeer(context);
  const admin = await registerAdmin(server, 'admin');
  const bob = await server.registerUser('bob');
  const room = createPeerRoom(peer);
  room.serve();
  await must(alice.post(join(room.roomId), {}));
  const allow = [{ type: 'm.room_membership', room_id: '!members:peer.test' }];
  const content = { join_rule: 'restricted', allow };
  const rule = room.add({ type: 'm.room.join_rules', stateKey: '', sender: room.founder, content });
  await send(peer, [objectOf(rule)]);
  const authorised = { membership: 'join', join_authorised_via_users_server: room.founder };
  const event = { type: 'm.room.member', stateKey: bob.userId, sender: bob.userId, content: authorised };
  peer.on('GET', '/_matrix/federation/v1/make_join/', () => ({
    body: {
      room_version: '11',
      event: {
        type: event.type,
        sender: bob.userId,
        state_key: bob.userId,
        content: authorised,
        room_id: room.roomId,
        origin_server_ts: Date.now(),
        depth: 20,
        prev_events: [rule.eventId],
        auth_events: room.authEvents(event),
      },
    },
  }));
  peer.on('PUT', '/_matrix/federation/v2/send_join/', async ({ body }) => {
    const given = parseJson(body);
    assert.ok(isJsonObject(given));
    await must(admin.put(blockOf(room.roomId), { block: true }));
    const signed = hashAndSignEvent(room.rules, given, peer.serverName, peer.key);
    return { body: { event: signed, state: [], auth_chain: [], members_omitted: false } };
  });
  const sent: JsonObject[] = [];
  peer.on('PUT', '/_matrix/federation/v1/send/', ({ body }) => {
    sent.push(...(parseJson(body) as { readonly pdus: readonly JsonObject[] }).pdus);
    return { body: {} };
  });
  assert.equal(await refusal(bob.post(join(room.roomId), {})), '403 M_FORBIDDEN');
  await until(() => sent.some(({ sender }) => sender === bob.userId), 'the room hears that he leaves');
  await becomes(alice, room.roomId, bob.userId, 'leave');
  assert.deepEqual(server.errors, []);
});
