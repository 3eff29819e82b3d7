import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '@portico/protocol';
import { openPeer } from '@portico/testkit/federation-peer.ts';
import { createRoom, must, pathOf, say } from '@portico/testkit/people.ts';
import { errcodeOf, joinAs, joinTemplate, openWithPeer, send, sendJoin, sign } from './peer.ts';

type StateEvents = readonly { readonly type: string; readonly state_key: string; readonly event_id: string }[];

test('a join that is not what its request says is refused', async (context) => {
  const { network, peer, path, alice } = await openWithPeer(context);
  const template = await joinTemplate(peer, path, '@mallory:peer.test');
  const good = sign(peer, template);
  const { body } = await alice.post('/_matrix/client/v3/createRoom', { preset: 'public_chat', room_version: '10' });
  const other = encodeURIComponent(String(body['room_id']));
  assert.equal(await sendJoin(peer, other, good.eventId, good.pdu), '400 M_INVALID_PARAM', 'for another room');
  assert.equal(await sendJoin(peer, path, '$other', good.pdu), '400 M_INVALID_PARAM', 'with another ID');
  const variants: readonly [what: string, over: JsonObject, answer: string][] = [
    ['of somebody of this server', { sender: alice.userId, state_key: alice.userId }, '400 M_INVALID_PARAM'],
    ['of somebody else', { state_key: '@other:peer.test' }, '400 M_INVALID_PARAM'],
    ['that is none', { content: { membership: 'leave' } }, '400 M_INVALID_PARAM'],
    ['of another type', { type: 'm.room.power_levels', state_key: '' }, '400 M_INVALID_PARAM'],
  ];
  for (const [what, over, answer] of variants) {
    const { pdu, eventId } = sign(peer, { ...template, ...over });
    assert.equal(await sendJoin(peer, path, eventId, pdu), answer, what);
  }
  const third = await openPeer(context, network, 'third.test');
  const theirs = sign(third, await joinTemplate(third, path, '@x:third.test'));
  assert.equal(await sendJoin(peer, path, theirs.eventId, theirs.pdu), '400 M_INVALID_PARAM', 'of a third server');
  const fraction = { ...good.pdu, content: { membership: 'join', size: 1.5 } };
  assert.equal(
    await sendJoin(peer, path, good.eventId, fraction),
    '400 M_BAD_JSON',
    'with a number that rooms do not have',
  );
  const uri = `/_matrix/federation/v1/make_join/${path}/${encodeURIComponent('@a:peer.test')}?ver=1`;
  const { status, body: refusal } = await peer.send('hs1', 'GET', uri);
  assert.equal(`${status} ${errcodeOf(refusal)}`, '400 M_INCOMPATIBLE_ROOM_VERSION');
  assert.equal(await sendJoin(peer, path, good.eventId, good.pdu), '200');
});

test('a template that asks for more than a join is not signed', async (context) => {
  const { peer, alice } = await openWithPeer(context);
  const roomId = '!theirs:peer.test';
  let sent: JsonObject | undefined;
  peer.on('GET', '/_matrix/federation/v1/make_join', () => ({
    body: {
      room_version: '10',
      event: {
        type: 'm.room.power_levels',
        room_id: '!victim:hs1',
        sender: '@admin:hs1',
        state_key: '',
        content: { users: { '@mallory:peer.test': 100 }, membership: 'ban', evil: true },
        depth: 5,
        prev_events: [`$${'a'.repeat(43)}`],
        auth_events: [`$${'b'.repeat(43)}`],
        origin_server_ts: 1,
      },
    },
  }));
  peer.on('PUT', '/_matrix/federation/v2/send_join', ({ body }) => {
    sent = JSON.parse(body) as JsonObject;
    return { status: 403, body: { errcode: 'M_FORBIDDEN', error: 'No.' } };
  });
  const { status } = await alice.post(`/_matrix/client/v3/join/${encodeURIComponent(roomId)}?via=peer.test`, {});
  assert.equal(status, 403);
  assert.ok(sent);
  const { type, room_id, sender, state_key, content } = sent;
  assert.deepEqual(
    { type, room_id, sender, state_key },
    {
      type: 'm.room.member',
      room_id: roomId,
      sender: alice.userId,
      state_key: alice.userId,
    },
  );
  assert.deepEqual(
    Object.keys(content as JsonObject).toSorted(),
    ['displayname', 'membership'].filter((key) => key in (content as JsonObject)),
  );
  assert.equal((content as JsonObject)['membership'], 'join');
});

test('a poisoned event does not block the rest, and a transaction counts once', async (context) => {
  const { peer, path, roomId, alice } = await openWithPeer(context);
  const { template, eventId: previous, depth } = await joinAs(peer, path);
  const message = (body: string, over: JsonObject = {}) =>
    sign(peer, {
      type: 'm.room.message',
      room_id: roomId,
      sender: '@mallory:peer.test',
      content: { body, msgtype: 'm.text' },
      depth: depth + 1,
      origin_server_ts: Date.now(),
      prev_events: [previous],
      auth_events: [...(template['auth_events'] as string[]).slice(0, 2), previous],
      ...over,
    });
  const tampered = message('was this');
  const changed = { ...tampered.pdu, content: { body: 'is now that', msgtype: 'm.text' } };
  const state = (await must(alice.get(pathOf(roomId, 'state')))) as unknown as StateEvents;
  const ofAlice = state.find((each) => each.type === 'm.room.member' && each.state_key === alice.userId);
  assert.ok(ofAlice);
  // Nothing but the signature is wrong.
  const forged = message('forged', {
    sender: alice.userId,
    auth_events: [...(template['auth_events'] as string[]).slice(0, 2), ofAlice.event_id],
  });
  const topic = message('', { type: 'm.room.name', state_key: '', content: { name: 'Mine now' } });
  const good = message('good');
  const pdus = [{ room_id: roomId } as JsonObject, changed, forged.pdu, topic.pdu, good.pdu];
  for (const time of [1, 2]) {
    const { status, body } = await send(peer, pdus, 'the-same');
    assert.equal(status, 200);
    const results = (body as { pdus: Record<string, { error?: string }> }).pdus;
    assert.equal(results[good.eventId]?.error, undefined, `time ${time}`);
    assert.notEqual(results[forged.eventId]?.error, undefined);
    assert.notEqual(results[topic.eventId]?.error, undefined);
  }
  const get = async (eventId: string) =>
    (await alice.get(`/_matrix/client/v3/rooms/${path}/event/${encodeURIComponent(eventId)}`)).body['content'];
  assert.deepEqual(await get(good.eventId), { body: 'good', msgtype: 'm.text' });
  assert.deepEqual(await get(tampered.eventId), {}, 'what is not what was hashed is there without its content');
  assert.notEqual((await alice.get(`/_matrix/client/v3/rooms/${path}/state/m.room.name/`)).status, 200);
  const tooMany = await send(
    peer,
    Array.from({ length: 51 }, () => good.pdu),
  );
  assert.equal(tooMany.status, 400);
});

test('who is not in a room, or is denied by its ACLs, reads nothing of it and writes nothing to it', async (context) => {
  const { server, peer, path, roomId, alice } = await openWithPeer(context);
  const state = (await alice.get(`/_matrix/client/v3/rooms/${path}/state`)).body as unknown as { event_id: string }[];
  const eventId = encodeURIComponent(state[0]?.event_id ?? '');
  const reads = [
    `event/${eventId}`,
    `state/${path}?event_id=${eventId}`,
    `state_ids/${path}?event_id=${eventId}`,
    `event_auth/${path}/${eventId}`,
    `backfill/${path}?v=${eventId}&limit=5`,
  ];
  const readAll = () =>
    Promise.all(reads.map(async (read) => (await peer.send('hs1', 'GET', `/_matrix/federation/v1/${read}`)).status));
  const missing = async () =>
    (
      await peer.send('hs1', 'POST', `/_matrix/federation/v1/get_missing_events/${path}`, {
        content: { earliest_events: [], latest_events: [decodeURIComponent(eventId)] },
      })
    ).status;
  assert.deepEqual([...(await readAll()), await missing()], Array(6).fill(403));
  const { eventId: previous, depth, template } = await joinAs(peer, path);
  assert.deepEqual([...(await readAll()), await missing()], Array(6).fill(200));
  // By way of a room that it is in, a server gets nothing of others.
  const secretRoom = await createRoom(alice, { room_version: '10' });
  const secret = await say(alice, secretRoom, 'secret');
  const v = encodeURIComponent(secret);
  const aside = [`backfill/${path}?v=${v}&limit=5`, `state/${path}?event_id=${v}`, `state_ids/${path}?event_id=${v}`];
  const answers = [...aside, `event_auth/${path}/${v}`, `event/${v}`].map((read) =>
    peer.send('hs1', 'GET', `/_matrix/federation/v1/${read}`),
  );
  const content = { earliest_events: [], latest_events: [secret] };
  answers.push(peer.send('hs1', 'POST', `/_matrix/federation/v1/get_missing_events/${path}`, { content }));
  for (const { body } of await Promise.all(answers)) assert.ok(!JSON.stringify(body).includes(secretRoom));
  const acl = { allow: ['*'], deny: ['peer.test'] };
  assert.equal((await alice.put(`/_matrix/client/v3/rooms/${path}/state/m.room.server_acl/`, acl)).status, 200);
  assert.deepEqual([...(await readAll()), await missing()], Array(6).fill(403));
  const { pdu, eventId: denied } = sign(peer, {
    type: 'm.room.message',
    room_id: roomId,
    sender: '@mallory:peer.test',
    content: {},
    depth: depth + 1,
    origin_server_ts: Date.now(),
    prev_events: [previous],
    auth_events: [...(template['auth_events'] as string[]).slice(0, 2), previous],
  });
  const { body } = await send(peer, [pdu]);
  assert.match(JSON.stringify(body), /does not allow/);
  const { status } = await alice.get(`/_matrix/client/v3/rooms/${path}/event/${encodeURIComponent(denied)}`);
  assert.equal(status, 404);
  const again = `/_matrix/federation/v1/make_join/${path}/${encodeURIComponent('@x:peer.test')}?ver=10`;
  assert.equal((await peer.send('hs1', 'GET', again)).status, 403);
  const bob = await server.registerUser('bob');
  const invitation = sign(peer, {
    type: 'm.room.member',
    room_id: roomId,
    sender: '@mallory:peer.test',
    state_key: bob.userId,
    content: { membership: 'invite' },
    depth: depth + 1,
    origin_server_ts: Date.now(),
    prev_events: [previous],
    auth_events: [...(template['auth_events'] as string[]), previous],
  });
  const invite = `/_matrix/federation/v2/invite/${path}/${encodeURIComponent(invitation.eventId)}`;
  const asked = { event: invitation.pdu, room_version: '10', invite_room_state: [] };
  const invited = await peer.send('hs1', 'PUT', invite, { content: asked });
  assert.equal(
    `${invited.status} ${errcodeOf(invited.body)}`,
    '403 M_FORBIDDEN',
    'nobody is invited, and nothing signed',
  );
});

test('an event that is not here yet can be redacted by who may redact any, and is once it comes', async (context) => {
  const { server, peer, path, roomId, alice } = await openWithPeer(context);
  const { template, eventId: joined, depth } = await joinAs(peer, path);
  const late = sign(peer, {
    type: 'm.room.message',
    room_id: roomId,
    sender: '@mallory:peer.test',
    origin_server_ts: Date.now(),
    content: { body: 'late' },
    depth: depth + 1,
    prev_events: [joined],
    auth_events: [...(template['auth_events'] as string[]).slice(0, 2), joined],
  });
  const bob = await server.registerUser('bob');
  assert.equal((await bob.post(`/_matrix/client/v3/join/${path}`, {})).status, 200);
  const redact = (by: typeof alice, eventId: string, txnId: string) =>
    by.put(`/_matrix/client/v3/rooms/${path}/redact/${encodeURIComponent(eventId)}/${txnId}`, { reason: 'spam' });
  assert.equal((await redact(bob, late.eventId, '1')).status, 404, 'nobody can tell whether it is theirs');
  assert.equal((await redact(alice, 'nothing', '1')).status, 404);
  const { status, body } = await redact(alice, late.eventId, '2');
  assert.equal(status, 200, JSON.stringify(body));
  await send(peer, [late.pdu]);
  const event = await alice.get(`/_matrix/client/v3/rooms/${path}/event/${encodeURIComponent(late.eventId)}`);
  assert.deepEqual(event.body['content'], {});
  const because = (event.body['unsigned'] as JsonObject)['redacted_because'] as JsonObject;
  assert.equal(because['event_id'], body['event_id']);
});
