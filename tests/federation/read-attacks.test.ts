import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findRoomVersion, type JsonObject, signEvent } from '@portico/protocol';
import type { FederationPeer } from '@portico/testkit/federation-peer.ts';
import { createPeerRoom } from '@portico/testkit/peer-room.ts';
import { createRoom, join, must, pathOf, say } from '@portico/testkit/people.ts';
import { setState } from './memberships.ts';
import { joinAs, openWithPeer, send, sign } from './peer.ts';

const rules = findRoomVersion('10');
assert.ok(rules);
const federation = '/_matrix/federation/v1';

/** Every question about an event, asked of a room. */
function questions(peer: FederationPeer, roomId: string, eventId: string) {
  const [room, event] = [roomId, eventId].map(encodeURIComponent);
  const get = async (path: string) => peer.send('hs1', 'GET', `${federation}/${path}`);
  const statusOf = async (path: string) => (await get(path)).status;
  const idsIn = (pdus: unknown) => (pdus as readonly JsonObject[]).map((pdu) => pdu['type']);
  return {
    event: () => statusOf(`event/${event}`),
    state: () => statusOf(`state/${room}?event_id=${event}`),
    stateIds: () => statusOf(`state_ids/${room}?event_id=${event}`),
    eventAuth: () => statusOf(`event_auth/${room}/${event}`),
    backfill: async () => idsIn(((await get(`backfill/${room}?v=${event}&limit=50`)).body as { pdus: unknown }).pdus),
    missing: async () => {
      const content = { earliest_events: [], latest_events: [eventId] };
      const { body } = await peer.send('hs1', 'POST', `${federation}/get_missing_events/${room}`, { content });
      return idsIn((body as { events: unknown }).events);
    },
    at: (ts: number, dir: 'f' | 'b') => get(`timestamp_to_event/${room}?ts=${ts}&dir=${dir}`),
  };
}

test('a server that is in one room reads nothing of another by way of it', async (context) => {
  const { peer, path, roomId, alice } = await openWithPeer(context);
  await joinAs(peer, path);
  const secret = await createRoom(alice, { preset: 'private_chat', room_version: '10' });
  const eventId = await say(alice, secret, 'secret');
  const asked = questions(peer, roomId, eventId);
  const statuses = [await asked.event(), await asked.state(), await asked.stateIds(), await asked.eventAuth()];
  assert.deepEqual(statuses, [403, 404, 404, 404]);
  assert.deepEqual([await asked.backfill(), await asked.missing()], [[], []]);
  assert.equal((await questions(peer, secret, eventId).at(0, 'f')).status, 403);
});

test('what was refused is passed on to nobody', async (context) => {
  const { peer, path, roomId } = await openWithPeer(context);
  const { template, eventId: previous, depth } = await joinAs(peer, path);
  const { pdu, eventId } = sign(peer, {
    type: 'm.room.name',
    state_key: '',
    room_id: roomId,
    sender: '@mallory:peer.test',
    content: { name: 'Mine' },
    depth: depth + 1,
    origin_server_ts: Date.now(),
    prev_events: [previous],
    auth_events: [...(template['auth_events'] as string[]).slice(0, 2), previous],
  });
  assert.match(JSON.stringify((await send(peer, [pdu])).body), /error/);
  const asked = questions(peer, roomId, eventId);
  const statuses = [await asked.event(), await asked.state(), await asked.stateIds(), await asked.eventAuth()];
  assert.deepEqual(statuses, [404, 404, 404, 404]);
  assert.ok(!(await asked.backfill()).includes('m.room.name'));
});

test('what was soft-failed is given as no history, neither where it is asked for nor on the way', async (context) => {
  const { peer, path, roomId, alice } = await openWithPeer(context);
  const [mallory, trudy] = ['@mallory:peer.test', '@trudy:peer.test'];
  const joined = await joinAs(peer, path, mallory);
  const witness = await joinAs(peer, path, trudy);
  await must(alice.post(pathOf(roomId, 'kick'), { user_id: mallory }));
  const message = (sender: string, by: string, body: string, previous: readonly string[]) =>
    sign(peer, {
      type: 'm.room.message',
      room_id: roomId,
      sender,
      content: { body },
      depth: witness.depth + 5,
      origin_server_ts: Date.now(),
      prev_events: [...previous],
      auth_events: [...(witness.template['auth_events'] as string[]).slice(0, 2), by],
    });
  // As of before the kick: the state then allows it, that of now does not.
  const late = message(mallory, joined.eventId, 'late', [witness.eventId]);
  const top = message(trudy, witness.eventId, 'top', [late.eventId, witness.eventId]);
  await send(peer, [late.pdu]);
  await send(peer, [top.pdu]);
  for (const eventId of [late.eventId, top.eventId]) {
    const uri = `${federation}/backfill/${path}?v=${encodeURIComponent(eventId)}&limit=50`;
    const content = { earliest_events: [], latest_events: [eventId] };
    const { pdus } = (await peer.send('hs1', 'GET', uri)).body as { pdus: readonly JsonObject[] };
    const { body } = await peer.send('hs1', 'POST', `${federation}/get_missing_events/${path}`, { content });
    const { events } = body as { events: readonly JsonObject[] };
    const senders = [pdus, events].map((given) =>
      given.filter(({ type }) => type === 'm.room.message').map(({ sender }) => sender),
    );
    assert.deepEqual(senders, [eventId === top.eventId ? [trudy] : [], []]);
    for (const given of [pdus, events]) assert.ok(given.some(({ type }) => type === 'm.room.member'));
  }
});

test('what servers may see of a room follows from who of them was there, whatever is asked', async (context) => {
  const { peer, path, roomId, alice } = await openWithPeer(context);
  peer.on('PUT', '/_matrix/federation/v2/invite/', ({ body }) => {
    const { event } = JSON.parse(body) as { readonly event: JsonObject };
    return { body: { event: signEvent(rules, event, peer.serverName, peer.key) } };
  });
  await setState(alice, roomId, 'm.room.history_visibility', { history_visibility: 'invited' });
  const nobodyThere = await say(alice, roomId, 'nobody of theirs is there');
  await must(alice.post(pathOf(roomId, 'invite'), { user_id: '@mallory:peer.test' }));
  const invited = await say(alice, roomId, 'somebody is invited, which is enough');
  await setState(alice, roomId, 'm.room.history_visibility', { history_visibility: 'joined' });
  const onlyInvited = await say(alice, roomId, 'somebody is invited, which is not enough');
  await joinAs(peer, path);
  for (const [eventId, status] of [
    [nobodyThere, 404],
    [invited, 200],
    [onlyInvited, 404],
  ] as const) {
    const asked = questions(peer, roomId, eventId);
    assert.deepEqual([await asked.event(), await asked.state(), await asked.stateIds()], [status, status, status]);
  }
});

test('a time tells of no event that may not be seen', async (context) => {
  const { peer, path, roomId, alice } = await openWithPeer(context);
  await setState(alice, roomId, 'm.room.history_visibility', { history_visibility: 'joined' });
  const unseen = await say(alice, roomId, 'unseen');
  const { origin_server_ts: ts } = await must(alice.get(pathOf(roomId, `event/${encodeURIComponent(unseen)}`)));
  await joinAs(peer, path);
  const asked = questions(peer, roomId, unseen);
  for (const dir of ['f', 'b'] as const) {
    const { status, body } = await asked.at(Number(ts), dir);
    assert.equal(status, 200);
    assert.notEqual((body as { readonly event_id: string }).event_id, unseen);
  }
});

test('what came with a join, and of which it is not known who was there, is given to nobody', async (context) => {
  const { peer, alice } = await openWithPeer(context);
  const room = createPeerRoom(peer);
  room.serve();
  await join(alice, room.roomId, 'peer.test');
  const said = await say(alice, room.roomId, 'hello');
  assert.equal(await questions(peer, room.roomId, said).event(), 200);
  for (const { eventId } of room.state.values()) {
    if (room.state.get(`m.room.member ${alice.userId}`)?.eventId === eventId) continue;
    assert.equal(await questions(peer, room.roomId, eventId).event(), 404);
  }
});
