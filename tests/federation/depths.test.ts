import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  eventIdOf,
  findRoomVersion,
  hashAndSignEvent,
  isJsonObject,
  type JsonObject,
  parseJson,
} from '@portico/protocol';
import { openPeer } from '@portico/testkit/federation-peer.ts';
import { startTestNetwork } from '@portico/testkit/network.ts';
import { contentOf, createRoom, must, pathOf, say } from '@portico/testkit/people.ts';
import { send } from './peer.ts';

const mallory = '@mallory:peer.test';

for (const [version, greatest] of [
  ['5', '9223372036854775807'],
  ['10', '9007199254740991'],
] as const) {
  test(`an event of the greatest depth can be followed (version ${version})`, async (context) => {
    const network = await startTestNetwork(['hs1']);
    context.after(() => network.close());
    const peer = await openPeer(context, network, 'peer.test');
    const server = network.server('hs1');
    const alice = await server.registerUser('alice');
    const roomId = await createRoom(alice, { room_version: version });
    const strict = findRoomVersion(version);
    assert.ok(strict);
    const rules = { ...strict, canonicalJson: 'lenient' } as const;
    const path = encodeURIComponent(roomId);
    const sign = (event: JsonObject) => {
      const pdu = hashAndSignEvent(rules, event, peer.serverName, peer.key);
      return { pdu, eventId: eventIdOf(rules, pdu) };
    };
    async function template(userId: string): Promise<JsonObject> {
      const uri = `/_matrix/federation/v1/make_join/${path}/${encodeURIComponent(userId)}?ver=${version}`;
      const { body } = await peer.send('hs1', 'GET', uri);
      assert.ok(isJsonObject(body) && isJsonObject(body['event']));
      return body['event'];
    }
    async function join(userId: string): Promise<string> {
      const { pdu, eventId } = sign(await template(userId));
      const uri = `/_matrix/federation/v2/send_join/${path}/${encodeURIComponent(eventId)}`;
      assert.equal((await peer.send('hs1', 'PUT', uri, { content: pdu })).status, 200);
      return eventId;
    }
    const { auth_events: authEvents } = await template(mallory);
    const joined = await join(mallory);
    const message = (depth: string, body: string, previous: string) => {
      const event = parseJson(`{"depth":${depth}}`, 'lenient') as { [key: string]: JsonObject[string] };
      event['type'] = 'm.room.message';
      event['room_id'] = roomId;
      event['sender'] = mallory;
      event['content'] = { body };
      event['origin_server_ts'] = Date.now();
      event['prev_events'] = [previous];
      event['auth_events'] = [...(authEvents as string[]).slice(0, 2), joined];
      return sign(event);
    };
    const beyond = message(`${greatest.slice(0, -1)}9`, 'beyond', joined);
    const far = message('1' + '0'.repeat(25), 'far', joined);
    for (const { pdu, eventId } of version === '5' ? [far] : [beyond, far]) {
      await send(peer, [pdu]);
      assert.equal(await contentOf(alice, roomId, eventId), undefined, 'no room of this version has such a depth');
    }
    const deep = message(greatest, 'deep', joined);
    await send(peer, [deep.pdu]);
    assert.deepEqual({ ...((await contentOf(alice, roomId, deep.eventId)) as object) }, { body: 'deep' });

    const after = await say(alice, roomId, 'after');
    const { body } = await peer.send('hs1', 'GET', `/_matrix/federation/v1/event/${encodeURIComponent(after)}`);
    const [own] = (body as { pdus?: readonly JsonObject[] }).pdus ?? [];
    assert.deepEqual([own?.['depth'], own?.['prev_events']], [Number.MAX_SAFE_INTEGER, [deep.eventId]]);
    assert.equal((await template('@other:peer.test'))['depth'], Number.MAX_SAFE_INTEGER);
    await join('@other:peer.test');
    const last = await say(alice, roomId, 'last');
    const page = await must(alice.get(pathOf(roomId, 'messages?dir=b&limit=4')));
    const ids = (page['chunk'] as { readonly event_id: string }[]).map((event) => event.event_id);
    assert.deepEqual([ids[0], ids[2], ids[3]], [last, after, deep.eventId]);
    assert.deepEqual(server.errors, []);
  });
}
