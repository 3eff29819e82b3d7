import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { JsonObject } from '@portico/protocol';
import { joinAs, joinTemplate, openWithPeer, send, sign } from './peer.ts';

/** Somebody of the peer in a room of alice's, where everything follows what came before, and what alice's clients are given. */
async function openRedactions(context: TestContext) {
  const { peer, path, roomId, alice } = await openWithPeer(context);
  const { template, eventId: joined, depth } = await joinAs(peer, path);
  const { body: first } = await alice.get('/_matrix/client/v3/sync');
  let place = 0;
  function make(event: JsonObject, prevEvents: readonly string[]) {
    place++;
    return sign(peer, {
      room_id: roomId,
      sender: '@mallory:peer.test',
      content: {},
      depth: depth + place,
      origin_server_ts: Date.now(),
      prev_events: [...prevEvents],
      auth_events: [...(template['auth_events'] as string[]).slice(0, 2), joined],
      ...event,
    });
  }
  /** The IDs of what has come into the room, in its order. */
  async function shown(): Promise<readonly string[]> {
    const { body } = await alice.get(`/_matrix/client/v3/sync?since=${String(first['next_batch'])}`);
    const { rooms } = body as { rooms?: { join?: Record<string, { timeline: { events: { event_id: string }[] } }> } };
    return rooms?.join?.[roomId]?.timeline.events.map((event) => event.event_id) ?? [];
  }
  const contentOf = async (eventId: string) =>
    (await alice.get(`/_matrix/client/v3/rooms/${path}/event/${encodeURIComponent(eventId)}`)).body['content'];
  const redaction = (redacts: string, prevEvents: readonly string[]) =>
    make({ type: 'm.room.redaction', redacts }, prevEvents);
  const message = (text: string, prevEvents: readonly string[]) =>
    make({ type: 'm.room.message', content: { body: text } }, prevEvents);
  return { peer, path, alice, joined, make, redaction, message, shown, contentOf };
}

test('a redaction by somebody who may not redact is not shown to clients, which would apply it', async (context) => {
  const { peer, path, alice, redaction, message, shown, contentOf } = await openRedactions(context);
  const { body } = await alice.put(`/_matrix/client/v3/rooms/${path}/send/m.room.message/1`, { body: 'of alice' });
  const victim = String(body['event_id']);
  const forged = redaction(victim, [victim]);
  const next = message('next', [forged.eventId]);
  await send(peer, [forged.pdu, next.pdu]);
  assert.deepEqual(await shown(), [victim, next.eventId]);
  assert.deepEqual(await contentOf(victim), { body: 'of alice' });
});

test('a redaction is shown once what it redacts is here', async (context) => {
  const { peer, joined, redaction, message, shown, contentOf } = await openRedactions(context);
  const regretted = message('regretted', [joined]);
  const early = redaction(regretted.eventId, [joined]);
  const next = message('next', [early.eventId]);
  await send(peer, [early.pdu, next.pdu]);
  assert.deepEqual(await shown(), [next.eventId]);
  await send(peer, [regretted.pdu]);
  assert.deepEqual(await shown(), [next.eventId, regretted.eventId, early.eventId]);
  assert.deepEqual(await contentOf(regretted.eventId), {});
});

test('what comes with its redaction is redacted', async (context) => {
  const { peer, joined, redaction, message, shown, contentOf } = await openRedactions(context);
  const regretted = message('regretted', [joined]);
  const late = redaction(regretted.eventId, [regretted.eventId]);
  await send(peer, [regretted.pdu, late.pdu]);
  assert.deepEqual(await shown(), [regretted.eventId, late.eventId]);
  assert.deepEqual(await contentOf(regretted.eventId), {});
});

test('a redaction of an event of another room is not shown', async (context) => {
  const { peer, path, alice, joined, redaction, message, shown, contentOf } = await openRedactions(context);
  const { body } = await alice.put(`/_matrix/client/v3/rooms/${path}/send/m.room.message/1`, { body: 'of alice' });
  const victim = String(body['event_id']);
  const other = await alice.post('/_matrix/client/v3/createRoom', { preset: 'public_chat', room_version: '10' });
  const elsewhere = encodeURIComponent(String(other.body['room_id']));
  const { body: sent } = await alice.put(`/_matrix/client/v3/rooms/${elsewhere}/send/m.room.message/2`, {
    body: 'else',
  });
  const forged = redaction(String(sent['event_id']), [joined]);
  const next = message('next', [forged.eventId, victim]);
  await send(peer, [forged.pdu, next.pdu]);
  assert.deepEqual(await shown(), [victim, next.eventId]);
  const { body: there } = await alice.get(
    `/_matrix/client/v3/rooms/${elsewhere}/event/${encodeURIComponent(String(sent['event_id']))}`,
  );
  assert.deepEqual(there['content'], { body: 'else' });
  assert.deepEqual(await contentOf(victim), { body: 'of alice' });
});

test('nobody is told of another event than the one that was looked up', async (context) => {
  const { peer, path, alice, joined, make, message, shown } = await openRedactions(context);
  const { body } = await alice.put(`/_matrix/client/v3/rooms/${path}/send/m.room.message/1`, { body: 'of alice' });
  const victim = String(body['event_id']);
  const own = message('own', [joined]);
  const forged = { type: 'm.room.redaction', content: { redacts: victim } };
  const first = make({ ...forged, redacts: own.eventId }, [own.eventId]);
  const second = make(forged, [first.eventId]);
  await send(peer, [own.pdu, first.pdu, second.pdu]);
  assert.deepEqual(await shown(), [victim, own.eventId, first.eventId, second.eventId]);
  for (const [{ eventId }, redacts] of [
    [first, own.eventId],
    [second, undefined],
  ] as const) {
    const { body: event } = await alice.get(`/_matrix/client/v3/rooms/${path}/event/${encodeURIComponent(eventId)}`);
    assert.deepEqual([event['redacts'], (event['content'] as JsonObject)['redacts']], [redacts, redacts]);
  }
});

test('a redaction that is shown late brings back nothing of what the room was when it was sent', async (context) => {
  const { peer, path, alice, joined, redaction, message, shown } = await openRedactions(context);
  const regretted = message('regretted', [joined]);
  const early = redaction(regretted.eventId, [joined]);
  const next = message('next', [early.eventId]);
  await send(peer, [early.pdu, next.pdu]);
  const { body } = await alice.put(`/_matrix/client/v3/rooms/${path}/state/m.room.topic/`, { topic: 'new' });
  await send(peer, [regretted.pdu]);
  assert.deepEqual(await shown(), [next.eventId, String(body['event_id']), regretted.eventId, early.eventId]);
  const after = (await joinTemplate(peer, path, '@trudy:peer.test'))['prev_events'];
  assert.deepEqual([...(after as string[])].toSorted(), [regretted.eventId, String(body['event_id'])].toSorted());
});

test('a redaction that was redacted itself before redacts all the same', async (context) => {
  const { peer, joined, redaction, message, contentOf } = await openRedactions(context);
  const regretted = message('regretted', [joined]);
  const undone = redaction(regretted.eventId, [joined]);
  const undoing = redaction(undone.eventId, [undone.eventId]);
  await send(peer, [undone.pdu, undoing.pdu]);
  await send(peer, [regretted.pdu]);
  assert.deepEqual(await contentOf(regretted.eventId), {});
});

test('all redactions of one event are shown once that is here, and none of what can be no event', async (context) => {
  const { peer, joined, redaction, message, shown, contentOf } = await openRedactions(context);
  const regretted = message('regretted', [joined]);
  const redactions = Array.from({ length: 15 }, () => redaction(regretted.eventId, [joined]));
  const ofNothing = ['$nothing', `$${'x'.repeat(5000)}`, '$\0'].map((redacts) => redaction(redacts, [joined]));
  const next = message('next', [joined]);
  await send(
    peer,
    [...redactions, ...ofNothing, next].map(({ pdu }) => pdu),
  );
  assert.deepEqual(await shown(), [next.eventId]);
  await send(peer, [regretted.pdu]);
  assert.deepEqual(await contentOf(regretted.eventId), {});
  assert.deepEqual(await shown(), [next, regretted, ...redactions].map(({ eventId }) => eventId).slice(-10));
});
