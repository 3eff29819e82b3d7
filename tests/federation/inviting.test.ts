import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import {
  eventIdOf,
  findRoomVersion,
  hashAndSignEvent,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  parseJson,
  signEvent,
} from '@portico/protocol';
import { openPeer } from '@portico/testkit/federation-peer.ts';
import { startTestNetwork } from '@portico/testkit/network.ts';
import { createPeerRoom } from '@portico/testkit/peer-room.ts';
import { createRoom, must, pathOf, refusal } from '@portico/testkit/people.ts';
import { until } from '@portico/testkit/until.ts';
import { pending } from './memberships.ts';
import { errcodeOf, openWithPeer, sign } from './peer.ts';

async function open(context: TestContext, version = '11') {
  const network = await startTestNetwork(['hs1']);
  context.after(() => network.close());
  const peer = await openPeer(context, network, 'peer.test');
  const server = network.server('hs1');
  const alice = await server.registerUser('alice');
  const room = createPeerRoom(peer, { version });
  const invitation = (reason = '') =>
    room.make({
      type: 'm.room.member',
      stateKey: alice.userId,
      sender: room.founder,
      content: { membership: 'invite', reason },
    });
  /** Sends it, and says what the answer was. */
  async function invite(
    roomState: readonly JsonValue[],
    over: JsonObject = {},
    { eventId, pdu } = invitation(String(Math.random())),
  ) {
    const uri = `/_matrix/federation/v2/invite/${encodeURIComponent(room.roomId)}/${encodeURIComponent(eventId)}`;
    const event = parseJson(pdu, 'lenient');
    const content = { event, room_version: version, invite_room_state: roomState, ...over };
    const { status, body } = await peer.send('hs1', 'PUT', uri, { content });
    assert.ok(isJsonObject(body));
    return { said: status === 200 ? '200' : `${status} ${body['errcode'] as string}`, eventId, body };
  }
  const state = [...room.state.values()].map(({ pdu }) => parseJson(pdu, 'lenient'));
  return { network, server, peer, alice, room, invitation, invite, state };
}

test('what is shown with an invitation is stripped, and hostile or endless state is left out', async (context) => {
  const { server, peer, alice, room, invite, state } = await open(context);
  const stripped = (over: JsonObject): JsonObject => ({
    type: 'm.room.name',
    state_key: '',
    sender: room.founder,
    content: { name: 'Room' },
    ...over,
  });
  const bad = 'org.example.bad';
  const malformed: JsonObject[] = [
    stripped({ type: `${bad}.content`, content: 'text' }),
    stripped({ type: `${bad}.content`, content: [] }),
    stripped({ type: `${bad}.sender`, sender: 'nobody' }),
    stripped({ type: `${bad}.sender`, sender: null }),
    stripped({ type: 5 }),
    stripped({ type: `${bad}.${'x'.repeat(255)}` }),
    stripped({ type: `${bad}.key`, state_key: null }),
    stripped({ type: `${bad}.key`, state_key: 'x'.repeat(256) }),
    { type: `${bad}.nothing` },
  ];
  const other = createPeerRoom(peer, { version: '11', name: 'other' });
  const foreign = other.add({ type: 'm.room.topic', stateKey: '', sender: other.founder, content: { topic: 'other' } });
  const { said } = await invite([
    ...state,
    stripped({ unsigned: { evil: true }, event_id: '$x', room_id: room.roomId }),
    ...malformed,
    stripped({ type: 'm.room.member', state_key: alice.userId, content: { membership: 'join' } }),
    stripped({ type: 'm.room.topic', content: { topic: 'x'.repeat(70_000) } }),
    parseJson(foreign.pdu, 'lenient'),
    ...Array.from({ length: 100 }, (_, index) => stripped({ type: `org.example.${index}` })),
  ]);
  assert.equal(said, '200');
  const shown = await until(() => pending(alice, 'invite', room.roomId), 'the invitation is there');
  const types = shown.map(({ type }) => type);
  assert.deepEqual(types.slice(0, 5), [
    'm.room.create',
    'm.room.member',
    'm.room.power_levels',
    'm.room.join_rules',
    'm.room.name',
  ]);
  assert.deepEqual(
    types.slice(5).filter((type) => !/^org\.example\.\d+$/.test(type)),
    ['m.room.member'],
  );
  assert.ok(types.length <= 51);
  assert.ok(!types.includes('m.room.topic'));
  assert.deepEqual(shown.at(-1)?.state_key, alice.userId);
  for (const event of shown)
    assert.deepEqual(Object.keys(event).toSorted(), ['content', 'sender', 'state_key', 'type']);
  assert.deepEqual(server.errors, []);
});

test('a server that invites somebody to room after room is slowed down, and what it shows is cut short', async (context) => {
  const { peer, server, alice } = await openWithPeer(context, 'sqlite', { RATE_LIMITS_ENABLED: 'true' });
  const bob = await server.registerUser('bob');
  const name = {
    type: 'm.room.name',
    state_key: '',
    sender: '@mallory:peer.test',
    content: { name: 'n'.repeat(5000) },
  };
  const invite = async (who: string, number: number) => {
    const roomId = `!room${number}:peer.test`;
    const { pdu, eventId } = sign(peer, {
      type: 'm.room.member',
      room_id: roomId,
      sender: `@mallory${number}:peer.test`,
      state_key: who,
      content: { membership: 'invite', reason: 'r'.repeat(5000) },
      depth: 5,
      origin_server_ts: Date.now(),
      prev_events: ['$a'],
      auth_events: ['$b'],
    });
    const uri = `/_matrix/federation/v2/invite/${encodeURIComponent(roomId)}/${encodeURIComponent(eventId)}`;
    const content = { event: pdu, room_version: '10', invite_room_state: [name] };
    const { status, body } = await peer.send('hs1', 'PUT', uri, { content });
    return status === 200 ? '200' : `${status} ${errcodeOf(body)}`;
  };
  const said: string[] = [];
  for (let number = 0; number < 110; number++) said.push(await invite(alice.userId, number));
  const taken = said.filter((answer) => answer === '200').length;
  assert.ok(taken >= 100 && taken < 110, `${taken} were taken`);
  assert.equal(said.at(-1), '429 M_LIMIT_EXCEEDED');
  assert.equal(await invite(bob.userId, 200), '200');
  type Invited = {
    readonly invite: Readonly<Record<string, { readonly invite_state: { readonly events: JsonObject[] } }>>;
  };
  const { invite: shown } = (await alice.get('/_matrix/client/v3/sync')).body['rooms'] as Invited;
  const sizes = Array.from({ length: taken }, (_, number) => {
    const events = shown[`!room${number}:peer.test`]?.invite_state.events ?? [];
    assert.equal(events.at(-1)?.['state_key'], alice.userId);
    return JSON.stringify(events).length;
  });
  assert.ok(sizes.slice(0, 50).every((size) => size > 10_000));
  assert.ok(sizes.slice(50).every((size) => size < 1000));
});

test('of a room that says a lot others are told as much as they read, and its create event in any case', async (context) => {
  const { server, peer, alice } = await open(context);
  const [name, topic] = ['n'.repeat(40_000), 't'.repeat(25_000)];
  const content = {
    preset: 'public_chat',
    creation_content: { 'org.example.long': 'x'.repeat(20_000) },
    name,
    topic,
  };
  const roomId = await createRoom(alice, content);
  const told: string[][] = [];
  const note = (state: readonly JsonObject[]) => {
    assert.ok(JSON.stringify(state).length < 70_000);
    told.push(state.map(({ type }) => (typeof type === 'string' ? type : '')));
  };
  peer.on('PUT', '/_matrix/federation/v2/invite/', ({ body }) => {
    const { event, invite_room_state: state } = JSON.parse(body) as {
      event: JsonObject;
      invite_room_state: JsonObject[];
    };
    note(state);
    return { body: { event } };
  });
  await must(alice.post(pathOf(roomId, 'invite'), { user_id: '@bob:peer.test' }));
  await must(alice.put(pathOf(roomId, 'state/m.room.join_rules/'), { join_rule: 'knock' }));
  const path = encodeURIComponent(roomId);
  const make = `/_matrix/federation/v1/make_knock/${path}/${encodeURIComponent('@dora:peer.test')}?ver=12`;
  const { body } = await peer.send('hs1', 'GET', make);
  const { event, room_version: version } = body as { event: JsonObject; room_version: string };
  const rules = findRoomVersion(version);
  assert.ok(rules);
  const knock = hashAndSignEvent(rules, event, 'peer.test', peer.key);
  const uri = `/_matrix/federation/v1/send_knock/${path}/${encodeURIComponent(eventIdOf(rules, knock))}`;
  const answer = await peer.send('hs1', 'PUT', uri, { content: knock });
  note((answer.body as { knock_room_state: JsonObject[] }).knock_room_state);
  for (const types of told) {
    assert.equal(types[0], 'm.room.create');
    assert.ok(types.includes('m.room.name') && types.includes('m.room.join_rules'));
    assert.ok(!types.includes('m.room.topic'));
  }
  assert.equal(told.length, 2);
  assert.deepEqual(server.errors, []);
});

test('a room of version 12 shows the create event that its ID is made of, or none', async (context) => {
  const { peer, alice, room, invite, state } = await open(context, '12');
  const [create, ...others] = state;
  // Made in the same millisecond it would be the same event.
  const now = Date.now();
  await until(() => Date.now() > now, 'another millisecond');
  const otherCreate = createPeerRoom(peer, { version: '12', name: 'other' }).state.get('m.room.create ');
  assert.ok(isJsonObject(create) && otherCreate);
  const { type, state_key: stateKey, sender, content } = create;
  for (const wrong of [parseJson(otherCreate.pdu, 'lenient'), { ...create, origin_server_ts: 1 } as JsonObject]) {
    assert.equal((await invite([...others, wrong])).said, '400 M_MISSING_PARAM');
  }
  assert.equal(await pending(alice, 'invite', room.roomId), undefined);
  const stripped = { type, state_key: stateKey, sender, content } as JsonObject;
  const name = { type: 'm.room.name', state_key: '', sender: room.founder, content: { name: 'Room' } };
  for (const old of [[], [stripped, name]]) {
    assert.equal((await invite(old)).said, '200', 'as servers of before it was asked for send it');
    const seen = await until(() => pending(alice, 'invite', room.roomId), 'the invitation is there');
    const named = old.length === 0 ? [] : ['m.room.name'];
    assert.deepEqual(
      seen.map((event) => event.type),
      [...named, 'm.room.member'],
      'nothing is shown that could be a lie',
    );
    await must(alice.post(pathOf(room.roomId, 'leave'), {}));
  }
  const made = (stateKey: string) => {
    const event = { type: 'org.example.state', stateKey, sender: room.founder, content: { says: 'as hashed' } };
    return parseJson(room.make(event).pdu, 'lenient') as JsonObject;
  };
  const further = [
    made('as made'),
    { ...made('changed'), content: { says: 'as changed' } },
    { ...made('not signed'), signatures: { 'peer.test': {} } },
    { ...made('in the name of another'), sender: '@somebody:other.test' },
  ];
  assert.equal((await invite([create, ...further])).said, '200');
  const shown = await until(() => pending(alice, 'invite', room.roomId), 'the invitation is there');
  assert.deepEqual(
    shown.map((event) => [event.type, event.state_key, event.content['says']]),
    [
      ['m.room.create', '', undefined],
      ['org.example.state', 'as made', 'as hashed'],
      ['org.example.state', 'changed', undefined],
      ['m.room.member', alice.userId, undefined],
    ],
  );
});

test('an invitation whose server is gone is declined all the same', async (context) => {
  const { network, server, peer, alice, room, invite, state } = await open(context);
  await invite(state);
  await until(() => pending(alice, 'invite', room.roomId), 'the invitation is there');
  network.cut('hs1', 'peer.test');
  await must(alice.post(pathOf(room.roomId, 'leave'), {}));
  assert.equal(await pending(alice, 'invite', room.roomId), undefined);
  // Once more changes nothing.
  await must(alice.post(pathOf(room.roomId, 'leave'), {}));
  network.healAll();
  // And she may be invited again.
  assert.equal((await invite(state)).said, '200');
  await until(() => pending(alice, 'invite', room.roomId), 'it is there again');
  peer.on('GET', '/_matrix/federation/v1/make_leave/', () => ({ status: 403, body: { errcode: 'M_FORBIDDEN' } }));
  await must(alice.post(pathOf(room.roomId, 'leave'), {}));
  assert.equal(await pending(alice, 'invite', room.roomId), undefined);
  assert.deepEqual(server.errors, []);
});

test('an invitation that is sent again is answered again, and counts once', async (context) => {
  const { server, alice, room, invitation, invite, state } = await open(context);
  const sent = invitation();
  const answers = await Promise.all([1, 2].map(() => invite(state, {}, sent)));
  for (const { said, body } of [...answers, await invite(state, {}, sent)]) {
    assert.equal(said, '200');
    const { signatures } = body['event'] as { readonly signatures: object };
    assert.deepEqual(Object.keys(signatures).toSorted(), ['hs1', 'peer.test']);
  }
  assert.ok(await pending(alice, 'invite', room.roomId));
  await must(alice.post(pathOf(room.roomId, 'leave'), {}));
  assert.equal((await invite(state, {}, sent)).said, '200');
  assert.equal(await pending(alice, 'invite', room.roomId), undefined, 'it was declined');
  assert.equal((await invite(state)).said, '200');
  assert.ok(await pending(alice, 'invite', room.roomId), 'this is another one');
  assert.deepEqual(server.errors, []);
});

test('only who invited takes an invitation back', async (context) => {
  const { peer, alice, room, invite, state } = await open(context);
  const { eventId } = await invite(state);
  await until(() => pending(alice, 'invite', room.roomId), 'the invitation is there');
  const leave = (sender: string, authEvents: readonly string[]) => {
    const content = { membership: 'leave' };
    const made = room.make({ type: 'm.room.member', stateKey: alice.userId, sender, content, authEvents });
    const pdus = [parseJson(made.pdu, 'lenient')];
    return peer.send('hs1', 'PUT', `/_matrix/federation/v1/send/${encodeURIComponent(made.eventId)}`, {
      content: { origin: 'peer.test', origin_server_ts: Date.now(), pdus },
    });
  };
  await leave('@somebody:peer.test', [eventId]);
  await leave(room.founder, []);
  assert.ok(await pending(alice, 'invite', room.roomId));
  await leave(room.founder, [eventId]);
  assert.equal(await pending(alice, 'invite', room.roomId), undefined);
});

test('people of old servers are invited by the old endpoint, where the room is as old', async (context) => {
  const { server, peer, alice } = await open(context);
  const rules = findRoomVersion('1');
  assert.ok(rules);
  const asked: JsonObject[] = [];
  peer.on('PUT', '/_matrix/federation/v1/invite/', ({ body }) => {
    const event = parseJson(body, 'lenient') as JsonObject;
    asked.push(event);
    return { body: [200, { event: signEvent(rules, event, peer.serverName, peer.key) }] };
  });
  const old = await createRoom(alice, { room_version: '1', name: 'Old' });
  const body = { user_id: '@bob:peer.test' };
  await must(alice.post(pathOf(old, 'invite'), body));
  const unsigned = asked[0]?.['unsigned'] as { readonly invite_room_state: readonly JsonObject[] };
  assert.ok(
    unsigned.invite_room_state.some(({ type, signatures }) => type === 'm.room.create' && isJsonObject(signatures)),
  );
  const recent = await createRoom(alice, { room_version: '11' });
  assert.equal(await refusal(alice.post(pathOf(recent, 'invite'), body)), '502 M_UNKNOWN');
  assert.equal(asked.length, 1);
  // As the spec has it, and as Synapse does.
  for (const errcode of ['M_INCOMPATIBLE_ROOM_VERSION', 'M_UNSUPPORTED_ROOM_VERSION']) {
    peer.on('PUT', '/_matrix/federation/v2/invite/', () => ({
      status: 400,
      body: { errcode, room_version: '11' },
    }));
    assert.equal(await refusal(alice.post(pathOf(recent, 'invite'), body)), '400 M_UNSUPPORTED_ROOM_VERSION', errcode);
  }
  assert.deepEqual(server.errors, []);
});

test('an old server invites by the old endpoint', async (context) => {
  const { peer, alice } = await open(context);
  const rules = findRoomVersion('1');
  assert.ok(rules);
  const [roomId, eventId] = ['!old:peer.test', '$invitation:peer.test'];
  const event = hashAndSignEvent(
    rules,
    {
      event_id: eventId,
      room_id: roomId,
      type: 'm.room.member',
      sender: '@bob:peer.test',
      state_key: alice.userId,
      content: { membership: 'invite' },
      origin_server_ts: Date.now(),
      depth: 5,
      prev_events: [['$before:peer.test', { sha256: '' }]],
      auth_events: [],
    },
    peer.serverName,
    peer.key,
  );
  const name = { type: 'm.room.name', state_key: '', sender: '@bob:peer.test', content: { name: 'Old' } };
  const uri = `/_matrix/federation/v1/invite/${encodeURIComponent(roomId)}/${encodeURIComponent(eventId)}`;
  const content = { ...event, unsigned: { invite_room_state: [name] } };
  const { status, body } = await peer.send('hs1', 'PUT', uri, { content });
  assert.equal(status, 200, JSON.stringify(body));
  const [code, answer] = body as unknown as [number, { event: { signatures: object } }];
  assert.deepEqual([code, Object.keys(answer.event.signatures).toSorted()], [200, ['hs1', 'peer.test']]);
  const shown = await until(() => pending(alice, 'invite', roomId), 'the invitation is there');
  assert.deepEqual(
    shown.map((each) => each.content['name'] ?? each.content['membership']),
    ['Old', 'invite'],
  );
});

for (const engine of ['sqlite', 'postgres'] as const) {
  test(`many people are invited at once to a room that nobody knows (${engine})`, async (context) => {
    const network = await startTestNetwork(['hs1'], { engine });
    context.after(() => network.close());
    const peer = await openPeer(context, network, 'peer.test');
    const server = network.server('hs1');
    const people = await Promise.all(Array.from({ length: 12 }, () => server.registerUser()));
    const room = createPeerRoom(peer, { version: '11' });
    const answers = await Promise.all(
      people.map(async ({ userId }) => {
        const { eventId, pdu } = room.make({
          type: 'm.room.member',
          stateKey: userId,
          sender: room.founder,
          content: { membership: 'invite' },
        });
        const uri = `/_matrix/federation/v2/invite/${encodeURIComponent(room.roomId)}/${encodeURIComponent(eventId)}`;
        const content = { event: parseJson(pdu, 'lenient'), room_version: '11', invite_room_state: [] };
        return (await peer.send('hs1', 'PUT', uri, { content })).status;
      }),
    );
    assert.deepEqual(answers, Array(people.length).fill(200));
    for (const person of people) assert.ok(await pending(person, 'invite', room.roomId));
    assert.deepEqual(server.errors, []);
  });
}
