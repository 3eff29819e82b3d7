import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { type JsonObject, parseJson, signingKeyFromSeed, signJson, signText } from '@portico/protocol';
import { type FederationPeer, openPeer, type SendOptions } from '@portico/testkit/federation-peer.ts';
import { requestText } from '../../services/federation/signing/request-text.ts';
import { formatXMatrix } from '../../services/federation/signing/x-matrix.ts';
import { whoAmI, noBody, type Base, startBase, openNetwork } from '@portico/testkit/federation-base.ts';

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
      'for nobody, and says so of this one',
      { authorization: formatXMatrix('peer.test', 'hs1', 'ed25519:peer', sign('peer.test', undefined)) },
    ],
    [
      'for this one, and says so of nobody',
      { authorization: `X-Matrix origin=peer.test,key="ed25519:peer",sig="${sign('peer.test', 'hs1')}"` },
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
    [
      'and another destination in a header beside it',
      {
        authorization: [
          peer.authorization('hs1', 'PUT', path, content),
          `X-Matrix origin=peer.test,key="ed25519:other",sig="AAAA"`,
        ],
      },
    ],
    [
      'by more keys than anybody has',
      {
        authorization: [
          peer.authorization('hs1', 'PUT', path, content),
          ...Array.from({ length: 5 }, (_, index) => formatXMatrix('peer.test', 'hs1', `ed25519:${index}`, 'AAAA')),
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

test('a request is signed by a key that its server has now', async (context) => {
  const network = await openNetwork(context);
  await startBase(context, network, 'hs1');
  const other = signingKeyFromSeed('ed25519:other', randomBytes(32));
  const answers: Readonly<Record<string, (peer: FederationPeer) => JsonObject>> = {
    'current.test': (peer) => peer.keyAnswer(),
    'late.test': (peer) => peer.keyAnswer({ valid_until_ts: Date.now() - 1000 }),
    'gone.test'({ serverName, key }) {
      const answer = {
        server_name: serverName,
        verify_keys: { 'ed25519:other': { key: other.publicKey } },
        old_verify_keys: { [key.keyId]: { key: key.publicKey, expired_ts: Date.now() - 1000 } },
        valid_until_ts: Date.now() + 60 * 60_000,
      };
      return signJson(answer, serverName, other);
    },
  };
  const both = await openPeer(context, network, 'both.test');
  const verifyKeys = { [both.key.keyId]: { key: both.key.publicKey }, 'ed25519:other': { key: other.publicKey } };
  both.on('GET', '/_matrix/key/v2/server', () => ({ body: both.keyAnswer({ verify_keys: verifyKeys }) }));
  const uri = '/_matrix/federation/v1/whoami/x';
  const good = both.authorization('hs1', 'PUT', uri, {});
  const text = requestText({ method: 'PUT', uri, origin: 'both.test', destination: 'hs1', content: '{}' });
  for (const [signature, expected] of [
    [signText(other, text), 200],
    [signText(both.key, text), 401],
  ] as const) {
    const authorization = [good, formatXMatrix('both.test', 'hs1', 'ed25519:other', signature)];
    const { status } = await both.send('hs1', 'PUT', uri, { content: {}, authorization });
    assert.equal(status, expected, 'no signature by a key that counts may be wrong');
  }
  for (const [name, answer] of Object.entries(answers)) {
    const peer = await openPeer(context, network, name);
    peer.on('GET', '/_matrix/key/v2/server', () => ({ body: answer(peer) }));
    const { status } = await peer.send('hs1', 'PUT', uri, { content: {} });
    assert.equal(status, name === 'current.test' ? 200 : 401, name);
  }
});
