import assert from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';
import { createHash } from 'node:crypto';
import http from 'node:http';
import https from 'node:https';
import { StatementSync } from 'node:sqlite';
import { after, test } from 'node:test';
import { findRoomVersion, hashAndSignEvent, type JsonObject, parseJson } from '@portico/protocol';
import { startPeer } from '@portico/testkit/federation-peer.ts';
import { startTestNetwork } from '@portico/testkit/network.ts';
import { createPeerRoom } from '@portico/testkit/peer-room.ts';
import type { TestClient } from '@portico/testkit/test-client.ts';

/*
 * Who is ignored must not find that out by how long an answer takes. Clocks prove nothing: here it is every statement that is run for a
 * request until it is answered, for each door and whatever becomes of the invitation, and for what the inviter may ask next. That the
 * decision itself takes as long is for `decide-invite.properties.test.ts` to show.
 */

const v3 = '/_matrix/client/v3';
const network = await startTestNetwork(['hs1']);
const peer = await startPeer(network, 'peer.test');
const server = network.server('hs1');
const mallory = await server.registerUser('mallory');
after(async () => {
  await peer.close();
  await network.close();
});
const peerRoom = createPeerRoom(peer);
const byName = new Map<string, string>();
peer.on('GET', '/_matrix/identity/v2/hash_details', () => ({
  body: { lookup_pepper: 'pepper', algorithms: ['sha256'] },
}));
peer.on('POST', '/_matrix/identity/v2/lookup', ({ body }) => {
  const { addresses } = JSON.parse(body) as { addresses: string[] };
  return { body: { mappings: Object.fromEntries(addresses.map((address) => [address, byName.get(address) ?? ''])) } };
});

/** What was done for a request until it was answered. */
type Trace = { readonly url: string; readonly done: string[]; isAnswered: boolean };
const traces = new AsyncLocalStorage<Trace>();
const answered: Trace[] = [];

for (const prototype of [http.Server.prototype, https.Server.prototype]) {
  const { emit } = prototype;
  prototype.emit = function (this: http.Server, event: string, ...args: unknown[]) {
    const go = () => (emit as (...all: unknown[]) => boolean).call(this, event, ...args);
    if (event !== 'request') return go();
    const { url = '' } = args[0] as http.IncomingMessage;
    return traces.run({ url, done: [], isAnswered: false }, go);
  } as typeof emit;
}
const { end } = http.ServerResponse.prototype;
http.ServerResponse.prototype.end = function (this: http.ServerResponse, ...args: unknown[]) {
  const trace = traces.getStore();
  if (trace?.isAnswered === false) answered.push({ ...trace, isAnswered: true });
  if (trace !== undefined) trace.isAnswered = true;
  return (end as (...all: unknown[]) => http.ServerResponse).apply(this, args);
} as typeof end;
for (const method of ['all', 'get', 'run', 'iterate'] as const) {
  const original = StatementSync.prototype[method] as (...args: unknown[]) => unknown;
  StatementSync.prototype[method] = function (this: StatementSync, ...args: unknown[]) {
    const trace = traces.getStore();
    if (trace?.isAnswered === false) trace.done.push(this.sourceSQL.replaceAll(/\s+/g, ' ').slice(0, 90));
    return original.apply(this, args);
  } as never;
}

type Answer = { readonly status: number; readonly body: unknown };

/** What a request leads to, and all that was done before it was answered. */
async function observe(
  part: string,
  request: () => Promise<Answer>,
): Promise<{ readonly answer: Answer; readonly done: readonly string[] }> {
  answered.splice(0);
  const answer = await request();
  const [trace, ...others] = answered.filter(({ url }) => url.includes(part));
  assert.ok(trace !== undefined && others.length === 0, `one request to ${part}`);
  return { answer, done: trace.done };
}

const room = async (): Promise<string> => {
  const { body } = await mallory.post(`${v3}/createRoom`, { preset: 'private_chat' });
  return body['room_id'] as string;
};
const pathOf = (roomId: string, path: string) => `${v3}/rooms/${encodeURIComponent(roomId)}/${path}`;

type Observed = Awaited<ReturnType<typeof observe>> & { readonly roomId?: string };

async function throughClient(part: string, ask: (roomId: string) => Promise<Answer>): Promise<Observed> {
  const roomId = await room();
  return { roomId, ...(await observe(part, () => ask(roomId))) };
}

function throughFederation(version: 'v1' | 'v2', invitee: TestClient): Promise<Observed> {
  const content = { membership: 'invite' };
  const base = `/_matrix/federation/${version}/invite/`;
  if (version === 'v2') {
    const wanted = { type: 'm.room.member', stateKey: invitee.userId, sender: peerRoom.founder, content };
    const { eventId, pdu } = peerRoom.make(wanted);
    const uri = `${base}${encodeURIComponent(peerRoom.roomId)}/${encodeURIComponent(eventId)}`;
    const body = { event: parseJson(pdu), room_version: '11', invite_room_state: [] } as JsonObject;
    return observe(base, () => peer.send('hs1', 'PUT', uri, { content: body }));
  }
  const rules = findRoomVersion('1');
  assert.ok(rules);
  const [roomId, eventId] = ['!old:peer.test', `$${invitee.userId.slice(1).replaceAll(/\W/g, '')}:peer.test`];
  const event = {
    type: 'm.room.member',
    room_id: roomId,
    event_id: eventId,
    sender: peerRoom.founder,
    state_key: invitee.userId,
    content,
    depth: 5,
    origin_server_ts: Date.now(),
    origin: 'peer.test',
    prev_events: [],
    auth_events: [],
  };
  const pdu = hashAndSignEvent(rules, event, peer.serverName, peer.key);
  const uri = `${base}${encodeURIComponent(roomId)}/${encodeURIComponent(eventId)}`;
  return observe(base, () => peer.send('hs1', 'PUT', uri, { content: pdu }));
}

const doors: Readonly<Record<string, (invitee: TestClient) => Promise<Observed>>> = {
  'an invitation': (invitee) =>
    throughClient('/invite', (roomId) => mallory.post(pathOf(roomId, 'invite'), { user_id: invitee.userId })),
  'a member event': (invitee) =>
    throughClient('/state/m.room.member', (roomId) =>
      mallory.put(pathOf(roomId, `state/m.room.member/${invitee.userId}`), { membership: 'invite' }),
    ),
  'an address': (invitee) =>
    throughClient('/invite', (roomId) => {
      const hash = createHash('sha256')
        .update(`${invitee.userId.slice(1, 9)}@x.org email pepper`)
        .digest('base64url');
      byName.set(hash, invitee.userId);
      return mallory.post(pathOf(roomId, 'invite'), {
        id_server: 'peer.test:8448',
        id_access_token: 'secret',
        medium: 'email',
        address: `${invitee.userId.slice(1, 9)}@x.org`,
      });
    }),
  'a new room': (invitee) =>
    observe('/createRoom', () =>
      mallory.post(`${v3}/createRoom`, { preset: 'private_chat', invite: [invitee.userId] }),
    ),
  'a new room with a member event': (invitee) =>
    observe('/createRoom', () =>
      mallory.post(`${v3}/createRoom`, {
        initial_state: [{ type: 'm.room.member', state_key: invitee.userId, content: { membership: 'invite' } }],
      }),
    ),
  'another server': (invitee) => throughFederation('v2', invitee),
  'another server, of old': (invitee) => throughFederation('v1', invitee),
};

/** About a mebibyte of patterns, each of which could match anybody. */
const filler = Array.from({ length: 16_000 }, (_, index) => {
  const bits = index.toString(2).padStart(28, '0');
  return `@*${bits.replaceAll('0', 'o*').replaceAll('1', 'o?')}z*`;
});
const decisions: Readonly<Record<string, { readonly rules?: JsonObject; readonly ignores?: true }>> = {
  'no rule': {},
  'allowed by pattern': { rules: { allowed_users: ['@mal*', '@foun*'] } },
  'allowed by server': { rules: { allowed_servers: ['hs?', 'peer.*'] } },
  'ignored by name': { rules: { ignored_users: [mallory.userId, peerRoom.founder] } },
  'ignored by pattern': { rules: { ignored_users: ['@mal*', '@foun*'] } },
  'ignored by server': { rules: { ignored_servers: ['hs?', 'peer.*'] } },
  'in the list of ignored people': { ignores: true },
};

async function personWith({ rules = {}, ignores }: { readonly rules?: JsonObject; readonly ignores?: true }) {
  const person = await server.registerUser();
  const data = `${v3}/user/${person.userId}/account_data`;
  const users = [mallory.userId, peerRoom.founder].map((each) => (ignores ? each : each.replace('@', '@x')));
  const ignored = { ignored_users: Object.fromEntries(users.map((each) => [each, {}])) };
  for (const [type, content] of [
    ['m.invite_permission_config', { blocked_users: filler, ...rules }],
    ['m.ignored_user_list', ignored],
  ] as const) {
    const { status } = await person.put(`${data}/${type}`, content);
    assert.equal(status, 200);
  }
  return person;
}

/** An answer without what is different in each. */
function shapeOf({ status, body }: Answer, person: TestClient): string {
  const text = JSON.stringify(body).replaceAll(person.userId, 'INVITEE').replaceAll(person.userId.slice(1, -4), 'NAME');
  return `${status} ${text
    .replaceAll(/"[$!][^"]+"/g, 'ID')
    .replaceAll(/\d+/g, '0')
    .replaceAll(/"s0[^"]*"/g, 'TOKEN')}`;
}

/** What the inviter can ask next. */
async function nextAnswers(person: TestClient, roomId: string) {
  const requests: readonly (readonly [string, () => Promise<Answer>])[] = [
    ['/members', () => mallory.get(pathOf(roomId, 'members'))],
    ['/state/m.room.member', () => mallory.get(pathOf(roomId, `state/m.room.member/${person.userId}`))],
    ['/profile', () => mallory.get(`${v3}/profile/${person.userId}`)],
    ['/invite', () => mallory.post(pathOf(roomId, 'invite'), { user_id: person.userId })],
    ['/presence', () => mallory.get(`${v3}/presence/${person.userId}/status`)],
    ['/search', () => mallory.post(`${v3}/user_directory/search`, { search_term: person.userId })],
  ];
  const all: string[] = [];
  for (const [part, request] of requests) {
    // Whoever searches first reads what the index has not caught up with yet.
    if (part === '/search') await request();
    const { answer, done } = await observe(part, request);
    all.push(shapeOf(answer, person), ...done);
  }
  return all;
}

for (const [door, go] of Object.entries(doors)) {
  test(`until the inviter is answered, nothing depends on whether they are ignored: ${door}`, async () => {
    // What is done only once is done for somebody else.
    for (let time = 0; time < 2; time++) await go(await personWith({}));
    let expected: unknown;
    for (const [decision, settings] of Object.entries(decisions)) {
      const person = await personWith(settings);
      const { answer, done, roomId } = await go(person);
      assert.equal(answer.status, 200, JSON.stringify(answer.body));
      const next = roomId === undefined ? [] : await nextAnswers(person, roomId);
      expected ??= { done, next };
      assert.deepEqual({ done, next }, expected, decision);
    }
    assert.deepEqual(server.errors, []);
  });
}
