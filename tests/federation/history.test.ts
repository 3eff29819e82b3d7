import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { eventIdOf, findRoomVersion, hashAndSignEvent, type JsonObject } from '@portico/protocol';
import { openPeer } from '@portico/testkit/federation-peer.ts';
import { startTestNetwork, type TestNetwork } from '@portico/testkit/network.ts';
import type { TestClient } from '@portico/testkit/test-client.ts';
import { createRoom, join, pathOf, say, sees } from '@portico/testkit/people.ts';
import { becomes } from './memberships.ts';

async function open(context: TestContext, engine: 'sqlite' | 'postgres' = 'sqlite'): Promise<TestNetwork> {
  const network = await startTestNetwork(['hs1', 'hs2'], { engine });
  context.after(() => network.close());
  return network;
}

async function sayMany(client: TestClient, roomId: string, count: number, prefix = 'message'): Promise<string[]> {
  const texts = Array.from({ length: count }, (_, index) => `${prefix} ${index}`);
  for (const text of texts) await say(client, roomId, text);
  return texts;
}

type Event = { readonly event_id: string; readonly type: string; readonly content: { readonly body?: string } };
type Page = { readonly chunk: readonly Event[]; readonly end?: string };

/** Pages from the end of a room to its beginning, the newest event first. */
async function pages(client: TestClient, roomId: string, limit: number, dir = 'b'): Promise<Event[]> {
  const events: Event[] = [];
  for (let from = ''; ;) {
    const { status, body } = await client.get(pathOf(roomId, `messages?dir=${dir}&limit=${limit}${from}`));
    assert.equal(status, 200, JSON.stringify(body));
    const { chunk, end } = body as unknown as Page;
    events.push(...chunk);
    if (end === undefined) return events;
    assert.notEqual(`&from=${end}`, from, 'the next page starts elsewhere');
    from = `&from=${end}`;
  }
}

const textsOf = (events: readonly Event[]) =>
  events.filter(({ type }) => type === 'm.room.message').map(({ content }) => content.body);

async function meet(context: TestContext, engine?: 'sqlite' | 'postgres') {
  const network = await open(context, engine);
  const [alice, bob] = await Promise.all([
    network.server('hs1').registerUser('alice'),
    network.server('hs2').registerUser('bob'),
  ]);
  return { network, alice, bob };
}

for (const engine of ['sqlite', 'postgres'] as const) {
  test(`who joins from another server can page to the beginning of the room (${engine})`, async (context) => {
    const { network, alice, bob } = await meet(context, engine);
    const roomId = await createRoom(alice, { name: 'Old' });
    const first = await sayMany(alice, roomId, 60, 'first');
    // Changes of state in the middle of the way.
    assert.equal((await alice.put(pathOf(roomId, 'state/m.room.topic/'), { topic: 'History' })).status, 200);
    assert.equal((await alice.put(pathOf(roomId, 'state/m.room.name/'), { name: 'New' })).status, 200);
    const second = await sayMany(alice, roomId, 130, 'second');
    await join(bob, roomId, 'hs1');
    const seen = await pages(bob, roomId, 70);
    const original = await pages(alice, roomId, 100);
    assert.deepEqual(textsOf(seen), [...first, ...second].toReversed());
    assert.deepEqual(
      seen.map((event) => event.event_id),
      original.map((event) => event.event_id),
    );
    assert.equal(seen.at(-1)?.type, 'm.room.create');
    // What a name replaced is known, too.
    const names = seen.filter(({ type }) => type === 'm.room.name') as unknown as {
      unsigned: { prev_content?: { name: string } };
    }[];
    assert.equal(names[0]?.unsigned.prev_content?.name, 'Old');
    assert.deepEqual(network.server('hs2').errors, []);
  });
}

test('the first sync of such a room is limited, and what comes before it is found by its token', async (context) => {
  const { alice, bob } = await meet(context);
  const roomId = await createRoom(alice);
  const texts = await sayMany(alice, roomId, 5);
  await join(bob, roomId, 'hs1');
  const { body } = await bob.get('/_matrix/client/v3/sync');
  type Sync = {
    rooms: { join: Record<string, { timeline: { limited: boolean; prev_batch: string; events: Event[] } }> };
  };
  const { timeline } = (body as unknown as Sync).rooms.join[roomId] ?? {};
  assert.equal(timeline?.limited, true);
  assert.deepEqual(
    timeline.events.map(({ type }) => type),
    ['m.room.member'],
  );
  const before = await bob.get(pathOf(roomId, `messages?dir=b&from=${timeline.prev_batch}&limit=5`));
  assert.deepEqual(textsOf((before.body as unknown as Page).chunk), texts.toReversed());
});

test('who comes back sees what was said meanwhile, between what was said before and after', async (context) => {
  const { alice, bob } = await meet(context);
  const roomId = await createRoom(alice);
  await join(bob, roomId, 'hs1');
  const before = await sayMany(bob, roomId, 3, 'before');
  assert.equal((await bob.post(pathOf(roomId, 'leave'), {})).status, 200);
  await becomes(alice, roomId, bob.userId, 'leave');
  const during = await sayMany(alice, roomId, 150, 'during');
  await join(bob, roomId, 'hs1');
  const after = await sayMany(bob, roomId, 3, 'after');
  const all = [...before, ...during, ...after];
  assert.deepEqual(textsOf(await pages(bob, roomId, 40)), all.toReversed());
  assert.deepEqual(textsOf(await pages(bob, roomId, 40, 'f')), all);
});

test('reading forwards fills gaps on the way', async (context) => {
  const { alice, bob } = await meet(context);
  const roomId = await createRoom(alice);
  const texts = await sayMany(alice, roomId, 30);
  await join(bob, roomId, 'hs1');
  assert.deepEqual(textsOf(await pages(bob, roomId, 20, 'f')), texts);
});

test('the context of an event reaches behind a gap', async (context) => {
  const { alice, bob } = await meet(context);
  const roomId = await createRoom(alice);
  await sayMany(alice, roomId, 4);
  await join(bob, roomId, 'hs1');
  const eventId = await say(bob, roomId, 'here');
  const { body } = await bob.get(pathOf(roomId, `context/${encodeURIComponent(eventId)}?limit=8`));
  const { events_before: events } = body as unknown as { events_before: Event[] };
  assert.deepEqual(textsOf(events), ['message 3', 'message 2', 'message 1']);
});

test('what was said before somebody joined stays hidden where the room wants it so', async (context) => {
  const { network, alice, bob } = await meet(context);
  const visibility = { type: 'm.room.history_visibility', state_key: '', content: { history_visibility: 'joined' } };
  const roomId = await createRoom(alice, { room_version: '11', initial_state: [visibility] });
  const secret = await say(alice, roomId, 'secret');
  await join(bob, roomId, 'hs1');
  const hello = await say(bob, roomId, 'hello');
  const seen = await pages(bob, roomId, 10);
  assert.deepEqual(textsOf(seen), ['hello']);
  assert.equal((await bob.get(pathOf(roomId, `event/${encodeURIComponent(secret)}`))).status, 404);
  await sees(alice, roomId, hello);
  // Nor does his server get to know it.
  const peer = await openPeer(context, network, 'peer.test');
  const room = encodeURIComponent(roomId);
  const made = await peer.send('hs1', 'GET', `/_matrix/federation/v1/make_join/${room}/@eve:peer.test?ver=11`);
  const rules = findRoomVersion('11');
  assert.ok(rules);
  const pdu = hashAndSignEvent(rules, (made.body as { event: JsonObject }).event, peer.serverName, peer.key);
  const put = `/_matrix/federation/v2/send_join/${room}/${encodeURIComponent(eventIdOf(rules, pdu))}`;
  assert.equal((await peer.send('hs1', 'PUT', put, { content: pdu })).status, 200);
  const uri = `/_matrix/federation/v1/backfill/${room}?v=${encodeURIComponent(eventIdOf(rules, pdu))}&limit=50`;
  const { pdus } = (await peer.send('hs1', 'GET', uri)).body as { pdus: JsonObject[] };
  const messages = pdus
    .filter((event) => event['type'] === 'm.room.message')
    .map((event) => ({ ...(event['content'] as object) }));
  assert.deepEqual(messages, [{}, {}], 'what was said before anybody of the server was there');
  const event = await peer.send('hs1', 'GET', `/_matrix/federation/v1/event/${encodeURIComponent(secret)}`);
  assert.equal(event.status, 404);
});

test('where nobody can be asked, a page goes on with what is here', async (context) => {
  const { network, alice, bob } = await meet(context);
  const roomId = await createRoom(alice);
  await join(bob, roomId, 'hs1');
  await say(bob, roomId, 'before');
  assert.equal((await bob.post(pathOf(roomId, 'leave'), {})).status, 200);
  // Until hs1 knows that he left, it rightly sends what is said to his server too.
  await becomes(alice, roomId, bob.userId, 'leave');
  await say(alice, roomId, 'unheard');
  await join(bob, roomId, 'hs1');
  network.cut('hs1', 'hs2');
  await say(bob, roomId, 'after');
  assert.deepEqual(textsOf(await pages(bob, roomId, 10)), ['after', 'before']);
});

test('redactions in the past have been applied', async (context) => {
  const { alice, bob } = await meet(context);
  const roomId = await createRoom(alice);
  const eventId = await say(alice, roomId, 'regretted');
  assert.equal((await alice.put(pathOf(roomId, `redact/${encodeURIComponent(eventId)}/r`), {})).status, 200);
  await join(bob, roomId, 'hs1');
  const seen = await pages(bob, roomId, 20);
  const redacted = seen.find((event) => event.event_id === eventId);
  assert.deepEqual(redacted?.content, {});
  const { body } = await bob.get(pathOf(roomId, `event/${encodeURIComponent(eventId)}`));
  assert.equal(
    (body as unknown as { unsigned: { redacted_because?: Event } }).unsigned.redacted_because?.type,
    'm.room.redaction',
  );
});
