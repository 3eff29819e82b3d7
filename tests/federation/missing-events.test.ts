import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test, type TestContext } from 'node:test';
import type { JsonObject } from '@portico/protocol';
import { must } from '@portico/testkit/people.ts';
import type { TestClient } from '@portico/testkit/test-client.ts';
import { until } from '@portico/testkit/until.ts';
import { joinAs, joinTemplate, openWithPeer, send, sign } from './peer.ts';

test('events that a message follows, and that never came, are fetched', async (context) => {
  const { peer, path, roomId, alice } = await openWithPeer(context);
  const { template, eventId: joined, depth } = await joinAs(peer, path);
  const follow = (previous: string, place: number) =>
    sign(peer, {
      type: 'm.room.message',
      room_id: roomId,
      sender: '@mallory:peer.test',
      content: { body: `message ${place}` },
      depth: depth + place,
      origin_server_ts: Date.now(),
      prev_events: [previous],
      auth_events: [...(template['auth_events'] as string[]).slice(0, 2), joined],
    });
  const first = follow(joined, 1);
  const second = follow(first.eventId, 2);
  const third = follow(second.eventId, 3);
  const forged = { ...first.pdu, signatures: {} };
  peer.on('POST', '/_matrix/federation/v1/get_missing_events', () => ({
    body: { events: [forged, first.pdu, second.pdu] },
  }));
  const { body } = await send(peer, [third.pdu]);
  assert.deepEqual((body as { pdus: Record<string, unknown> }).pdus[third.eventId], Object.create(null));
  const { body: page } = await alice.get(`/_matrix/client/v3/rooms/${path}/messages?dir=b&limit=3`);
  const texts = (page['chunk'] as { content: { body?: string } }[]).map(({ content }) => content.body);
  assert.deepEqual(texts, ['message 3', 'message 2', 'message 1']);
});

test('missing events that nobody has signed count for nothing', async (context) => {
  const { peer, path, roomId, alice } = await openWithPeer(context);
  const { template, eventId: joined, depth } = await joinAs(peer, path);
  const base = {
    type: 'm.room.message',
    room_id: roomId,
    sender: '@mallory:peer.test',
    content: {},
    origin_server_ts: Date.now(),
    auth_events: [...(template['auth_events'] as string[]).slice(0, 2), joined],
  };
  const missing = sign(peer, { ...base, depth: depth + 1, prev_events: [joined] });
  const next = sign(peer, { ...base, depth: depth + 2, prev_events: [missing.eventId] });
  const unsigned = { ...missing.pdu, signatures: {} };
  peer.on('POST', '/_matrix/federation/v1/get_missing_events', () => ({ body: { events: [unsigned] } }));
  peer.on('GET', '/_matrix/federation/v1/event/', () => ({
    body: { origin: 'peer.test', origin_server_ts: 1, pdus: [unsigned] },
  }));
  const { body } = await send(peer, [next.pdu]);
  assert.deepEqual((body as { pdus: Record<string, unknown> }).pdus[next.eventId], Object.create(null));
  for (const eventId of [missing.eventId, next.eventId]) {
    const { status } = await alice.get(`/_matrix/client/v3/rooms/${path}/event/${encodeURIComponent(eventId)}`);
    assert.equal(status, 404);
  }
});

/** A gap whose first event follows one that nobody has, as far as this server is told. */
async function openGap(context: TestContext) {
  const { network, server, peer, path, roomId, alice } = await openWithPeer(context);
  const { template, eventId: joined, depth } = await joinAs(peer, path);
  const uri = `/_matrix/federation/v1/state_ids/${path}?event_id=${encodeURIComponent(joined)}`;
  const { body: state } = await peer.send('hs1', 'GET', uri);
  const before = state as { readonly pdu_ids: readonly string[]; readonly auth_chain_ids: readonly string[] };
  const base = {
    type: 'm.room.message',
    room_id: roomId,
    sender: '@mallory:peer.test',
    origin_server_ts: Date.now(),
    auth_events: [...(template['auth_events'] as string[]).slice(0, 2), joined],
  };
  const follow = (previous: string, place: number, more: object = {}) =>
    sign(peer, {
      ...base,
      content: { body: `message ${place}` },
      depth: depth + place,
      prev_events: [previous],
      ...more,
    });
  const lost = follow(`$${'l'.repeat(43)}`, 90);
  const events = new Map([[lost.eventId, lost.pdu]]);
  const refused: string[] = [];
  peer.on('POST', '/_matrix/federation/v1/get_missing_events', () => ({ body: { events: [] } }));
  peer.on('GET', '/_matrix/federation/v1/event/', (request) => {
    const eventId = decodeURIComponent(request.url.split('/').at(-1) ?? '');
    const pdu = events.get(eventId);
    if (pdu !== undefined) return { body: { origin: 'peer.test', origin_server_ts: 1, pdus: [pdu] } };
    refused.push(eventId);
    return { status: 404, body: { errcode: 'M_NOT_FOUND', error: 'No such event' } };
  });
  peer.on('GET', '/_matrix/federation/v1/state_ids/', () => ({
    body: { pdu_ids: [...before.pdu_ids, joined], auth_chain_ids: before.auth_chain_ids },
  }));
  const shows = async (eventId: string) =>
    (await alice.get(`/_matrix/client/v3/rooms/${path}/event/${encodeURIComponent(eventId)}`)).body['content'];
  return { network, server, peer, path, alice, joined, before, lost, events, refused, follow, shows };
}

test('an event for which others have to be fetched keeps nothing else of its server waiting', async (context) => {
  const { server, peer, alice, lost, follow, shows } = await openGap(context);
  const other = await server.registerUser('carol');
  const { body } = await other.post('/_matrix/client/v3/createRoom', { preset: 'public_chat', room_version: '10' });
  const otherId = String(body['room_id']);
  const { template, eventId: joined, depth } = await joinAs(peer, encodeURIComponent(otherId));
  const here = sign(peer, {
    type: 'm.room.message',
    room_id: otherId,
    sender: '@mallory:peer.test',
    content: { body: 'elsewhere' },
    depth: depth + 1,
    origin_server_ts: Date.now(),
    prev_events: [joined],
    auth_events: [...(template['auth_events'] as string[]).slice(0, 2), joined],
  });
  const asked = Promise.withResolvers<void>();
  const given = Promise.withResolvers<{ body: JsonObject }>();
  peer.on('POST', '/_matrix/federation/v1/get_missing_events', () => {
    asked.resolve();
    return given.promise;
  });
  const next = follow(lost.eventId, 91);
  const sent = [next, here].map(({ pdu }) => send(peer, [pdu]));
  await asked.promise;
  for (const each of sent) assert.equal((await each).status, 200);
  const path = `/_matrix/client/v3/rooms/${encodeURIComponent(otherId)}/event/${encodeURIComponent(here.eventId)}`;
  assert.equal((await other.get(path)).status, 200);
  assert.equal(await shows(next.eventId), undefined);
  // What was not waited for is not forgotten.
  const { next_batch: since } = (await alice.get('/_matrix/client/v3/sync')).body;
  const news = alice.get(`/_matrix/client/v3/sync?timeout=20000&since=${String(since)}`);
  given.resolve({ body: { events: [] } });
  await news;
  assert.deepEqual(await shows(next.eventId), { body: 'message 91' });
});

/** A process ends after it has answered for an event, and before it has what that follows; `meanwhile` something else happens. */
async function endBeforeItCame(
  context: TestContext,
  meanwhile: (alice: TestClient, path: string) => Promise<unknown> = async () => undefined,
) {
  const { network, server, peer, path, alice, lost, follow } = await openGap(context);
  const asked = Promise.withResolvers<void>();
  peer.on('POST', '/_matrix/federation/v1/get_missing_events', () => {
    asked.resolve();
    return new Promise(() => undefined);
  });
  const next = follow(lost.eventId, 91);
  const sent = send(peer, [next.pdu]);
  await asked.promise;
  assert.equal((await sent).status, 200);
  const kept = () => {
    const database = new DatabaseSync(join(server.dataDir, 'portico.db'));
    const rows = database.prepare('select event_id from late_events').all();
    database.close();
    return rows.map((row) => row['event_id']);
  };
  assert.deepEqual(kept(), [next.eventId], 'it is there whatever happens to the process');
  await meanwhile(alice, path);
  await network.stop('hs1');
  assert.deepEqual(kept(), [next.eventId]);
  peer.on('POST', '/_matrix/federation/v1/get_missing_events', () => ({ body: { events: [] } }));
  await network.start('hs1');
  const again = network.server('hs1').as(alice);
  const uri = `/_matrix/client/v3/rooms/${path}/event/${encodeURIComponent(next.eventId)}`;
  return { kept, statusOf: async () => (await again.get(uri)).status };
}

test('an event that was answered for is received by the next process, if this one ends meanwhile', async (context) => {
  const { kept, statusOf } = await endBeforeItCame(context);
  await until(async () => (await statusOf()) === 200, 'it is received');
  await until(() => kept().length === 0, 'it is kept no longer');
});

test('an event that was answered for is not received once its room denies the server that sent it', async (context) => {
  const acl = { allow: ['*'], deny: ['peer.test'] };
  const { kept, statusOf } = await endBeforeItCame(context, (alice, path) =>
    must(alice.put(`/_matrix/client/v3/rooms/${path}/state/m.room.server_acl/`, acl)),
  );
  await until(() => kept().length === 0, 'it is kept no longer');
  assert.equal(await statusOf(), 404);
});

test('where a gap is not filled, the state behind it is fetched', async (context) => {
  const { peer, lost, follow, shows } = await openGap(context);
  const next = follow(lost.eventId, 91);
  const { body } = await send(peer, [next.pdu]);
  assert.deepEqual((body as { pdus: Record<string, unknown> }).pdus[next.eventId], Object.create(null));
  assert.deepEqual(await shows(next.eventId), { body: 'message 91' });
});

test('what comes when others follow it already is shown, and is no branch of its room', async (context) => {
  const { peer, path, joined, events, follow, shows } = await openGap(context);
  const late = follow(joined, 90);
  events.set(late.eventId, late.pdu);
  const next = follow(late.eventId, 91);
  await send(peer, [next.pdu]);
  assert.deepEqual({ ...((await shows(next.eventId)) as object) }, { body: 'message 91' });
  await send(peer, [late.pdu]);
  assert.deepEqual({ ...((await shows(late.eventId)) as object) }, { body: 'message 90' });
  const template = await joinTemplate(peer, path, '@mallory:peer.test');
  assert.deepEqual(template['prev_events'], [next.eventId]);
});

for (const [what, refused] of [
  ['is rejected', { type: 'm.room.name', state_key: '', content: { name: 'Mine' } }],
  ['fails softly', { content: { body: 'from before I left' } }],
] as const) {
  test(`what comes when all that follows it ${what} changes the state of its room`, async (context) => {
    const { peer, path, alice, joined, before, events, follow } = await openGap(context);
    const leave = (userId: string, template: JsonObject, previous: string) =>
      follow(previous, 90, {
        type: 'm.room.member',
        state_key: userId,
        sender: userId,
        content: { membership: 'leave' },
        origin_server_ts: Date.now() + 1000,
        auth_events: [...(template['auth_events'] as string[]).slice(0, 2), previous],
      });
    const { template, eventId: there } = await joinAs(peer, path, '@other:peer.test');
    const late = leave('@other:peer.test', template, there);
    peer.on('GET', '/_matrix/federation/v1/state_ids/', () => ({
      body: { pdu_ids: [...before.pdu_ids, joined, there], auth_chain_ids: before.auth_chain_ids },
    }));
    events.set(late.eventId, late.pdu);
    const { pdu } = follow(late.eventId, 91, refused);
    if (what === 'fails softly') await send(peer, [leave('@mallory:peer.test', template, joined).pdu]);
    await send(peer, [pdu]);
    await send(peer, [late.pdu]);
    const { body } = await alice.get(`/_matrix/client/v3/rooms/${path}/state/m.room.member/@other:peer.test`);
    assert.equal(body['membership'], 'leave');
  });
}

test('what follows an event that is rejected is judged by the state before that', async (context) => {
  const { peer, path, alice, events, follow, shows } = await openGap(context);
  const over = { type: 'm.room.name', state_key: '', content: { name: 'Mine' } };
  const rejected = follow(`$${'m'.repeat(43)}`, 90, over);
  events.set(rejected.eventId, rejected.pdu);
  const next = follow(rejected.eventId, 91);
  await send(peer, [next.pdu]);
  assert.deepEqual(await shows(next.eventId), { body: 'message 91' });
  assert.equal((await alice.get(`/_matrix/client/v3/rooms/${path}/state/m.room.name/`)).status, 404);
});

test('where a gap is filled in part, the state behind that part is fetched', async (context) => {
  const { peer, path, alice, lost, follow } = await openGap(context);
  const second = follow(lost.eventId, 91);
  const third = follow(second.eventId, 92);
  const next = follow(third.eventId, 93);
  peer.on('POST', '/_matrix/federation/v1/get_missing_events', () => ({ body: { events: [third.pdu, second.pdu] } }));
  await send(peer, [next.pdu]);
  const { body: page } = await alice.get(`/_matrix/client/v3/rooms/${path}/messages?dir=b&limit=3`);
  const texts = (page['chunk'] as { content: { body?: string } }[]).map(({ content }) => content.body);
  assert.deepEqual(texts, ['message 93', 'message 92', 'message 91']);
});

test('a state of which something cannot be had is not believed in part', async (context) => {
  const { peer, path, alice, joined, before, lost, events, refused, follow, shows } = await openGap(context);
  const name = (displayname: string, previous: string) =>
    follow(previous, 80, {
      type: 'm.room.member',
      state_key: '@mallory:peer.test',
      content: { membership: 'join', displayname },
      auth_events: [...before.auth_chain_ids.filter((id) => id !== joined), previous].slice(-10),
    });
  const hidden = name('hidden', joined);
  const shown = name('shown', hidden.eventId);
  events.set(shown.eventId, shown.pdu);
  peer.on('GET', '/_matrix/federation/v1/state_ids/', () => ({
    body: {
      pdu_ids: [...before.pdu_ids, shown.eventId],
      auth_chain_ids: [...before.auth_chain_ids, joined, hidden.eventId],
    },
  }));
  const next = follow(lost.eventId, 91);
  const { body } = await send(peer, [next.pdu]);
  assert.deepEqual((body as { pdus: Record<string, unknown> }).pdus[next.eventId], Object.create(null));
  assert.deepEqual(refused, [hidden.eventId]);
  assert.equal(await shows(next.eventId), undefined);
  const member = await alice.get(`/_matrix/client/v3/rooms/${path}/state/m.room.member/@mallory:peer.test`);
  assert.equal(member.body['displayname'], undefined);

  // Nothing of it would keep the event out, except that for something in it another event is given.
  const unknown = `$${'k'.repeat(43)}`;
  events.set(unknown, lost.pdu);
  peer.on('GET', '/_matrix/federation/v1/state_ids/', () => ({
    body: { pdu_ids: [...before.pdu_ids, joined, unknown], auth_chain_ids: before.auth_chain_ids },
  }));
  const later = follow(lost.eventId, 92);
  await send(peer, [later.pdu]);
  assert.equal(await shows(later.eventId), undefined);
});

test('an answer that says nothing of a state is not taken for an empty one', async (context) => {
  const { peer, lost, before, joined, follow, shows } = await openGap(context);
  const all = { pdu_ids: [...before.pdu_ids, joined], auth_chain_ids: before.auth_chain_ids };
  const answers: JsonObject[] = [{}, { pdu_ids: all.pdu_ids }, { ...all, pdu_ids: {} }, { ...all, pdu_ids: [7] }];
  for (const [index, body] of answers.entries()) {
    peer.on('GET', '/_matrix/federation/v1/state_ids/', () => ({ body }));
    const next = follow(lost.eventId, 91 + index);
    await send(peer, [next.pdu]);
    assert.equal(await shows(next.eventId), undefined, JSON.stringify(body));
  }
  peer.on('GET', '/_matrix/federation/v1/state_ids/', () => ({ body: all }));
  const next = follow(lost.eventId, 99);
  await send(peer, [next.pdu]);
  assert.deepEqual(await shows(next.eventId), { body: 'message 99' });
});
