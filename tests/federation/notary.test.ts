import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  decodeBase64,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  parseVerifyKey,
  verifySignedJson,
} from '@portico/protocol';
import { plainJson } from '@portico/testkit/device-keys.ts';
import { openWithPeer } from './peer.ts';

type Keys = JsonObject & { readonly verify_keys: { readonly [keyId: string]: { readonly key: string } } };

function only(body: JsonValue): Keys {
  assert.ok(isJsonObject(body) && Array.isArray(body['server_keys']), JSON.stringify(body));
  const [answer, ...more] = body['server_keys'] as readonly Keys[];
  assert.ok(answer !== undefined && more.length === 0, `${more.length + 1} answers`);
  return answer;
}

function isSignedBy(answer: Keys, serverName: string, keyId: string, publicKey: string): boolean {
  const key = parseVerifyKey(decodeBase64(publicKey) ?? Buffer.alloc(0));
  return key !== undefined && verifySignedJson(answer, serverName, keyId, key);
}

test('a notary passes on the keys of another server with its own signature, asked in any form', async (context) => {
  const { peer, server } = await openWithPeer(context);
  const path = '/_matrix/key/v2';
  const own = (await peer.send('hs1', 'GET', `${path}/server`)).body as Keys;
  const [[ownId, { key: ownKey }] = ['', { key: '' }]] = Object.entries(own.verify_keys);
  assert.deepEqual((await peer.send('hs1', 'GET', `${path}/server/${ownId}`)).body, own, 'an older form');

  const byName = await peer.send('hs1', 'GET', `${path}/query/peer.test`);
  const byKey = await peer.send('hs1', 'GET', `${path}/query/peer.test/${peer.key.keyId}`);
  const content = { server_keys: { 'peer.test': { [peer.key.keyId]: { minimum_valid_until_ts: Date.now() } } } };
  const many = await peer.send('hs1', 'POST', `${path}/query`, { content });
  for (const { status, body } of [byName, byKey, many]) {
    assert.equal(status, 200);
    assert.deepEqual(plainJson(only(body).verify_keys), { [peer.key.keyId]: { key: peer.key.publicKey } });
    assert.ok(isSignedBy(only(body), 'peer.test', peer.key.keyId, peer.key.publicKey), 'signed by its server');
    assert.ok(isSignedBy(only(body), 'hs1', ownId, ownKey), 'signed by the notary');
  }
  assert.equal(peer.requests.filter((request) => request.startsWith('GET /_matrix/key/v2/server')).length, 1);

  const nobody = await peer.send('hs1', 'GET', `${path}/query/nobody.test/ed25519:a`);
  assert.deepEqual([nobody.status, plainJson(nobody.body as JsonObject)], [200, { server_keys: [] }]);
  const wrong = await peer.send('hs1', 'POST', `${path}/query`, { content: { server_keys: [] } });
  assert.equal(wrong.status, 400);
  assert.deepEqual(server.errors, []);
});
