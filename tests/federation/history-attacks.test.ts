import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test, type TestContext } from 'node:test';
import { eventIdOf, findRoomVersion, hashAndSignEvent, isJsonObject, type JsonObject } from '@portico/protocol';
import { type FederationPeer, openPeer } from '@portico/testkit/federation-peer.ts';
import { startTestNetwork } from '@portico/testkit/network.ts';
import type { TestClient } from '@portico/testkit/test-client.ts';

const rules = findRoomVersion('10');
assert.ok(rules);
const v10 = rules;

function sign(peer: FederationPeer, event: JsonObject): { readonly pdu: JsonObject; readonly eventId: string } {
  const pdu = hashAndSignEvent(v10, event, peer.serverName, peer.key);
  return { pdu, eventId: eventIdOf(v10, pdu) };
}

async function say(client: TestClient, path: string, body: string): Promise<void> {
  const uri = `/_matrix/client/v3/rooms/${path}/send/m.room.message/${randomBytes(6).toString('hex')}`;
  assert.equal((await client.put(uri, { msgtype: 'm.text', body })).status, 200);
}

/** A room of a server, which somebody of a hostile one has joined. */
async function open(context: TestContext) {
  const network = await startTestNetwork(['hs1', 'hs2']);
  context.after(() => network.close());
  const peer = await openPeer(context, network, 'peer.test');
  const alice = await network.server('hs1').registerUser('alice');
  const { body } = await alice.post('/_matrix/client/v3/createRoom', { preset: 'public_chat', room_version: '10' });
  const roomId = String(body['room_id']);
  const path = encodeURIComponent(roomId);
  return { network, peer, alice, roomId, path };
}

async function joinAs(peer: FederationPeer, path: string) {
  const uri = `/_matrix/federation/v1/make_join/${path}/${encodeURIComponent('@mallory:peer.test')}?ver=10`;
  const { body } = await peer.send('hs1', 'GET', uri);
  assert.ok(isJsonObject(body) && isJsonObject(body['event']));
  const template = body['event'];
  const { pdu, eventId } = sign(peer, template);
  const put = `/_matrix/federation/v2/send_join/${path}/${encodeURIComponent(eventId)}`;
  assert.equal((await peer.send('hs1', 'PUT', put, { content: pdu })).status, 200);
  const authEvents = [...(template['auth_events'] as string[]).slice(0, 2), eventId];
  return { eventId, depth: Number(template['depth']), authEvents };
}

const sendAll = (peer: FederationPeer, pdus: readonly JsonObject[]) =>
  peer.send('hs1', 'PUT', `/_matrix/federation/v1/send/${randomBytes(6).toString('hex')}`, {
    content: { origin: peer.serverName, origin_server_ts: Date.now(), pdus },
  });

type Chunk = readonly { readonly type: string; readonly content: { readonly body?: string } }[];

async function allTexts(client: TestClient, path: string): Promise<(string | undefined)[]> {
  const texts: (string | undefined)[] = [];
  for (let from = ''; ;) {
    const { body } = await client.get(`/_matrix/client/v3/rooms/${path}/messages?dir=b&limit=20${from}`);
    const { chunk, end } = body as unknown as { chunk: Chunk; end?: string };
    texts.push(...chunk.filter(({ type }) => type === 'm.room.message').map(({ content }) => content.body));
    if (end === undefined) return texts;
    from = `&from=${end}`;
  }
}

test('long stretches of rejected events hide nothing of what lies behind them', async (context) => {
  const { network, peer, alice, roomId, path } = await open(context);
  await say(alice, path, 'before');
  const joined = await joinAs(peer, path);
  let previous = joined.eventId;
  const rejected: JsonObject[] = [];
  // Longer than a page of history that servers give each other.
  for (let index = 0; index < 130; index++) {
    const { pdu, eventId } = sign(peer, {
      type: 'm.room.name',
      state_key: '',
      room_id: roomId,
      sender: '@mallory:peer.test',
      content: { name: `Mine ${index}` },
      depth: joined.depth + 1 + index,
      origin_server_ts: Date.now(),
      prev_events: [previous],
      auth_events: joined.authEvents,
    });
    rejected.push(pdu);
    previous = eventId;
  }
  for (let start = 0; start < rejected.length; start += 50) await sendAll(peer, rejected.slice(start, start + 50));
  const message = sign(peer, {
    type: 'm.room.message',
    room_id: roomId,
    sender: '@mallory:peer.test',
    content: { body: 'on top' },
    depth: joined.depth + 200,
    origin_server_ts: Date.now(),
    prev_events: [previous],
    auth_events: joined.authEvents,
  });
  await sendAll(peer, [message.pdu]);
  await say(alice, path, 'after');
  assert.deepEqual(await allTexts(alice, path), ['after', 'on top', 'before']);

  const bob = await network.server('hs2').registerUser('bob');
  assert.equal((await bob.post(`/_matrix/client/v3/join/${path}?via=hs1`, {})).status, 200);
  assert.deepEqual(await allTexts(bob, path), ['after', 'on top', 'before']);
});

test('what was rejected is neither given as history nor the end of it', async (context) => {
  const { network, peer, alice, roomId, path } = await open(context);
  await say(alice, path, 'before');
  const joined = await joinAs(peer, path);
  const base = { room_id: roomId, sender: '@mallory:peer.test', origin_server_ts: Date.now() };
  const message = (body: string, depth: number, previous: string) =>
    sign(peer, {
      ...base,
      type: 'm.room.message',
      content: { body },
      depth: joined.depth + depth,
      prev_events: [previous],
      auth_events: joined.authEvents,
    });
  const rejectedAfter = (previous: string, from: number, count: number) => {
    const made: ReturnType<typeof sign>[] = [];
    for (let index = 0; index < count; index++) {
      const event = sign(peer, {
        ...base,
        type: 'm.room.name',
        state_key: '',
        content: { name: `Mine ${index}` },
        depth: joined.depth + from + index,
        prev_events: [made.at(-1)?.eventId ?? previous],
        auth_events: joined.authEvents,
      });
      made.push(event);
    }
    return made;
  };
  const last = (made: readonly ReturnType<typeof sign>[]) => made.at(-1)?.eventId ?? '';

  // As this server gives it: what comes next follows nothing but what was rejected.
  const sent = rejectedAfter(joined.eventId, 1, 30);
  await sendAll(
    peer,
    sent.map(({ pdu }) => pdu),
  );
  const top = message('on top', 31, last(sent));
  await sendAll(peer, [top.pdu]);
  await say(alice, path, 'after');
  assert.deepEqual(await allTexts(alice, path), ['after', 'on top', 'before']);
  const backfill = `/_matrix/federation/v1/backfill/${path}?v=${encodeURIComponent(top.eventId)}&limit=20`;
  const missing = `/_matrix/federation/v1/get_missing_events/${path}`;
  const asked = { earliest_events: [], latest_events: [top.eventId], limit: 20 };
  for (const { body } of [
    await peer.send('hs1', 'GET', backfill),
    await peer.send('hs1', 'POST', missing, { content: asked }),
  ]) {
    const { pdus, events = pdus ?? [] } = body as { pdus?: readonly JsonObject[]; events?: readonly JsonObject[] };
    const names = events.filter((event) => event['type'] === 'm.room.name');
    assert.deepEqual(names, []);
    assert.ok(JSON.stringify(events).includes('"before"'));
  }
  const bob = await network.server('hs2').registerUser('bob');
  assert.equal((await bob.post(`/_matrix/client/v3/join/${path}?via=hs1`, {})).status, 200);
  assert.deepEqual(await allTexts(bob, path), ['after', 'on top', 'before']);

  // And as it takes it: of what another server gives, a page of nothing else.
  const good = message('good', 40, top.eventId);
  const given = rejectedAfter(good.eventId, 41, 60);
  const hidden = message('hidden', 102, last(given));
  const behind = message('behind', 103, hidden.eventId);
  const uri = `/_matrix/federation/v1/state_ids/${path}?event_id=${encodeURIComponent(joined.eventId)}`;
  const state = (await peer.send('hs1', 'GET', uri)).body as JsonObject & { pdu_ids: string[] };
  const transaction = (events: readonly ReturnType<typeof sign>[]) => ({
    body: { origin: 'peer.test', origin_server_ts: 1, pdus: events.map(({ pdu }) => pdu) },
  });
  const all = [good, ...given, hidden];
  peer.on('POST', '/_matrix/federation/v1/get_missing_events', () => ({ body: { events: [] } }));
  peer.on('GET', '/_matrix/federation/v1/event/', ({ url }) => {
    const eventId = decodeURIComponent(url.slice(url.lastIndexOf('/') + 1));
    return transaction(all.filter((each) => each.eventId === eventId));
  });
  peer.on('GET', '/_matrix/federation/v1/state_ids/', () => ({
    body: { ...state, pdu_ids: [...state.pdu_ids, joined.eventId] },
  }));
  peer.on('GET', '/_matrix/federation/v1/backfill/', ({ url }) => {
    const from = new URL(url, 'https://peer.test').searchParams.getAll('v');
    const end = all.findIndex(({ eventId }) => from.includes(eventId));
    return transaction(all.slice(Math.max(0, end - 19), end + 1).toReversed());
  });
  await sendAll(peer, [behind.pdu]);
  assert.deepEqual((await allTexts(alice, path)).slice(0, 3), ['behind', 'hidden', 'good']);
  assert.equal((await alice.get(`/_matrix/client/v3/rooms/${path}/state/m.room.name/`)).status, 404);
  assert.deepEqual(network.server('hs1').errors, []);
});

test('history that a server makes up, or takes from elsewhere, is not believed', async (context) => {
  const { network, peer, alice, roomId, path } = await open(context);
  const joined = await joinAs(peer, path);
  const base = {
    room_id: roomId,
    sender: '@mallory:peer.test',
    origin_server_ts: Date.now(),
    auth_events: joined.authEvents,
    prev_events: [joined.eventId],
  };
  const text = (body: string, over: JsonObject = {}) =>
    sign(peer, { ...base, type: 'm.room.message', content: { body }, depth: joined.depth + 1, ...over }).pdu;
  const good = text('good');
  const { body: present } = await alice.get(`/_matrix/client/v3/rooms/${path}/state`);
  const ofAlice = (present as unknown as { type: string; state_key: string; event_id: string }[]).find(
    (each) => each.type === 'm.room.member' && each.state_key === alice.userId,
  );
  assert.ok(ofAlice);
  // Nothing but the signature is wrong.
  const forged = text('forged', {
    sender: alice.userId,
    auth_events: [...joined.authEvents.slice(0, 2), ofAlice.event_id],
  });
  const elsewhere = text('elsewhere', { room_id: '!other:peer.test' });
  const later = text('from the future', { depth: joined.depth + 1000 });
  const stateless = sign(peer, {
    ...base,
    type: 'm.room.name',
    state_key: '',
    content: { name: 'Mine' },
    depth: joined.depth + 1,
  }).pdu;
  const changed = { ...text('as hashed', { origin_server_ts: 5 }), content: { body: 'as changed' } };
  // A gap: the server is told of an event whose predecessor it cannot have, and of the state behind that.
  const hidden = sign(peer, {
    ...base,
    type: 'm.room.message',
    content: { body: 'hidden' },
    depth: joined.depth + 49,
    prev_events: [eventIdOf(v10, good)],
  });
  const behind = sign(peer, {
    ...base,
    type: 'm.room.message',
    content: { body: 'behind' },
    depth: joined.depth + 51,
    prev_events: [hidden.eventId],
  });
  const uri = `/_matrix/federation/v1/state_ids/${path}?event_id=${encodeURIComponent(joined.eventId)}`;
  const state = (await peer.send('hs1', 'GET', uri)).body as JsonObject & { pdu_ids: string[] };
  const transaction = (pdus: readonly JsonObject[]) => ({ body: { origin: 'peer.test', origin_server_ts: 1, pdus } });
  peer.on('POST', '/_matrix/federation/v1/get_missing_events', () => ({ body: { events: [] } }));
  peer.on('GET', '/_matrix/federation/v1/event/', () => transaction([hidden.pdu]));
  peer.on('GET', '/_matrix/federation/v1/state_ids/', () => ({
    body: { ...state, pdu_ids: [...state.pdu_ids, joined.eventId] },
  }));
  peer.on('GET', '/_matrix/federation/v1/backfill/', () =>
    transaction([hidden.pdu, forged, elsewhere, later, stateless, changed, good]),
  );
  await sendAll(peer, [behind.pdu]);
  const texts = await allTexts(alice, path);
  assert.deepEqual(texts.slice(0, 2), ['behind', 'hidden']);
  assert.ok(texts.includes('good'));
  for (const text of ['forged', 'elsewhere', 'from the future', 'as changed']) assert.ok(!texts.includes(text), text);
  assert.equal((await alice.get(`/_matrix/client/v3/rooms/${path}/state/m.room.name/`)).status, 404);
  assert.deepEqual(network.server('hs1').errors, []);
});

test('what is allowed by an event of the past that nothing allowed is rejected', async (context) => {
  const { network, peer, alice, roomId, path } = await open(context);
  const joined = await joinAs(peer, path);
  const base = { room_id: roomId, sender: '@mallory:peer.test', origin_server_ts: Date.now(), content: {} };
  const levels = { ...base, type: 'm.room.power_levels', state_key: '' };
  const unknown = `$${'u'.repeat(43)}`;
  const past = sign(peer, {
    ...levels,
    depth: joined.depth + 1,
    prev_events: [joined.eventId],
    auth_events: [...joined.authEvents, unknown],
  });
  const message = (body: string, depth: number, previous: string) =>
    sign(peer, {
      ...base,
      type: 'm.room.message',
      content: { body },
      depth: joined.depth + depth,
      prev_events: [previous],
      auth_events: joined.authEvents,
    });
  const hidden = message('hidden', 2, past.eventId);
  const behind = message('behind', 3, hidden.eventId);
  let told = [hidden.pdu, past.pdu];
  const uri = `/_matrix/federation/v1/state_ids/${path}?event_id=${encodeURIComponent(joined.eventId)}`;
  const state = (await peer.send('hs1', 'GET', uri)).body as JsonObject & { pdu_ids: string[] };
  const transaction = (pdus: readonly JsonObject[]) => ({ body: { origin: 'peer.test', origin_server_ts: 1, pdus } });
  peer.on('POST', '/_matrix/federation/v1/get_missing_events', () => ({ body: { events: [] } }));
  peer.on('GET', '/_matrix/federation/v1/event/', () => transaction(told.slice(0, 1)));
  peer.on('GET', '/_matrix/federation/v1/event_auth/', () => ({ body: { auth_chain: [] } }));
  peer.on('GET', '/_matrix/federation/v1/state_ids/', () => ({
    body: { ...state, pdu_ids: [...state.pdu_ids, joined.eventId] },
  }));
  peer.on('GET', '/_matrix/federation/v1/backfill/', () => transaction(told));
  await sendAll(peer, [behind.pdu]);
  assert.deepEqual((await allTexts(alice, path)).slice(0, 2), ['behind', 'hidden']);
  const basedOnPast = (depth: number, previous: string) =>
    sign(peer, {
      ...levels,
      depth: joined.depth + depth,
      prev_events: [previous],
      auth_events: [...joined.authEvents.filter((each) => each !== joined.authEvents[1]), past.eventId],
    });
  const based = basedOnPast(4, behind.eventId);
  const { body } = await sendAll(peer, [based.pdu]);
  const { error } = ((body as JsonObject)['pdus'] as Record<string, JsonObject>)[based.eventId] ?? {};
  assert.equal(error, `the auth event ${past.eventId} was rejected`);
  const top = message('top', 5, based.eventId);
  await sendAll(peer, [top.pdu]);
  assert.deepEqual((await allTexts(alice, path)).slice(0, 3), ['top', 'behind', 'hidden']);

  const again = basedOnPast(6, top.eventId);
  const later = message('later', 7, again.eventId);
  told = [later.pdu, again.pdu];
  await sendAll(peer, [message('last', 8, later.eventId).pdu]);
  assert.deepEqual((await allTexts(alice, path)).slice(0, 3), ['last', 'later', 'top']);
  assert.deepEqual(network.server('hs1').errors, []);
});

test('the state of the past that a server tells has nothing that was rejected, nor anything of other rooms', async (context) => {
  const { peer, alice, roomId, path } = await open(context);
  const joined = await joinAs(peer, path);
  const event = (over: JsonObject) =>
    sign(peer, {
      room_id: roomId,
      sender: '@mallory:peer.test',
      origin_server_ts: Date.now(),
      auth_events: joined.authEvents,
      content: {},
      ...over,
    });
  const message = (depth: number, ...previous: readonly string[]) =>
    event({ type: 'm.room.message', depth: joined.depth + depth, prev_events: [...previous] });
  const rejected = event({
    type: 'm.room.topic',
    state_key: '',
    depth: joined.depth + 1,
    prev_events: [joined.eventId],
  });
  await sendAll(peer, [rejected.pdu]);
  const { body: created } = await alice.post('/_matrix/client/v3/createRoom', {
    room_version: '10',
    name: 'Elsewhere',
  });
  const elsewhere = encodeURIComponent(String(created['room_id']));
  const { body: entries } = await alice.get(`/_matrix/client/v3/rooms/${elsewhere}/state`);
  const foreign = (entries as unknown as { type: string; event_id: string }[]).find(
    ({ type }) => type === 'm.room.name',
  );
  assert.ok(foreign);

  // A gap, and behind it an event that follows one which nobody has: what the state before it was, its server tells.
  const old = message(2, joined.eventId, `$${'u'.repeat(43)}`);
  const hidden = message(3, old.eventId);
  const behind = message(4, hidden.eventId);
  const idsBefore = async (eventId: string) => {
    const uri = `/_matrix/federation/v1/state_ids/${path}?event_id=${encodeURIComponent(eventId)}`;
    return (await peer.send('hs1', 'GET', uri)).body as { pdu_ids: string[]; auth_chain_ids: string[] };
  };
  const state = await idsBefore(joined.eventId);
  const now = [...state.pdu_ids, joined.eventId];
  peer.on('POST', '/_matrix/federation/v1/get_missing_events/', () => ({ body: { events: [] } }));
  const transaction = (pdus: readonly JsonObject[]) => ({ body: { origin: 'peer.test', origin_server_ts: 1, pdus } });
  peer.on('GET', '/_matrix/federation/v1/event/', () => transaction([hidden.pdu]));
  peer.on('GET', '/_matrix/federation/v1/state_ids/', ({ url }) => {
    const lies = url.includes(encodeURIComponent(old.eventId)) ? [rejected.eventId, foreign.event_id] : [];
    return { body: { ...state, pdu_ids: [...now, ...lies] } };
  });
  peer.on('GET', '/_matrix/federation/v1/backfill/', () => transaction([hidden.pdu, old.pdu]));
  await sendAll(peer, [behind.pdu]);
  await allTexts(alice, path);
  assert.deepEqual((await idsBefore(old.eventId)).pdu_ids.toSorted(), now.toSorted());
});

test('a redaction of the past is shown behind what it redacts, and none that may not redact', async (context) => {
  const { network, peer, alice, roomId, path } = await open(context);
  await say(alice, path, 'of alice');
  const { body: before } = await alice.get(`/_matrix/client/v3/rooms/${path}/messages?dir=b&limit=1`);
  const victim = (before['chunk'] as { event_id: string }[])[0]?.event_id ?? '';
  const joined = await joinAs(peer, path);
  let depth = joined.depth;
  let previous = joined.eventId;
  /** Each follows the one before. */
  function make(event: JsonObject) {
    depth++;
    const made = sign(peer, {
      room_id: roomId,
      sender: '@mallory:peer.test',
      origin_server_ts: Date.now(),
      auth_events: joined.authEvents,
      content: {},
      depth,
      prev_events: [previous],
      ...event,
    });
    previous = made.eventId;
    return made;
  }
  const message = (body: string) => make({ type: 'm.room.message', content: { body } });
  const redaction = (redacts: string) => make({ type: 'm.room.redaction', redacts });
  const [regretted, after] = [message('regretted'), message('after')];
  const [allowed, twice, forged] = [redaction(regretted.eventId), redaction(regretted.eventId), redaction(victim)];
  const [hidden, known] = [message('hidden'), redaction(previous)];
  const behind = message('behind');
  const uri = `/_matrix/federation/v1/state_ids/${path}?event_id=${encodeURIComponent(joined.eventId)}`;
  const state = (await peer.send('hs1', 'GET', uri)).body as JsonObject & { pdu_ids: string[] };
  const transaction = (pdus: readonly JsonObject[]) => ({ body: { origin: 'peer.test', origin_server_ts: 1, pdus } });
  const stretches = [
    [known, hidden, forged, twice, allowed],
    [after, regretted],
  ];
  peer.on('POST', '/_matrix/federation/v1/get_missing_events', () => ({ body: { events: [] } }));
  peer.on('GET', '/_matrix/federation/v1/event/', () => transaction([known.pdu]));
  peer.on('GET', '/_matrix/federation/v1/state_ids/', () => ({
    body: { ...state, pdu_ids: [...state.pdu_ids, joined.eventId] },
  }));
  peer.on('GET', '/_matrix/federation/v1/backfill/', () =>
    transaction((stretches.shift() ?? []).map(({ pdu }) => pdu)),
  );
  await sendAll(peer, [behind.pdu]);
  const { body: synced } = await alice.get('/_matrix/client/v3/sync');
  const seen: { event_id: string; content: JsonObject; unsigned: JsonObject }[] = [];
  for (let from: string | undefined = ''; from !== undefined;) {
    const { body } = await alice.get(`/_matrix/client/v3/rooms/${path}/messages?dir=b&limit=2${from}`);
    const { chunk, end } = body as unknown as { chunk: typeof seen; end?: string };
    seen.push(...chunk);
    from = end === undefined ? undefined : `&from=${end}`;
  }
  const places = seen.map(({ event_id: id }) => id);
  const ids = [behind, known, hidden, after, twice, allowed, regretted].map(({ eventId }) => eventId);
  assert.deepEqual(places.slice(0, ids.length), ids);
  assert.equal(places.includes(forged.eventId), false);
  const of = (eventId: string) => seen.find(({ event_id: id }) => id === eventId);
  assert.deepEqual([of(regretted.eventId)?.content, of(hidden.eventId)?.content], [{}, {}]);
  assert.equal(of(regretted.eventId)?.unsigned['redacted_by'], allowed.eventId);
  assert.deepEqual(of(victim)?.content['body'], 'of alice');
  for (const { eventId } of [forged, allowed]) {
    const { status } = await alice.get(`/_matrix/client/v3/rooms/${path}/event/${encodeURIComponent(eventId)}`);
    assert.equal(status, eventId === forged.eventId ? 404 : 200);
  }
  const since = String(synced['next_batch']);
  const { body: news } = await alice.get(`/_matrix/client/v3/sync?since=${since}`);
  assert.equal(JSON.stringify(news).includes(allowed.eventId), false, 'the past is no news');
  assert.deepEqual(network.server('hs1').errors, []);
});
