import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventIdOf, findRoomVersion, hashAndSignEvent, isJsonObject, type JsonValue } from '@portico/protocol';
import { becomes, membershipOf } from './memberships.ts';
import { openWithPeer } from './peer.ts';

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
