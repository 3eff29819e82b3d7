import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { suite, test, type TestContext } from 'node:test';
import { decodeBase64, type JsonObject, type JsonValue, signJson, signingKeyFromSeed } from '@portico/protocol';
import { type FederationPeer, openPeer } from '@portico/testkit/federation-peer.ts';
import type { TestNetwork } from '@portico/testkit/network.ts';
import { formatXMatrix } from '../../../services/federation/signing/x-matrix.ts';
import { type Base, startBase, openNetwork } from '@portico/testkit/federation-base.ts';

suite('keys of servers', () => {
  const path = '/_matrix/federation/v1/whoami';
  const day = 24 * 60 * 60_000;

  async function meet(context: TestContext): Promise<{ network: TestNetwork; base: Base; peer: FederationPeer }> {
    const network = await openNetwork(context);
    const base = await startBase(context, network, 'hs1', { PORTICO_FEDERATION_NOTARIES: '["notary.test"]' });
    return { network, base, peer: await openPeer(context, network, 'peer.test') };
  }
  const askedForKeys = ({ requests }: FederationPeer): number =>
    requests.filter((request) => request.startsWith('GET /_matrix/key')).length;
  const statusOf = async (peer: FederationPeer): Promise<number> => (await peer.send('hs1', 'GET', path)).status;

  test('are fetched once for many requests, and kept', async (context) => {
    const { peer } = await meet(context);
    assert.deepEqual(new Set(await Promise.all(Array.from({ length: 20 }, () => statusOf(peer)))), new Set([200]));
    assert.equal(askedForKeys(peer), 1);
  });

  test('that do not exist make nobody ask again and again', async (context) => {
    const { peer } = await meet(context);
    for (let index = 0; index < 20; index++) {
      const authorization = formatXMatrix('peer.test', 'hs1', `ed25519:${index}`, 'A'.repeat(86));
      assert.equal((await peer.send('hs1', 'GET', path, { authorization })).status, 401);
    }
    assert.equal(askedForKeys(peer), 1);
  });

  const refusals: readonly [what: string, answer: (peer: FederationPeer) => JsonValue | string][] = [
    ['that have expired', (peer) => peer.keyAnswer({ valid_until_ts: Date.now() - 1000 })],
    [
      'that are old',
      ({ keyAnswer, key }) =>
        keyAnswer({
          verify_keys: {},
          old_verify_keys: { [key.keyId]: { key: key.publicKey, expired_ts: Date.now() + day } },
        }),
    ],
    ['that are not signed', ({ keyAnswer }) => ({ ...keyAnswer(), signatures: {} })],
    ['of another server', ({ keyAnswer }) => keyAnswer({ server_name: 'other.test' })],
    ['with a time that is none', ({ keyAnswer }) => keyAnswer({ valid_until_ts: 'tomorrow' })],
    ['that are no JSON', () => '<html>'],
    ['without end', () => `{"x":"${'x'.repeat(100_000)}"}`],
  ];
  for (const [what, answer] of refusals) {
    test(`${what} count for nothing`, async (context) => {
      const { peer } = await meet(context);
      peer.on('GET', '/_matrix/key/v2/server', () => ({ body: answer(peer) }));
      assert.equal(await statusOf(peer), 401);
    });
  }

  test('that everybody can have count for nothing beside good ones', async (context) => {
    const { base, peer } = await meet(context);
    const leaked = 'l/O9hxMVKB6Lg+3Hqf0FQQZhVESQcMzbPN1Cz2nM3og';
    assert.equal(decodeBase64(leaked)?.length, 32);
    peer.on('GET', '/_matrix/key/v2/server', () => ({
      body: peer.keyAnswer({
        verify_keys: { [peer.key.keyId]: { key: peer.key.publicKey }, 'ed25519:leaked': { key: leaked } },
      }),
    }));
    const wanted = new Map([
      [
        'peer.test',
        new Map([
          [peer.key.keyId, 0],
          ['ed25519:leaked', 0],
        ]),
      ],
    ]);
    const ring = (await base.keys.find(wanted)).get('peer.test');
    assert.deepEqual([...(ring?.keys() ?? [])], [peer.key.keyId]);
  });

  /** A notary that answers every query with what a test says. */
  async function meetNotary(
    context: TestContext,
    answers: (notary: FederationPeer, peer: FederationPeer) => readonly JsonObject[],
  ) {
    const met = await meet(context);
    const notary = await openPeer(context, met.network, 'notary.test');
    notary.on('POST', '/_matrix/key/v2/query', () => ({ body: { server_keys: answers(notary, met.peer) } }));
    return { ...met, notary };
  }
  const countersigned = (answer: JsonObject, notary: FederationPeer): JsonObject =>
    signJson(answer, notary.serverName, notary.key);

  test('of a server that does not answer come from a notary', async (context) => {
    const { peer, notary } = await meetNotary(context, (notary, peer) => [countersigned(peer.keyAnswer(), notary)]);
    peer.on('GET', '/_matrix/key/v2/server', () => ({ status: 500, body: {} }));
    assert.equal(await statusOf(peer), 200);
    assert.equal(notary.requests.filter((request) => request.startsWith('POST')).length, 1);
  });

  test('are asked for at the server itself first', async (context) => {
    const { peer, notary } = await meetNotary(context, () => []);
    assert.equal(await statusOf(peer), 200);
    assert.deepEqual(notary.requests, []);
  });

  const forged = signingKeyFromSeed('ed25519:peer', randomBytes(32));
  const forgedAnswer = (serverName: string): JsonObject =>
    signJson(
      {
        server_name: serverName,
        verify_keys: { 'ed25519:peer': { key: forged.publicKey } },
        old_verify_keys: {},
        valid_until_ts: Date.now() + day,
      },
      serverName,
      forged,
    );
  const poisons: readonly [
    what: string,
    answers: (notary: FederationPeer, peer: FederationPeer) => readonly JsonObject[],
  ][] = [
    ['that it has not signed', (_, peer) => [peer.keyAnswer()]],
    [
      'that the server has not signed',
      (notary, peer) => [countersigned({ ...peer.keyAnswer(), signatures: {} }, notary)],
    ],
    ['that somebody else has signed', (notary, peer) => [signJson(peer.keyAnswer(), notary.serverName, forged)]],
    ['that are too old', (notary, peer) => [countersigned(peer.keyAnswer({ valid_until_ts: 1 }), notary)]],
  ];
  for (const [what, answers] of poisons) {
    test(`from a notary ${what} count for nothing`, async (context) => {
      const { peer } = await meetNotary(context, answers);
      peer.on('GET', '/_matrix/key/v2/server', () => ({ status: 500, body: {} }));
      assert.equal(await statusOf(peer), 401);
    });
  }

  test('from a notary count for nothing where it has signed them with a key that it has given up', async (context) => {
    const { peer, notary } = await meetNotary(context, (notary, peer) => [countersigned(peer.keyAnswer(), notary)]);
    const key = signingKeyFromSeed('ed25519:new', randomBytes(32));
    const { keyId, publicKey } = notary.key;
    const answer = {
      server_name: notary.serverName,
      verify_keys: { 'ed25519:new': { key: key.publicKey } },
      old_verify_keys: { [keyId]: { key: publicKey, expired_ts: Date.now() - 1000 } },
      valid_until_ts: Date.now() + day,
    };
    notary.on('GET', '/_matrix/key/v2/server', () => ({ body: signJson(answer, notary.serverName, key) }));
    peer.on('GET', '/_matrix/key/v2/server', () => ({ status: 500, body: {} }));
    assert.equal(await statusOf(peer), 401);
    assert.ok(notary.requests.some((request) => request.startsWith('POST')));
  });

  test('that the server gave itself are not replaced by a notary', async (context) => {
    const { base, peer, notary } = await meetNotary(context, (notary) => [
      countersigned(forgedAnswer('peer.test'), notary),
      countersigned(forgedAnswer('victim.test'), notary),
    ]);
    assert.equal(await statusOf(peer), 200);
    await base.keys.find(new Map([['peer.test', new Map([['ed25519:other', 0]])]]));
    assert.ok(notary.requests.some((request) => request.startsWith('POST')));
    assert.equal(await statusOf(peer), 200);
    assert.equal((await base.keys.find(new Map([['victim.test', new Map()]]))).get('victim.test')?.size ?? 0, 0);
  });
});

suite('as a notary', () => {
  test('a server adds its signature to what others say of themselves', async (context) => {
    const network = await openNetwork(context);
    const base = await startBase(context, network, 'hs1');
    const asking = await startBase(context, network, 'hs2', { PORTICO_FEDERATION_NOTARIES: '["hs1"]' });
    const peer = await openPeer(context, network, 'peer.test');
    network.cut('hs2', 'peer.test');
    assert.equal(
      (await asking.keys.find(new Map([['peer.test', new Map([['ed25519:peer', 1]])]]))).get('peer.test')?.size,
      1,
    );
    network.heal('hs2', 'peer.test');
    assert.equal((await base.services.notary.query(new Map([['peer.test', new Map()]]), 0)).includes('"hs1":'), true);
    for (const uri of [
      '/_matrix/key/v2/query/peer.test',
      '/_matrix/key/v2/query/peer.test/ed25519:peer?minimum_valid_until_ts=1',
    ]) {
      const { body } = await peer.send('hs1', 'GET', uri);
      const [answer] = (body as unknown as { server_keys: { signatures: object }[] }).server_keys;
      assert.deepEqual(Object.keys(answer?.signatures ?? {}).sort(), ['hs1', 'peer.test'], uri);
    }
  });

  test('it answers from what it has when the server is gone, and nothing where it has nothing', async (context) => {
    const network = await openNetwork(context);
    const base = await startBase(context, network, 'hs1');
    const peer = await openPeer(context, network, 'peer.test');
    const query = (name: string): Promise<string> => base.services.notary.query(new Map([[name, new Map()]]), 1);
    const before = await query('peer.test');
    network.cut('hs1', 'peer.test');
    assert.equal(
      await base.services.notary.query(new Map([['peer.test', new Map([['ed25519:peer', Date.now() * 2]])]]), 1),
      before,
    );
    assert.equal(await query('nobody.test'), '[]');
    assert.equal(await query('not a name'), '[]');
    assert.match(await query('hs1'), /"server_name":"hs1"/);
    assert.ok(peer.requests.length > 0);
  });
});
