import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '@portico/protocol';
import { joinAs, openWithPeer, send, sign } from './peer.ts';

for (const engine of ['sqlite', 'postgres'] as const) {
  test(`events with text that a database has no form for keep no other event away (${engine})`, async (context) => {
    const { peer, path, roomId, alice } = await openWithPeer(context, engine);
    const { template, eventId: joined, depth } = await joinAs(peer, path);
    const auth = [...(template['auth_events'] as string[]).slice(0, 2), joined];
    const event = (body: string, over: JsonObject = {}) =>
      sign(peer, {
        type: 'm.room.message',
        room_id: roomId,
        sender: '@mallory:peer.test',
        content: { body, msgtype: 'm.text' },
        depth: depth + 1,
        origin_server_ts: Date.now(),
        prev_events: [joined],
        auth_events: auth,
        ...over,
      });
    const long = `$${'x'.repeat(300)}`;
    const malformed = ['a', '$', '$a\0b', long].flatMap((id) => [
      event(`follows ${id}`, { prev_events: [joined, id] }),
      event(`is allowed by ${id}`, { auth_events: [...auth, id] }),
    ]);
    // PostgreSQL has no text with NUL: of these it has none.
    const unusual = event('of a type with NUL', { type: 'org.\0example' });
    const content = event('NUL', { content: { body: 'a\0b', msgtype: 'm.text', 'a\0': 1 } });
    const good = event('good');
    const { status, body } = await send(
      peer,
      [...malformed, unusual, content, good].map(({ pdu }) => pdu),
    );
    assert.equal(status, 200);
    const results = (body as { pdus: Record<string, { error?: string }> }).pdus;
    for (const { eventId } of malformed) assert.equal(results[eventId], undefined, 'what has no ID is dropped');
    const later = event('later', { prev_events: [good.eventId, content.eventId], depth: depth + 2 });
    await send(peer, [later.pdu]);
    const read = async ({ eventId }: { eventId: string }) =>
      (await alice.get(`/_matrix/client/v3/rooms/${path}/event/${encodeURIComponent(eventId)}`)).status;
    for (const each of [content, good, later]) assert.equal(await read(each), 200);
    for (const each of malformed) assert.equal(await read(each), 404);
  });
}
