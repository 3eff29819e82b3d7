import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject, JsonValue } from '@portico/protocol';
import { newDeviceKeys, newOneTimeKeys, plainJson } from '@portico/testkit/device-keys.ts';
import { keys, mallory } from './mallory.ts';
import { openWithPeer } from './peer.ts';

test('of an answer to a claim only what was asked for is passed on', { timeout: 60_000 }, async (context) => {
  const { server, peer, alice } = await openWithPeer(context);
  const good = newOneTimeKeys(2);
  const claimed = async (body: JsonValue) => {
    peer.on('POST', '/_matrix/federation/v1/user/keys/claim', () => ({ body }));
    const { status, body: answer } = await alice.post(`${keys}/claim`, {
      one_time_keys: { [mallory]: { A: 'signed_curve25519', B: 'signed_curve25519' } },
    });
    assert.equal(status, 200, JSON.stringify(answer));
    return answer as { one_time_keys: object; failures: object };
  };
  const [[first, firstKey]] = Object.entries(good) as [[string, JsonObject]];
  const answer = await claimed({
    one_time_keys: {
      [mallory]: {
        A: good,
        B: { 'ed25519:X': { key: 'another algorithm' } },
        C: { 'signed_curve25519:C': { key: 'nobody asked' } },
        __proto__: good,
      },
      [alice.userId]: { [alice.deviceId]: { 'signed_curve25519:F': { key: 'forged' } } },
      '@eve:elsewhere.test': { A: good },
    },
  });
  assert.deepEqual(answer, { one_time_keys: { [mallory]: { A: { [first]: firstKey } } }, failures: {} });
  const nothing: JsonValue[] = [
    { one_time_keys: {} },
    { one_time_keys: { [mallory]: [] } },
    { one_time_keys: { [mallory]: { A: 'key', B: null } } },
    { one_time_keys: { [mallory]: { A: { 'signed_curve25519:A': 5 }, B: { 'signed_curve25519:B': {} } } } },
    { one_time_keys: { [mallory]: { A: { 'signed_curve25519:A': { key: 'x'.repeat(5000) } } } } },
    { one_time_keys: { [mallory]: { A: { [`signed_curve25519:${'A'.repeat(300)}`]: { key: 'x' } } } } },
  ];
  for (const body of nothing) assert.deepEqual(await claimed(body), { one_time_keys: {}, failures: {} });
  const failed = await claimed({ one_time_keys: [] });
  assert.deepEqual([failed.one_time_keys, Object.keys(failed.failures)], [{}, ['peer.test']]);
  assert.deepEqual(server.errors, []);
});

for (const engine of ['sqlite', 'postgres'] as const) {
  test(
    `servers claim keys of this server's people, so many at a time (${engine})`,
    { timeout: 60_000 },
    async (context) => {
      const { server, peer, alice } = await openWithPeer(context, engine);
      assert.equal((await alice.post(`${keys}/upload`, { one_time_keys: newOneTimeKeys(1) })).status, 200);
      const claim = (one_time_keys: JsonObject) =>
        peer.send('hs1', 'POST', '/_matrix/federation/v1/user/keys/claim', { content: { one_time_keys } });
      const flood = Object.fromEntries(Array.from({ length: 3000 }, (_, n) => [`D${n}`, 'signed_curve25519']));
      assert.equal((await claim({ [alice.userId]: flood })).status, 413);
      const odd = await claim({
        '@nobody:hs1': { A: 'signed_curve25519' },
        [mallory]: { A: 'signed_curve25519' },
        'no user': { A: 'x' },
        [alice.userId]: { 'NUL\0': 'signed_curve25519', A: 'NUL\0' },
      });
      assert.ok(odd.status === 200 || odd.status === 400, JSON.stringify(odd));
      const left = await claim({ [alice.userId]: { [alice.deviceId]: 'signed_curve25519' } });
      assert.deepEqual(plainJson(left), {
        status: 200,
        body: { one_time_keys: { [alice.userId]: { [alice.deviceId]: newOneTimeKeys(1) } } },
      });
      assert.deepEqual(server.errors, []);
    },
  );
}

test('people of whom nothing is wanted lead to no request, and too many of them are refused', async (context) => {
  const { server, peer, alice } = await openWithPeer(context);
  assert.equal((await alice.post(`${keys}/upload`, { device_keys: newDeviceKeys(alice) })).status, 200);
  const people = (count: number, what: object): JsonObject =>
    Object.fromEntries(Array.from({ length: count }, (_, n) => [`@a${n}:peer.test`, what as JsonObject]));
  const claim = async (one_time_keys: JsonObject) => (await alice.post(`${keys}/claim`, { one_time_keys })).status;
  const sign = async (signed: JsonObject) => (await alice.post(`${keys}/signatures/upload`, signed)).status;
  assert.deepEqual([await claim(people(3000, {})), await sign(people(3000, {}))], [413, 413]);
  const before = peer.requests.length;
  assert.deepEqual([await claim(people(900, {})), await sign(people(900, {}))], [200, 200]);
  assert.equal(peer.requests.length, before);
  // More than is read at once, somebody's devices in several portions.
  const named = Array.from({ length: 300 }, (_, n) => `D${n}`);
  const strangers = Object.fromEntries(Array.from({ length: 250 }, (_, n) => [`@a${n}:hs1`, []]));
  const { status, body } = await alice.post(`${keys}/query`, {
    device_keys: { ...strangers, [alice.userId]: [...named, alice.deviceId, ...named] },
  });
  const found = body['device_keys'] as Record<string, object>;
  assert.deepEqual([status, Object.keys(found).length], [200, 251]);
  assert.deepEqual(Object.keys(found[alice.userId] ?? {}), [alice.deviceId]);
  assert.deepEqual(server.errors, []);
});
