import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '@portico/protocol';
import { joinAs, openWithPeer, send, sign } from './peer.ts';

type Room = {
  readonly unread_notifications: JsonObject;
  readonly timeline: { readonly events: readonly JsonObject[] };
};

/** How an event gets its place that was stored without one, and redacted, before: its server gives it as it was each time. */
for (const way of ['as news', 'as history'] as const) {
  test(`nothing follows from what an event says that was redacted before it gets its place ${way}`, async (context) => {
    const { server, peer, path, roomId, alice } = await openWithPeer(context);
    const { template, eventId: joined, depth } = await joinAs(peer, path);
    const room = `/_matrix/client/v3/rooms/${path}`;
    const { body: said } = await alice.put(`${room}/send/m.room.message/1`, { body: 'of alice' });
    const root = String(said['event_id']);
    let place = 0;
    const make = (event: JsonObject, previous: string) =>
      sign(peer, {
        type: 'm.room.message',
        room_id: roomId,
        sender: '@mallory:peer.test',
        content: {},
        depth: depth + 10 + ++place,
        origin_server_ts: Date.now(),
        prev_events: [previous],
        auth_events: [...(template['auth_events'] as string[]).slice(0, 2), joined],
        ...event,
      });
    const content = {
      msgtype: 'm.text',
      body: 'regretted',
      'm.mentions': { user_ids: [alice.userId] },
      'm.relates_to': { rel_type: 'm.thread', event_id: root },
    };
    const unknown = make({ content: { msgtype: 'm.text', body: 'unknown' } }, root);
    const previous = way === 'as news' ? root : unknown.eventId;
    const regretted = make({ content, msc4354_sticky: { duration_ms: 600_000 } }, previous);
    const behind = make({ content: { msgtype: 'm.text', body: 'behind' } }, regretted.eventId);
    const redaction = make({ type: 'm.room.redaction', redacts: regretted.eventId }, behind.eventId);
    const uri = `/_matrix/federation/v1/state_ids/${path}?event_id=${encodeURIComponent(root)}`;
    const { body: state } = await peer.send('hs1', 'GET', uri);
    const told = (pdus: readonly JsonObject[]) => ({ body: { origin: 'peer.test', origin_server_ts: 1, pdus } });
    peer.on('POST', '/_matrix/federation/v1/get_missing_events', () => ({ body: { events: [] } }));
    peer.on('GET', '/_matrix/federation/v1/event/', () => told([regretted.pdu]));
    peer.on('GET', '/_matrix/federation/v1/state_ids/', () => ({ body: state as JsonObject }));
    peer.on('GET', '/_matrix/federation/v1/backfill/', () => told([regretted.pdu, unknown.pdu]));
    await send(peer, [behind.pdu]);
    await send(peer, [redaction.pdu]);
    if (way === 'as news') await send(peer, [regretted.pdu]);
    const events: { event_id: string; content: JsonObject; unsigned: JsonObject }[] = [];
    for (let from: string | undefined = ''; from !== undefined;) {
      const { body } = await alice.get(`${room}/messages?dir=b&limit=20${from}`);
      const { chunk, end } = body as unknown as { chunk: typeof events; end?: string };
      events.push(...chunk);
      from = end === undefined ? undefined : `&from=${end}`;
    }
    const placed = events.find(({ event_id: id }) => id === regretted.eventId);
    assert.deepEqual(placed?.content, {});
    assert.equal(placed?.unsigned['redacted_by'], redaction.eventId);

    const { body: related } = await alice.get(`/_matrix/client/v1/rooms/${path}/relations/${encodeURIComponent(root)}`);
    assert.deepEqual(related['chunk'], []);
    assert.equal(events.find(({ event_id: id }) => id === root)?.unsigned['m.relations'], undefined);
    const { body: threads } = await alice.get(`/_matrix/client/v1/rooms/${path}/threads`);
    assert.deepEqual(threads['chunk'], []);
    const { body: synced } = await alice.get('/_matrix/client/v3/sync');
    const here = (synced as { rooms: { join: Record<string, Room & { msc4354_sticky?: unknown }> } }).rooms.join[
      roomId
    ];
    assert.deepEqual(here?.unread_notifications, { notification_count: 1, highlight_count: 0 });
    assert.equal(here?.msc4354_sticky, undefined);
    const { body: notified } = await alice.get('/_matrix/client/v3/notifications?only=highlight');
    assert.deepEqual(notified['notifications'], []);
    assert.deepEqual(server.errors, []);
  });
}
