import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '@portico/protocol';
import { openPeer } from '@portico/testkit/federation-peer.ts';
import { startTestNetwork } from '@portico/testkit/network.ts';
import { join } from '@portico/testkit/people.ts';
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
    for (const each of [unusual, content, good, later]) assert.equal(await read(each), 200);
    for (const each of malformed) assert.equal(await read(each), 404);
  });
}

/** NUL, what stands in its place in PostgreSQL, and both written as JSON writes them. */
const unusualTexts = ['org.\0', '\0', 'a\0\0b', '\uFDD0', '\uFDD00', '\\u0000', 'a\\\0', '\uFDD0\0"'];

for (const engine of ['sqlite', 'postgres'] as const) {
  test(`state of types and keys with any text is part of the room, and keeps nobody from joining (${engine})`, async (context) => {
    const network = await startTestNetwork(['hs1', 'hs2'], { engine });
    context.after(() => network.close());
    const peer = await openPeer(context, network, 'peer.test');
    const [alice, bob] = await Promise.all([
      network.server('hs1').registerUser('alice'),
      network.server('hs2').registerUser('bob'),
    ]);
    const { body } = await alice.post('/_matrix/client/v3/createRoom', {
      preset: 'public_chat',
      room_version: '10',
      power_level_content_override: { state_default: 0 },
    });
    const roomId = String(body['room_id']);
    const path = encodeURIComponent(roomId);
    const { template, eventId: joined, depth } = await joinAs(peer, path);
    let previous = joined;
    const given = unusualTexts.flatMap((text) => [
      [text, ''],
      ['org.example', text],
      [text, text],
    ]);
    const sent = given.map(([type = '', stateKey = ''], index) => {
      const made = sign(peer, {
        type,
        state_key: stateKey,
        room_id: roomId,
        sender: '@mallory:peer.test',
        content: { of: [type, stateKey], [type]: stateKey },
        depth: depth + 1 + index,
        origin_server_ts: Date.now(),
        prev_events: [previous],
        auth_events: [...(template['auth_events'] as string[]).slice(0, 2), joined],
      });
      previous = made.eventId;
      return made;
    });
    await send(
      peer,
      sent.map(({ pdu }) => pdu),
    );
    await join(bob, roomId, 'hs1');
    for (const client of [alice, bob]) {
      const { body: state } = await client.get(`/_matrix/client/v3/rooms/${path}/state`);
      const events = state as unknown as {
        type: string;
        state_key: string;
        sender: string;
        content: { of: unknown };
      }[];
      const ofMallory = events.filter(
        ({ sender, type }) => sender === '@mallory:peer.test' && type !== 'm.room.member',
      );
      const found = ofMallory.map(({ type, state_key: key }) => [type, key]);
      assert.deepEqual(found.map(String).toSorted(), given.map(String).toSorted());
      for (const { type, state_key: key, content } of ofMallory) assert.deepEqual(content.of, [type, key]);
      const { status, body: synced } = await client.get(
        '/_matrix/client/v3/sync?filter={"room":{"timeline":{"limit":50}}}',
      );
      assert.equal(status, 200);
      assert.equal(JSON.stringify(synced).includes('org.\\u0000'), true);
    }
    for (const name of ['hs1', 'hs2']) assert.deepEqual(network.server(name).errors, []);
  });
}
