import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { startTestServer, type TestServer } from '@portico/testkit/server.ts';
import type { TestClient } from '@portico/testkit/test-client.ts';

const v3 = '/_matrix/client/v3';
const unstable = 'org.matrix.msc3912.with_relations';
const encoded = encodeURIComponent;
let transactions = 0;

async function meet(context: TestContext, engine: 'sqlite' | 'postgres' = 'sqlite') {
  const server = await startTestServer({ engine });
  context.after(() => server.close());
  const [alice, bob] = [await server.registerUser(), await server.registerUser()];
  const { body } = await alice.post(`${v3}/createRoom`, { preset: 'public_chat', room_version: '11' });
  const room = `${v3}/rooms/${encoded(String(body['room_id']))}`;
  await bob.post(`${v3}/join/${encoded(String(body['room_id']))}`, {});
  return { server, alice, bob, room };
}

async function say(by: TestClient, room: string, relType?: string, eventId?: string): Promise<string> {
  const relation = relType === undefined ? {} : { 'm.relates_to': { rel_type: relType, event_id: eventId, key: 'k' } };
  const content = { msgtype: 'm.text', body: 'said', ...relation };
  const { body } = await by.put(`${room}/send/m.room.message/${transactions++}`, content);
  return String(body['event_id']);
}

function redact(by: TestClient, room: string, eventId: string, body: object, txnId: string | number = transactions++) {
  return by.put(`${room}/redact/${encoded(eventId)}/${txnId}`, body);
}

async function contentOf(by: TestClient, room: string, eventId: string) {
  return (await by.get(`${room}/event/${encoded(eventId)}`)).body as {
    content: object;
    unsigned?: { redacted_because?: { sender: string; content: object } };
  };
}

async function isGone(by: TestClient, room: string, eventId: string): Promise<boolean> {
  return Object.keys((await contentOf(by, room, eventId)).content).length === 0;
}

async function goes(by: TestClient, room: string, eventIds: readonly string[]): Promise<void> {
  for (const eventId of eventIds) {
    for (let tries = 0; !(await isGone(by, room, eventId)); tries++) {
      assert.ok(tries < 600, `${eventId} is still there`);
      await pause(50);
    }
  }
}

for (const engine of ['sqlite', 'postgres'] as const) {
  test(`what relates to a redacted event by the types named goes with it (${engine})`, async (context) => {
    const { alice, bob, room } = await meet(context, engine);
    const root = await say(bob, room);
    const replies: string[] = [];
    for (let n = 0; n < 45; n++) replies.push(await say(n % 2 === 0 ? alice : bob, room, 'm.thread', root));
    const reference = await say(bob, room, 'm.reference', root);
    const indirect = await say(bob, room, 'm.reference', replies[0]);
    const request = { reason: 'spam', [unstable]: ['m.thread', 'org.example.other'] };
    const { status, body } = await redact(alice, room, root, request, 'txn');
    assert.equal(status, 200);
    await goes(alice, room, [root, ...replies]);
    for (const eventId of [root, replies[0] ?? '', replies[44] ?? '']) {
      const { redacted_because: redaction } = (await contentOf(alice, room, eventId)).unsigned ?? {};
      assert.equal(redaction?.sender, alice.userId);
      assert.deepEqual(redaction?.content, { reason: 'spam', redacts: eventId });
    }
    for (const eventId of [reference, indirect]) assert.equal(await isGone(alice, room, eventId), false);
    // The same request again is the same redaction.
    assert.deepEqual((await redact(alice, room, root, request, 'txn')).body, body);
  });
}

test('one may redact no more than without it: others keep what is theirs', async (context) => {
  const { alice, bob, room } = await meet(context);
  const root = await say(bob, room);
  const his = [await say(bob, room, 'm.thread', root), await say(bob, room, 'org.example.any', root)];
  const hers = [await say(alice, room, 'm.thread', root), await say(alice, room, 'm.reference', root)];
  const last = await say(bob, room, 'm.reference', root);
  assert.equal((await redact(bob, room, root, { with_rel_types: ['*'] })).status, 200);
  await goes(bob, room, [root, ...his, last]);
  for (const eventId of hers) assert.equal(await isGone(bob, room, eventId), false);
});

test('without types, nothing else goes; with something else than types, nothing at all', async (context) => {
  const { alice, bob, room } = await meet(context);
  const root = await say(alice, room);
  const reply = await say(alice, room, 'm.thread', root);
  for (const wrong of [{ [unstable]: 'm.thread' }, { [unstable]: [1] }, { with_rel_types: {} }]) {
    const { status, body } = await redact(alice, room, root, wrong);
    assert.deepEqual([status, body['errcode']], [400, 'M_BAD_JSON']);
  }
  assert.equal((await redact(bob, room, root, { [unstable]: ['*'] })).status, 403);
  assert.equal(await isGone(alice, room, root), false);
  const other = await say(alice, room);
  const otherReply = await say(alice, room, 'm.thread', other);
  await redact(alice, room, root, { [unstable]: [] });
  await redact(alice, room, other, { [unstable]: ['m.thread'] });
  // Jobs are done in their order: that of the second has left the first's reply alone.
  await goes(alice, room, [root, other, otherReply]);
  assert.equal(await isGone(alice, room, reply), false);
});

test('it is done although the server ends, and for what comes late', async (context) => {
  const { server: first, alice, room } = await meet(context);
  const root = await say(alice, room);
  const replies: string[] = [];
  for (let n = 0; n < 45; n++) replies.push(await say(alice, room, 'm.thread', root));
  await redact(alice, room, root, { [unstable]: ['m.thread'] });
  await first.stop();
  const start = async (now: () => number): Promise<TestServer> => {
    const server = await startTestServer({ dataDir: first.dataDir, now });
    context.after(() => server.stop());
    return server;
  };
  const second = await start(Date.now);
  await goes(second.as(alice), room, [root, ...replies]);
  // One that another server had sent before it heard of the redaction.
  const late = await say(second.as(alice), room, 'm.thread', root);
  await second.stop();
  const third = await start(() => Date.now() + 60_000);
  await goes(third.as(alice), room, [late]);
});

test('servers say that they can', async (context) => {
  const { alice } = await meet(context);
  const { body } = await alice.get('/_matrix/client/versions');
  assert.equal((body['unstable_features'] as Record<string, boolean>)['org.matrix.msc3912'], true);
});
