import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventIdOf, findRoomVersion, hashAndSignEvent, isJsonObject, type JsonValue } from '@portico/protocol';
import { until } from '@portico/testkit/until.ts';
import { becomes, membershipOf } from './memberships.ts';
import { joinAs, openWithPeer } from './peer.ts';
import { sync } from './people.ts';

const rules = findRoomVersion('10');
const api = '/_matrix/federation/v1';

/** The second part of an answer of two, whose first part is a status. */
function second(body: JsonValue): { readonly [field: string]: JsonValue } {
  assert.ok(Array.isArray(body) && body.length === 2 && body[0] === 200, JSON.stringify(body).slice(0, 200));
  const [, part] = body as JsonValue[];
  assert.ok(isJsonObject(part));
  return part;
}

test('joins and leaves come in by the first versions of their endpoints too, answered as a pair', async (context) => {
  const { peer, alice, server, roomId, path } = await openWithPeer(context);
  const bob = '@bob:peer.test';

  async function send(make: string, sending: string) {
    assert.ok(rules);
    const template = await peer.send('hs1', 'GET', `${api}/${make}/${path}/${encodeURIComponent(bob)}?ver=10`);
    assert.ok(isJsonObject(template.body) && isJsonObject(template.body['event']), JSON.stringify(template.body));
    const pdu = hashAndSignEvent(rules, template.body['event'], peer.serverName, peer.key);
    const uri = `${api}/${sending}/${path}/${encodeURIComponent(eventIdOf(rules, pdu))}`;
    const { status, body } = await peer.send('hs1', 'PUT', uri, { content: pdu });
    assert.equal(status, 200, JSON.stringify(body));
    return second(body);
  }

  const joined = await send('make_join', 'send_join');
  const types = (joined['state'] as { type: string }[]).map(({ type }) => type);
  assert.ok(types.includes('m.room.create') && types.includes('m.room.member'), types.join());
  assert.ok(Array.isArray(joined['auth_chain']));
  assert.equal(await membershipOf(alice, roomId, bob), 'join');
  assert.deepEqual(Object.keys(await send('make_leave', 'send_leave')), []);
  await becomes(alice, roomId, bob, 'leave');
  assert.deepEqual(server.errors, []);
});

test('what a server may leave out of a transaction can be null', async (context) => {
  const { peer, alice, server, roomId, path } = await openWithPeer(context);
  const mallory = '@mallory:peer.test';
  await joinAs(peer, path, mallory);
  const sending = (number: number) => `${api}/send/nulls-${number}`;
  const typing = { edu_type: 'm.typing', content: { room_id: roomId, user_id: mallory, typing: true } };
  const common = { origin: null, origin_server_ts: null };
  const only = { ...common, pdus: null, edus: [typing] };
  const taken = await peer.send('hs1', 'PUT', sending(1), { content: only });
  assert.equal(taken.status, 200, JSON.stringify(taken.body));
  const isSeen = async () => JSON.stringify(await sync(alice)).includes(`"user_ids":["${mallory}"]`);
  await until(isSeen, 'somebody types');
  const empty = await peer.send('hs1', 'PUT', sending(2), { content: { ...common, pdus: [], edus: null } });
  assert.equal(empty.status, 200, JSON.stringify(empty.body));
  assert.deepEqual(server.errors, []);
});
