import assert from 'node:assert/strict';
import { test } from 'node:test';
import { signJson, type JsonObject } from '@portico/protocol';
import { newIdentity, plainJson } from '@portico/testkit/device-keys.ts';
import { device, keys, mallory, query } from './mallory.ts';
import { joinAs, openWithPeer } from './peer.ts';

test('who shares no room can be signed, and is seen as signed', { timeout: 60_000 }, async (context) => {
  const { server, peer, alice, path } = await openWithPeer(context);
  const [mine, theirs] = [newIdentity(alice.userId), newIdentity(mallory)];
  const { master_key: master, self_signing_key: self } = theirs.body;
  const answer = {
    device_keys: { [mallory]: { A: device('A') } },
    master_keys: { [mallory]: master },
    self_signing_keys: { [mallory]: self },
  };
  peer.on('POST', '/_matrix/federation/v1/user/keys/query', () => ({ body: answer }));
  assert.equal((await alice.post(`${keys}/device_signing/upload`, mine.body)).status, 200);
  const signed = plainJson(signJson(master, alice.userId, mine.user));
  const sign = (object: JsonObject) =>
    alice.post(`${keys}/signatures/upload`, { [mallory]: { [theirs.master.publicKey]: object } });
  const refused = await sign(plainJson(signJson(master, alice.userId, mine.self)));
  assert.deepEqual(Object.keys(refused.body['failures'] as object), [mallory], 'by a key that signs nobody else');
  const uploaded = await sign(signed);
  assert.deepEqual([uploaded.status, uploaded.body], [200, { failures: {} }]);
  assert.deepEqual((await query(alice)).master_keys, { [mallory]: signed });

  // The same once they share a room, so that their keys are kept.
  peer.on('GET', '/_matrix/federation/v1/user/devices/', () => ({
    body: {
      user_id: mallory,
      stream_id: 1,
      devices: [{ device_id: 'A', keys: device('A') }],
      master_key: master,
      self_signing_key: self,
    },
  }));
  await joinAs(peer, path, mallory);
  for (let time = 0; time < 2; time++) assert.deepEqual((await query(alice)).master_keys, { [mallory]: signed });
  assert.equal(peer.requests.filter((request) => request.includes('/user/devices/')).length, 1);
  assert.deepEqual(server.errors, []);
});

test(
  'a server may say null of keys that somebody does not have, as Synapse does',
  { timeout: 60_000 },
  async (context) => {
    const { server, peer, alice, path } = await openWithPeer(context);
    const none = { master_key: null, self_signing_key: null };
    peer.on('GET', '/_matrix/federation/v1/user/devices/', () => ({
      body: { user_id: mallory, stream_id: 1, devices: [{ device_id: 'A', keys: device('A') }], ...none },
    }));
    peer.on('POST', '/_matrix/federation/v1/user/keys/query', () => ({
      body: {
        device_keys: { [mallory]: { A: device('A') } },
        master_keys: null,
        self_signing_keys: { [mallory]: null },
      },
    }));
    assert.deepEqual(Object.keys((await query(alice)).device_keys[mallory] ?? {}), ['A'], 'of a stranger');
    await joinAs(peer, path, mallory);
    assert.deepEqual(Object.keys((await query(alice)).device_keys[mallory] ?? {}), ['A'], 'who shares a room');
    assert.equal((await query(alice)).master_keys[mallory], undefined);
    assert.deepEqual(server.errors, []);
  },
);
