import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import * as fc from 'fast-check';
import { isJsonObject, type JsonObject, type JsonValue, parseJson } from '@portico/protocol';
import { federationEndpoints, roomFederationEndpoints } from '@portico/server/http/federation/index.ts';
import { anyAddress } from '@portico/testkit/arbitrary-calls.ts';
import { anyText, nearly } from '@portico/testkit/arbitrary-json.ts';
import { openPeer } from '@portico/testkit/federation-peer.ts';
import { startTestNetwork } from '@portico/testkit/network.ts';
import { until } from '@portico/testkit/until.ts';
import { edus, joinAs, send, sendTransaction, sign } from './peer.ts';

/** SQLite keeps any text; PostgreSQL refuses some. */
const engine = process.env['FUZZ_ENGINE'] === 'sqlite' ? 'sqlite' : 'postgres';
// What chance hits is no test: these answers say of no endpoint that one uses it.
delete process.env['PORTICO_TEST_EXERCISED'];
const network = await startTestNetwork(['hs1'], { engine });
after(() => network.close());
const ending: (() => Promise<void>)[] = [];
after(() => Promise.all(ending.map((end) => end())));
const peer = await openPeer({ after: (end: () => Promise<void>) => void ending.push(end) }, network, 'peer.test');
const server = network.server('hs1');
const alice = await server.registerUser('alice');
const mallory = '@mallory:peer.test';
const { body: made } = await alice.post('/_matrix/client/v3/createRoom', {
  preset: 'public_chat',
  room_version: '10',
  power_level_content_override: { state_default: 0 },
});
const roomId = String(made['room_id']);
const path = encodeURIComponent(roomId);
const joined = await joinAs(peer, path, mallory);
let seen = 0;
/** That nothing has gone wrong since this was last asked. */
function assertNoErrors(): void {
  const fresh = server.errors.slice(seen);
  seen = server.errors.length;
  assert.deepEqual(fresh, []);
}
const runs = Number(process.env['FUZZ_RUNS'] ?? 20);
/** The same each time, unless another one is asked for. */
const seed = Number(process.env['FUZZ_SEED'] ?? 1);

/** What JSON that goes from server to server may say: no lone surrogates, and no numbers that canonical JSON has no form for. */
function toWire(value: unknown): JsonValue {
  const text = JSON.stringify(value, (_, each: unknown) => {
    if (typeof each === 'string') return each.toWellFormed();
    return typeof each === 'number' && !Number.isSafeInteger(each) ? 0 : each;
  });
  return parseJson(text === undefined ? 'null' : text.replace(/\\u[dD][89a-fA-F][0-9a-fA-F]{2}/g, '?'), 'lenient');
}

describe('whatever a server asks is answered, and never with a 500', () => {
  for (const { declaration } of [...federationEndpoints, ...roomFederationEndpoints]) {
    const { method, path: declared, params, query, body } = declaration;
    test(`${method} ${declared}`, async () => {
      const usual = (name: string): readonly string[] =>
        name === 'roomId'
          ? [roomId]
          : name === 'userId'
            ? [alice.userId, mallory]
            : [joined.eventId, 'id', alice.userId];
      const contents = body === undefined ? fc.constant(undefined) : nearly(body).map(toWire);
      await fc.assert(
        fc.asyncProperty(anyAddress({ path: declared, query, body }, usual), contents, async (uri, content) => {
          const { status } = await peer.send(
            'hs1',
            method as 'GET' | 'POST' | 'PUT',
            uri,
            content === undefined ? {} : { content },
          );
          assert.ok(status < 500 || status === 502, `status ${status}`);
          assertNoErrors();
        }),
        { numRuns: params || body || query ? runs : 3, seed },
      );
    });
  }
});

const text = anyText.map((each) => each.toWellFormed().replaceAll('\uFFFD', ''));

/** Contents of events that are looked into, with any text where one is expected. */
const contents: readonly (readonly [type: string, content: (given: string) => JsonObject])[] = [
  ['m.room.message', (body) => ({ msgtype: 'm.text', body })],
  ['m.room.message', (body) => ({ msgtype: body, body, 'm.mentions': { user_ids: [body, alice.userId] } })],
  ['m.room.message', (filename) => ({ msgtype: 'm.file', body: 'file', filename, url: `mxc://peer.test/${filename}` })],
  ['m.reaction', (key) => ({ 'm.relates_to': { rel_type: 'm.annotation', event_id: joined.eventId, key } })],
  ['m.reaction', (rel_type) => ({ 'm.relates_to': { rel_type, event_id: rel_type, key: rel_type } })],
  ['m.room.name', (name) => ({ name })],
  ['m.room.topic', (topic) => ({ topic, 'm.topic': { 'm.text': [{ body: topic }] } })],
  ['m.room.avatar', (url) => ({ url })],
  ['m.room.canonical_alias', (alias) => ({ alias, alt_aliases: [alias, `#${alias}:peer.test`] })],
  ['m.room.encryption', (algorithm) => ({ algorithm })],
  ['m.room.history_visibility', (history_visibility) => ({ history_visibility })],
  ['m.room.guest_access', (guest_access) => ({ guest_access })],
  ['m.room.pinned_events', (id) => ({ pinned: [id] })],
  ['m.room.tombstone', (replacement) => ({ body: replacement, replacement_room: replacement })],
  [
    'm.room.member',
    (displayname) => ({ membership: 'join', displayname, avatar_url: displayname, reason: displayname }),
  ],
  ['m.space.child', (via) => ({ via: [via], order: via })],
  ['m.room.third_party_invite', (name) => ({ display_name: name, key_validity_url: name, public_key: name })],
  ['org.example', (name) => ({ [name]: name })],
];

const messages = new Set(['m.room.message', 'm.reaction']);
let depth = joined.depth;
let previous = joined.eventId;
let membership = joined.eventId;

async function tell(type: string, stateKey: string | undefined, content: JsonObject): Promise<void> {
  const event = sign(peer, {
    type,
    room_id: roomId,
    sender: mallory,
    content,
    depth: ++depth,
    origin_server_ts: Date.now(),
    prev_events: [previous],
    auth_events: [
      ...(joined.template['auth_events'] as string[]).slice(0, type === 'm.room.member' ? 3 : 2),
      membership,
    ],
    ...(stateKey !== undefined && { state_key: stateKey }),
  });
  const { body } = await send(peer, [event.pdu]);
  const results = isJsonObject(body) && isJsonObject(body['pdus']) ? body['pdus'] : {};
  assert.deepEqual(Object.keys(results), [event.eventId], 'it is an event');
  previous = event.eventId;
  if (type === 'm.room.member' && (results[event.eventId] as JsonObject)['error'] === undefined)
    membership = event.eventId;
}

test('whatever text events have in places that are looked into, all of the room can be read', async () => {
  const reads = [
    '/_matrix/client/v3/sync',
    `/_matrix/client/v3/rooms/${path}/messages?dir=b&limit=50`,
    `/_matrix/client/v3/rooms/${path}/state`,
    `/_matrix/client/v3/rooms/${path}/members`,
    `/_matrix/client/v3/rooms/${path}/joined_members`,
    `/_matrix/client/v1/rooms/${path}/hierarchy`,
    `/_matrix/client/v1/room_summary/${path}`,
    `/_matrix/client/v1/rooms/${path}/threads`,
    `/_matrix/client/v1/rooms/${path}/relations/${encodeURIComponent(joined.eventId)}`,
    '/_matrix/client/v3/publicRooms',
    '/_matrix/client/v3/notifications',
    `/_matrix/client/v3/profile/${encodeURIComponent(mallory)}`,
  ];
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...contents), text, text, async ([type, contentOf], given, anyKey) => {
      const key = anyKey.slice(0, 60);
      const isState = !messages.has(type) && type !== 'org.example';
      const stateKey = type === 'm.room.member' ? mallory : type === 'm.space.child' ? key : '';
      await tell(type, isState ? stateKey : undefined, contentOf(given));
      for (const uri of reads) {
        const { status, body } = await alice.get(uri);
        assert.ok(status < 500, `${uri}: ${status} ${JSON.stringify(body)}`);
      }
      for (const [uri, body] of [
        ['user_directory/search', { search_term: given.replaceAll('\0', '') }],
        ['search', { search_categories: { room_events: { search_term: given.replaceAll('\0', '') } } }],
        ['publicRooms', { filter: { generic_search_term: given.replaceAll('\0', '') } }],
      ] as const) {
        const { status } = await alice.post(`/_matrix/client/v3/${uri}`, body);
        assert.ok(status < 500, `${uri}: ${status}`);
      }
      assertNoErrors();
    }),
    { numRuns: runs * 3, seed },
  );
  // What was said before is behind all of it still.
  await tell('m.room.message', undefined, { msgtype: 'm.text', body: 'the last' });
  await until(async () => {
    const { body } = await alice.get(`/_matrix/client/v3/rooms/${path}/messages?dir=b&limit=1`);
    return JSON.stringify(body).includes('the last') ? true : undefined;
  }, 'the last event is shown');
});

const eduContents: readonly (readonly [type: string, content: (given: string) => JsonObject])[] = [
  ['m.typing', (room_id) => ({ room_id, user_id: mallory, typing: true })],
  [
    'm.presence',
    (status_msg) => ({ push: [{ user_id: mallory, presence: 'online', status_msg, last_active_ago: 1 }] }),
  ],
  [
    'm.presence',
    (presence) => ({ push: [{ user_id: mallory, presence, allowed_recipients: [presence, alice.userId] }] }),
  ],
  [
    'm.receipt',
    (id) => ({ [roomId]: { 'm.read': { [mallory]: { event_ids: [id], data: { ts: 1, thread_id: id } } } } }),
  ],
  ['m.receipt', (type) => ({ [roomId]: { [type]: { [mallory]: { event_ids: [joined.eventId], data: { ts: 1 } } } } })],
  ['m.direct_to_device', (id) => toDevice(id, 'm.x', alice.deviceId)],
  ['m.direct_to_device', (type) => toDevice('id', type, alice.deviceId)],
  ['m.direct_to_device', (device) => toDevice(`id${device}`, 'm.x', device)],
  ['m.device_list_update', (name) => deviceList({ device_display_name: name })],
  ['m.device_list_update', (device_id) => deviceList({ device_id })],
  [
    'm.device_list_update',
    (algorithm) => deviceList({ keys: { algorithms: [algorithm], keys: { [algorithm]: algorithm } } }),
  ],
  [
    'm.signing_key_update',
    (key) => ({ user_id: mallory, master_key: { user_id: mallory, usage: [key], keys: { [key]: key } } }),
  ],
];

function toDevice(message_id: string, type: string, device: string): JsonObject {
  return { sender: mallory, type, message_id, messages: { [alice.userId]: { [device]: { said: type } } } };
}

function deviceList(over: JsonObject): JsonObject {
  return { user_id: mallory, device_id: 'A', stream_id: 1, prev_id: [], ...over };
}

test('whatever text servers tell in passing, they are answered, and people can sync', async () => {
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...eduContents), text, async ([edu_type, contentOf], given) => {
      const { status } = await sendTransaction(peer, edus([{ edu_type, content: contentOf(given) }]));
      assert.equal(status, 200);
      assert.equal((await alice.get('/_matrix/client/v3/sync')).status, 200);
      assertNoErrors();
    }),
    { numRuns: runs * 3, seed },
  );
  // What they have led to is over once this is answered.
  const { status } = await alice.post('/_matrix/client/v3/keys/query', { device_keys: { [mallory]: [] } });
  assert.equal(status, 200);
  assertNoErrors();
});

/** Answers of another server, and what makes this one ask for them. */
const questions: readonly (readonly [path: string, answer: (given: string) => unknown, ask: () => Promise<number>])[] =
  [
    [
      '/_matrix/federation/v1/query/profile',
      (given) => ({ displayname: given, avatar_url: given, [given]: given }),
      async () => (await alice.get('/_matrix/client/v3/profile/@somebody:peer.test')).status,
    ],
    [
      '/_matrix/federation/v1/publicRooms',
      (given) => ({
        chunk: [{ room_id: '!a:peer.test', name: given, topic: given, canonical_alias: given, num_joined_members: 1 }],
        next_batch: given,
      }),
      async () => (await alice.get('/_matrix/client/v3/publicRooms?server=peer.test')).status,
    ],
    [
      '/_matrix/federation/v1/query/directory',
      (given) => ({ room_id: given, servers: [given, 'peer.test'] }),
      async () => (await alice.get(`/_matrix/client/v3/directory/room/${encodeURIComponent('#a:peer.test')}`)).status,
    ],
    [
      '/_matrix/federation/v1/user/keys/query',
      (given) => ({ device_keys: { '@somebody:peer.test': { [given]: { [given]: given } } }, [given]: given }),
      async () =>
        (await alice.post('/_matrix/client/v3/keys/query', { device_keys: { '@somebody:peer.test': [] } })).status,
    ],
    [
      '/_matrix/federation/v1/user/devices/',
      (given) => ({
        user_id: mallory,
        stream_id: 1,
        devices: [{ device_id: given, device_display_name: given, keys: {} }],
      }),
      async () => (await alice.post('/_matrix/client/v3/keys/query', { device_keys: { [mallory]: [] } })).status,
    ],
  ];

test('whatever text servers answer with, people are answered', async () => {
  let answer: unknown;
  for (const method of ['GET', 'POST']) {
    for (const [asked] of questions) peer.on(method, asked, () => ({ body: JSON.stringify(answer) }));
  }
  // Lone surrogates, too: JSON can say them.
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...questions), anyText, async ([asked, answerOf, ask], given) => {
      answer = answerOf(given);
      const status = await ask();
      assert.ok(status < 500 || status === 502, `${asked}: status ${status}`);
      assertNoErrors();
    }),
    { numRuns: runs * 3, seed },
  );
});
