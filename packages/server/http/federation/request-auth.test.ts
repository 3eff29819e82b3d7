import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { suite, test, type TestContext } from 'node:test';
import {
  decodeBase64,
  type JsonObject,
  type JsonValue,
  parseJson,
  parseServerName,
  type ServerName,
  signJson,
  signingKeyFromSeed,
  signText,
} from '@portico/protocol';
import { openFor, temporarySqlite } from '@portico/testkit/both-engines.ts';
import { type FederationPeer, openPeer, type SendOptions } from '@portico/testkit/federation-peer.ts';
import { startTestNetwork, type TestNetwork } from '@portico/testkit/network.ts';
import pino from 'pino';
import { Type } from 'typebox';
import { createFederation, type Federation } from '../../compose/federation.ts';
import { loadConfig } from '../../config/load.ts';
import { operation } from '../../federation-api/operation.ts';
import { requestText } from '../../services/federation/signing/request-text.ts';
import { formatXMatrix } from '../../services/federation/signing/x-matrix.ts';
import { createRateLimiter } from '../../services/rate-limit/rate-limiter.ts';
import { buildApp } from '../app.ts';
import { endpoint } from '../endpoint.ts';
import { federationEndpoints } from './index.ts';

/** Tells a server who it is, and what it said. */
const whoAmI = operation({
  method: 'PUT',
  path: '/_matrix/federation/v1/whoami/:word',
  operationId: 'whoAmI',
  summary: 'Says who asks.',
  auth: 'server',
  params: Type.Object({ word: Type.String() }),
  query: Type.Object({ x: Type.Optional(Type.String()) }),
  body: Type.Unsafe<JsonObject>(Type.Object({})),
  response: Type.Object({ origin: Type.String(), word: Type.String(), body: Type.Unknown() }),
  answerLimit: 10_000,
  timeout: 5000,
});
const noBody = operation({
  method: 'GET',
  path: '/_matrix/federation/v1/whoami',
  operationId: 'whoAmIWithoutBody',
  summary: 'Says who asks.',
  auth: 'server',
  response: Type.Object({ origin: Type.String() }),
  answerLimit: 10_000,
  timeout: 5000,
});
const endpoints = [
  ...federationEndpoints,
  endpoint(whoAmI, () => ({ origin, params, body }) => ({ origin, word: params.word, body })),
  endpoint(noBody, () => ({ origin }) => ({ origin })),
];

type Base = Federation & { readonly serverName: ServerName };

/** Everything of a server but its rooms and people, on real TLS. */
async function startBase(context: TestContext, network: TestNetwork, name: string, settings = {}): Promise<Base> {
  const serverName = parseServerName(name);
  assert.ok(serverName);
  const config = await loadConfig({
    environment: {
      PORTICO_SERVER_NAME: name,
      PORTICO_OUTBOUND_TRUSTED_CA_FILE: network.caFile,
      PORTICO_OUTBOUND_ALLOW_PRIVATE_ADDRESSES: 'true',
      ...settings,
    },
  });
  const db = await openFor(context, temporarySqlite(context));
  const key = signingKeyFromSeed('ed25519:base', randomBytes(32));
  const log = pino({ level: 'silent' });
  const federation = createFederation({
    config,
    serverName,
    key,
    db,
    log,
    metrics: undefined,
    now: Date.now,
    network: network.networkOf(name),
  });
  const app = buildApp(endpoints, federation.services, {
    log,
    authenticator: { findSender: () => undefined },
    rateLimiter: createRateLimiter({ enabled: false, now: Date.now }),
    requestAuth: federation.requestAuth,
    tls: network.authority.issue([name]),
  });
  await app.listen({ host: '127.0.0.1', port: 0 });
  network.addPeer(name, (app.server.address() as AddressInfo).port);
  context.after(async () => {
    await app.close();
    await federation.close();
  });
  return { ...federation, serverName };
}

async function openNetwork(context: TestContext): Promise<TestNetwork> {
  const network = await startTestNetwork([]);
  context.after(() => network.close());
  return network;
}

test('two servers fetch each other’s keys over TLS, and believe each other’s requests', async (context) => {
  const network = await openNetwork(context);
  const one = await startBase(context, network, 'hs1');
  const two = await startBase(context, network, 'hs2');
  const ask = (from: Base, to: Base) =>
    from.client.call(whoAmI, to.serverName, { params: { word: 'a/b ü' }, query: { x: '1&2' }, body: { n: 1 } });
  assert.deepEqual({ ...(await ask(one, two)) }, { origin: 'hs1', word: 'a/b ü', body: parseJson('{"n":1}') });
  assert.equal((await ask(two, one)).origin, 'hs2');
  assert.equal((await one.client.call(noBody, two.serverName, {})).origin, 'hs1');
});

test('a request that a server signs', async (context) => {
  const path = '/_matrix/federation/v1/whoami/x?x=%41&y';
  const content = { text: 'hello' };

  const network = await openNetwork(context);
  await startBase(context, network, 'hs1');
  const peer = await openPeer(context, network, 'peer.test');
  async function ask({ uri = path, ...options }: SendOptions & { readonly uri?: string }): Promise<string> {
    const { status, body } = await peer.send('hs1', 'PUT', uri, { content, ...options });
    const { errcode, origin } = body as { errcode?: string; origin?: string };
    return `${status} ${errcode ?? origin}`;
  }
  const sign = (origin: string, destination: string | undefined): string => {
    const text = requestText({ method: 'PUT', uri: path, origin, destination, content: '{"text":"hello"}' });
    return signText(peer.key, text);
  };

  const accepted: readonly [what: string, options: SendOptions][] = [
    ['as the spec writes it', {}],
    ['without quotes', { authorization: peer.authorization('hs1', 'PUT', path, content).replaceAll('"', '') }],
    [
      'without a destination, as old servers do',
      {
        authorization: `X-Matrix origin=peer.test,key="ed25519:peer",sig="${sign('peer.test', undefined)}"`,
      },
    ],
    [
      'with other names and spaces',
      {
        authorization: `x-matrix  SIG="${sign('peer.test', 'hs1')}" , Key=ed25519:peer,destination=hs1,  ORIGIN="peer.test"`,
      },
    ],
    [
      'beside a key that nobody knows',
      {
        authorization: [
          formatXMatrix('peer.test', 'hs1', 'ed25519:unknown', 'AAAA'),
          peer.authorization('hs1', 'PUT', path, content),
        ],
      },
    ],
    ['with keys in another order', { bodyText: ' { "text" : "\\u0068ello" } ' }],
    ['with a number that JavaScript cannot hold', { content: parseJson('{"n":9223372036854775807}', 'lenient') }],
    ['with keys that are no ordinary ones', { content: parseJson('{"__proto__":{"a":1},"constructor":2}', 'lenient') }],
  ];
  for (const [what, options] of accepted) {
    await context.test(`is believed ${what}`, async () => assert.equal(await ask(options), '200 peer.test'));
  }

  const refused: readonly [what: string, options: SendOptions & { readonly uri?: string }][] = [
    [
      'for another server',
      { authorization: formatXMatrix('peer.test', 'hs2', 'ed25519:peer', sign('peer.test', 'hs2')) },
    ],
    [
      'for this one, and says so of another',
      { authorization: formatXMatrix('peer.test', 'hs2', 'ed25519:peer', sign('peer.test', 'hs1')) },
    ],
    [
      'for this one in capitals',
      { authorization: formatXMatrix('peer.test', 'HS1', 'ed25519:peer', sign('peer.test', 'HS1')) },
    ],
    [
      'for this one with a port',
      {
        authorization: formatXMatrix('peer.test', 'hs1:8448', 'ed25519:peer', sign('peer.test', 'hs1:8448')),
      },
    ],
    [
      'in the name of another one',
      {
        authorization: formatXMatrix('other.test', 'hs1', 'ed25519:peer', sign('other.test', 'hs1')),
      },
    ],
    ['in our own name', { authorization: formatXMatrix('hs1', 'hs1', 'ed25519:peer', sign('hs1', 'hs1')) }],
    [
      'in its name in capitals',
      { authorization: formatXMatrix('PEER.test', 'hs1', 'ed25519:peer', sign('PEER.test', 'hs1')) },
    ],
    [
      'in a name that is none',
      {
        authorization: formatXMatrix('peer.test/x', 'hs1', 'ed25519:peer', sign('peer.test/x', 'hs1')),
      },
    ],
    [
      'with a key of another kind',
      { authorization: formatXMatrix('peer.test', 'hs1', 'rsa:peer', sign('peer.test', 'hs1')) },
    ],
    [
      'with an unknown key',
      { authorization: formatXMatrix('peer.test', 'hs1', 'ed25519:x', sign('peer.test', 'hs1')) },
    ],
    [
      'and another one in the same header',
      { authorization: `${peer.authorization('hs1', 'PUT', path, content)},origin="other.test"` },
    ],
    [
      'and another one in a header beside it',
      {
        authorization: [
          peer.authorization('hs1', 'PUT', path, content),
          formatXMatrix('other.test', 'hs1', 'ed25519:other', 'AAAA'),
        ],
      },
    ],
    ['as a client', { authorization: 'Bearer peer.test' }],
    ['for another body', { bodyText: '{"text":"bye"}' }],
    ['without the body', { bodyText: '{}' }],
    [
      'for another query',
      { authorization: peer.authorization('hs1', 'PUT', path, content), uri: path.replace('%41', 'A') },
    ],
    ['for another method', { authorization: peer.authorization('hs1', 'POST', path, content) }],
    [
      'for a number that is nearly the same',
      {
        bodyText: '{"n":9007199254740993}',
        authorization: peer.authorization('hs1', 'PUT', path, parseJson('{"n":9007199254740992}', 'lenient')),
      },
    ],
  ];
  for (const [what, options] of refused) {
    await context.test(`is refused ${what}`, async () => assert.equal(await ask(options), '401 M_UNAUTHORIZED'));
  }
});

suite('keys:', () => {
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
