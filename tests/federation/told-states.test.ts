import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { eventIdOf, hashAndSignEvent, type JsonObject } from '@portico/protocol';
import { type FederationPeer, openPeer } from '@portico/testkit/federation-peer.ts';
import { startTestNetwork } from '@portico/testkit/network.ts';
import { createPeerRoom } from '@portico/testkit/peer-room.ts';
import { contentOf, must, pathOf, say } from '@portico/testkit/people.ts';
import { joinAs, openWithPeer, send, sign } from './peer.ts';

const henry = '@henry:honest.test';
const mallory = '@mallory:peer.test';
const nobodys = `$${'z'.repeat(43)}`;

type StateEvents = readonly { readonly type: string; readonly state_key: string; readonly event_id: string }[];

/** A room of alice's, with a moderator of an honest server and somebody of one that tells whatever it likes of the past. */
async function open(context: TestContext) {
  const { network, server, peer: hostile, alice, roomId, path } = await openWithPeer(context);
  const honest = await openPeer(context, network, 'honest.test');
  await joinAs(honest, path, henry);
  const levels = { users: { [alice.userId]: 100, [henry]: 50 } };
  await must(alice.put(pathOf(roomId, 'state/m.room.power_levels/'), levels));
  const { eventId: tip, depth } = await joinAs(hostile, path, mallory);
  const state = (await must(alice.get(pathOf(roomId, 'state')))) as unknown as StateEvents;
  const idOf = (type: string, stateKey = '') => {
    const found = state.find((each) => each.type === type && each.state_key === stateKey);
    assert.ok(found, `${type} ${stateKey}`);
    return found.event_id;
  };
  const memberOf = (userId: string) => idOf('m.room.member', userId);
  let time = Date.now();
  const make = (peer: FederationPeer, sender: string, place: number, over: JsonObject = {}) =>
    sign(peer, {
      type: 'm.room.message',
      room_id: roomId,
      sender,
      content: { body: `${place}` },
      depth: depth + place,
      origin_server_ts: time++,
      prev_events: [tip],
      auth_events: [idOf('m.room.create'), idOf('m.room.power_levels'), memberOf(sender)],
      ...over,
    });
  /** What the hostile server has of the past, and what it says of the state there. */
  function tell(
    events: readonly ReturnType<typeof sign>[],
    without: readonly string[],
    more: readonly string[] = [],
  ): void {
    const ids = [...state.map((each) => each.event_id), ...more];
    hostile.on('POST', '/_matrix/federation/v1/get_missing_events', () => ({ body: { events: [] } }));
    hostile.on('GET', '/_matrix/federation/v1/event/', ({ url }) => {
      const eventId = decodeURIComponent(url.slice(url.lastIndexOf('/') + 1));
      const pdus = events.filter((each) => each.eventId === eventId).map(({ pdu }) => pdu);
      return { body: { origin: 'peer.test', origin_server_ts: 1, pdus } };
    });
    hostile.on('GET', '/_matrix/federation/v1/state_ids/', () => ({
      body: { pdu_ids: ids.filter((id) => !without.includes(id)), auth_chain_ids: ids },
    }));
  }
  const shows = async (eventId: string) => (await contentOf(alice, roomId, eventId)) !== undefined;
  return { network, server, hostile, honest, alice, roomId, tip, idOf, memberOf, make, tell, shows };
}

test('what is rejected by a state that another server tells is taken when it comes from its own', async (context) => {
  const { hostile, honest, alice, roomId, memberOf, make, tell, shows } = await open(context);
  const before = make(honest, henry, 1);
  const topic = make(honest, henry, 2, {
    type: 'm.room.topic',
    state_key: '',
    content: { topic: 'of henry' },
    prev_events: [before.eventId],
  });
  tell([topic], [memberOf(henry)]);
  const next = make(hostile, mallory, 3, { prev_events: [topic.eventId] });
  await send(hostile, [next.pdu]);
  assert.ok(await shows(next.eventId));
  assert.equal(await shows(topic.eventId), false);
  honest.on('POST', '/_matrix/federation/v1/get_missing_events', () => ({ body: { events: [before.pdu] } }));
  await send(honest, [topic.pdu]);
  assert.ok(await shows(topic.eventId));
  assert.equal((await must(alice.get(pathOf(roomId, 'state/m.room.topic/'))))['topic'], 'of henry');
  const later = make(honest, henry, 4, { prev_events: [topic.eventId, next.eventId] });
  await send(honest, [later.pdu]);
  assert.ok(await shows(later.eventId));
});

for (const [what, over] of [
  ['a message', {}],
  ['what nobody allows', { type: 'm.room.name', state_key: '', content: { name: 'Mine' } }],
] as const) {
  test(`nobody takes a room over by what they tell of the state before ${what}`, async (context) => {
    const { hostile, alice, roomId, tip, idOf, memberOf, make, tell, shows } = await open(context);
    const hidden = make(hostile, mallory, 1, { prev_events: [tip, nobodys], ...over });
    const first = make(hostile, mallory, 2, { prev_events: [hidden.eventId] });
    tell([hidden], [memberOf(alice.userId), memberOf(henry), idOf('m.room.power_levels')]);
    await send(hostile, [first.pdu]);
    assert.ok(await shows(first.eventId));
    const power = make(hostile, mallory, 3, {
      type: 'm.room.power_levels',
      state_key: '',
      content: { users: { [mallory]: 100 } },
      prev_events: [first.eventId],
      auth_events: [idOf('m.room.create'), memberOf(mallory)],
    });
    await send(hostile, [power.pdu]);
    const { users } = (await must(alice.get(pathOf(roomId, 'state/m.room.power_levels/')))) as { users: JsonObject };
    assert.deepEqual({ ...users }, { [alice.userId]: 100, [henry]: 50 });
    await say(alice, roomId, 'I am still here');
  });
}

test('who is left out of a state that another server tells is heard all the same', async (context) => {
  const { hostile, honest, tip, memberOf, make, tell, shows } = await open(context);
  const hidden = make(hostile, mallory, 1, { prev_events: [tip, nobodys] });
  const first = make(hostile, mallory, 2, { prev_events: [hidden.eventId] });
  tell([hidden], [memberOf(henry)]);
  await send(hostile, [first.pdu]);
  assert.ok(await shows(first.eventId));
  const second = make(honest, henry, 3, { prev_events: [first.eventId] });
  const third = make(honest, henry, 4, { prev_events: [second.eventId] });
  for (const { pdu, eventId } of [second, third]) {
    await send(honest, [pdu]);
    assert.ok(await shows(eventId));
  }
});

test('of an event that follows what is here nobody tells the state', async (context) => {
  const { hostile, alice, memberOf, make, tell, shows } = await open(context);
  const hidden = make(hostile, mallory, 1);
  const first = make(hostile, mallory, 2, { prev_events: [hidden.eventId] });
  tell([hidden], [memberOf(alice.userId)]);
  await send(hostile, [first.pdu]);
  for (const { eventId } of [hidden, first]) assert.ok(await shows(eventId));
  assert.deepEqual(
    hostile.requests.filter((each) => each.includes('state_ids')),
    [],
  );
});

test('what is kept out of the history by what another server tells is taken when it comes from its own', async (context) => {
  const { hostile, honest, alice, roomId, memberOf, make, tell, shows } = await open(context);
  const before = make(honest, henry, 1);
  const old = make(honest, henry, 2, { prev_events: [before.eventId] });
  const hidden = make(hostile, mallory, 3, { prev_events: [old.eventId] });
  const first = make(hostile, mallory, 4, { prev_events: [hidden.eventId] });
  tell([hidden], [memberOf(henry)]);
  const pdus = [hidden.pdu, old.pdu];
  hostile.on('GET', '/_matrix/federation/v1/backfill/', () => ({
    body: { origin: 'peer.test', origin_server_ts: 1, pdus },
  }));
  await send(hostile, [first.pdu]);
  await must(alice.get(pathOf(roomId, 'messages?dir=b&limit=50')));
  assert.ok(await shows(hidden.eventId));
  assert.equal(await shows(old.eventId), false);
  honest.on('POST', '/_matrix/federation/v1/get_missing_events', () => ({ body: { events: [before.pdu] } }));
  await send(honest, [old.pdu]);
  assert.deepEqual({ ...((await contentOf(alice, roomId, old.eventId)) as object) }, { body: '2' });
});

test('who is left out of a state of the history that another server tells is heard all the same', async (context) => {
  const network = await startTestNetwork(['hs1']);
  context.after(() => network.close());
  const [hostile, honest] = [
    await openPeer(context, network, 'peer.test'),
    await openPeer(context, network, 'honest.test'),
  ];
  const alice = await network.server('hs1').registerUser('alice');
  const room = createPeerRoom(hostile);
  const { roomId, founder } = room;
  const of = (type: string, content: JsonObject, previous: string, over: JsonObject = {}) => {
    const event = {
      type,
      room_id: roomId,
      sender: henry,
      content,
      depth: 90,
      origin_server_ts: Date.now(),
      prev_events: [previous],
      auth_events: room.authEvents({ type, sender: henry, content, stateKey: henry }),
      ...over,
    };
    const pdu = hashAndSignEvent(room.rules, event, honest.serverName, honest.key);
    return { pdu, eventId: eventIdOf(room.rules, pdu) };
  };
  const rules = room.state.get('m.room.join_rules ')?.eventId ?? '';
  room.follow(of('m.room.member', { membership: 'join' }, rules, { state_key: henry }).pdu);
  const topic = room.add({ type: 'm.room.topic', stateKey: '', sender: founder, content: { topic: 'old' } });
  const ids = [...room.state].filter(([key]) => !key.includes(henry)).map(([, { eventId }]) => eventId);
  room.serve();
  const pdus = [JSON.parse(topic.pdu) as JsonObject];
  hostile.on('GET', '/_matrix/federation/v1/backfill/', () => ({
    body: { origin: 'peer.test', origin_server_ts: 1, pdus },
  }));
  hostile.on('GET', '/_matrix/federation/v1/state_ids/', () => ({
    body: { pdu_ids: ids.filter((id) => id !== topic.eventId), auth_chain_ids: ids },
  }));
  await must(alice.post(`/_matrix/client/v3/join/${encodeURIComponent(roomId)}?via=peer.test`, {}));
  await must(alice.get(pathOf(roomId, 'messages?dir=b&limit=50')));
  const said = { type: 'm.room.message', sender: founder, content: { body: 'on it' }, prevEvents: [topic.eventId] };
  const first = room.make(said);
  await send(hostile, [JSON.parse(first.pdu) as JsonObject]);
  assert.notEqual(await contentOf(alice, roomId, first.eventId), undefined);
  const second = of('m.room.message', { body: 'and I' }, first.eventId);
  await send(honest, [second.pdu]);
  assert.notEqual(await contentOf(alice, roomId, second.eventId), undefined);
});

test('who was put out of a room is not let in by a state that was told of it', async (context) => {
  const { hostile, alice, roomId, tip, make, tell, shows } = await open(context);
  const hidden = make(hostile, mallory, 1, { prev_events: [tip, nobodys] });
  const first = make(hostile, mallory, 2, { prev_events: [hidden.eventId] });
  tell([hidden], []);
  await send(hostile, [first.pdu]);
  assert.ok(await shows(first.eventId));
  const ban = { user_id: mallory };
  await must(alice.post(pathOf(roomId, 'ban'), ban));
  const banned = (await must(alice.get(pathOf(roomId, 'messages?dir=b&limit=1'))))['chunk'] as [{ event_id: string }];
  for (const previous of [banned[0].event_id, first.eventId]) {
    const later = make(hostile, mallory, 9, { prev_events: [previous] });
    await send(hostile, [later.pdu]);
    assert.equal(await shows(later.eventId), false);
  }
});

test('what a told state does not allow is taken once that is known to be wrong', async (context) => {
  const { hostile, honest, alice, roomId, tip, idOf, make, tell, shows } = await open(context);
  const setLevels = async (level: number): Promise<string> => {
    const levels = { users: { [alice.userId]: 100, [henry]: 50 }, events_default: level };
    return String((await must(alice.put(pathOf(roomId, 'state/m.room.power_levels/'), levels)))['event_id']);
  };
  const before = make(hostile, mallory, 1, { prev_events: [tip] });
  const hidden = make(hostile, mallory, 2, { prev_events: [before.eventId] });
  const first = make(hostile, mallory, 3, { prev_events: [hidden.eventId] });
  const event = make(honest, henry, 3, { prev_events: [hidden.eventId] });
  const raised = await setLevels(60);
  tell([hidden], [idOf('m.room.power_levels')], [raised]);
  await send(hostile, [first.pdu]);
  const rejected = await send(honest, [event.pdu]);
  assert.match(JSON.stringify(rejected.body), /"error"/);
  assert.equal(await shows(event.eventId), false);
  await setLevels(0);
  await send(hostile, [before.pdu, hidden.pdu]);
  assert.ok(await shows(hidden.eventId));
  await send(honest, [event.pdu]);
  assert.deepEqual({ ...((await contentOf(alice, roomId, event.eventId)) as object) }, { body: '3' });
});

test('an event that comes by way of another server is asked about where it comes from', async (context) => {
  const { hostile, honest, memberOf, make, tell, shows } = await open(context);
  const before = make(honest, henry, 1);
  const event = make(honest, henry, 2, { prev_events: [before.eventId] });
  tell([before], [memberOf(henry)]);
  honest.on('POST', '/_matrix/federation/v1/get_missing_events', () => ({ body: { events: [before.pdu] } }));
  await send(hostile, [event.pdu]);
  assert.ok(await shows(event.eventId));
  assert.deepEqual(
    hostile.requests.filter((each) => /get_missing_events|state_ids|\/event\//.test(each)),
    [],
  );
});
