import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { parseServerName, signingKeyFromSeed } from '@portico/protocol';
import { createTestAuthority } from '@portico/testkit/certificates.ts';
import { createDiscovery } from '../federation/discovery/discovery.ts';
import { createOwnKeys } from '../federation/keys/own-keys.ts';
import type { Network } from '../outbound/network.ts';
import { createOutbound } from '../outbound/outbound.ts';
import { checkReach } from './check-reach.ts';

type Answers = Readonly<Record<string, { readonly body: unknown; readonly headers?: Record<string, string> }>>;

const serverName = parseServerName('a.org');
const key = signingKeyFromSeed('ed25519:1', new Uint8Array(32).fill(1));

/** A machine that is `a.org` and `matrix.a.org`, whatever the port, and answers as it is told. */
async function examineWith(context: TestContext, answers: Answers, othersMayBePrivate = true) {
  const authority = createTestAuthority();
  const folder = mkdtempSync(join(tmpdir(), 'portico-doctor-'));
  const trustedCaFile = join(folder, 'ca.pem');
  writeFileSync(trustedCaFile, authority.certificate);
  const { certificate, key: tlsKey } = authority.issue(['a.org', 'matrix.a.org']);
  const server = createServer({ cert: certificate, key: tlsKey }, (request, response) => {
    const answer = answers[`${request.headers.host}${request.url}`];
    response.writeHead(answer === undefined ? 404 : 200, { 'content-type': 'application/json', ...answer?.headers });
    response.end(JSON.stringify(answer?.body ?? {}));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const network: Network = {
    lookup: async () => ['127.0.0.1'],
    resolveSrv: async () => [],
    connect: () => connect({ host: '127.0.0.1', port: (server.address() as AddressInfo).port }),
  };
  const lookers = [true, othersMayBePrivate].map((allowPrivateAddresses) => {
    const outbound = createOutbound({ network, allowPrivateAddresses, trustedCaFile, userAgent: 'test' });
    return { outbound, discovery: createDiscovery({ network, outbound, now: Date.now, random: () => 0 }) };
  });
  context.after(async () => {
    await Promise.all(lookers.map(({ outbound }) => outbound.close()));
    server.closeAllConnections();
    server.close();
    rmSync(folder, { recursive: true });
  });
  const [asMyself, asOthers] = lookers;
  assert.ok(asMyself && asOthers && serverName);
  const findings = await checkReach({
    config: {
      publicBaseUrl: 'https://matrix.a.org',
      federation: { enabled: true, deviceNames: false, publicRooms: true, notaries: [], oldKeys: [] },
    },
    serverName,
    keyId: key.keyId,
    publicKey: key.publicKey,
    asMyself,
    asOthers,
  });
  return Object.fromEntries(findings.map(({ about, level, text }) => [about, `${level}: ${text}`]));
}

function ownKeys(seed: number) {
  assert.ok(serverName);
  const signing = signingKeyFromSeed('ed25519:1', new Uint8Array(32).fill(seed));
  return JSON.parse(createOwnKeys(serverName, signing, [], Date.now).answer()) as unknown;
}

const cors = { 'access-control-allow-origin': '*' };
const right: Answers = {
  'matrix.a.org/_matrix/client/versions': { body: { versions: [] }, headers: cors },
  'a.org/.well-known/matrix/client': { body: { 'm.homeserver': { base_url: 'https://matrix.a.org/' } } },
  'a.org/.well-known/matrix/server': { body: { 'm.server': 'matrix.a.org:443' } },
  'matrix.a.org:443/_matrix/key/v2/server': { body: ownKeys(1) },
};

test('a server that clients and other servers find is told so', async (context) => {
  assert.deepEqual(await examineWith(context, right), {
    clients: 'ok: reach the server at https://matrix.a.org',
    'well-known': 'ok: https://a.org/.well-known/matrix/client leads here',
    federation: 'ok: a.org leads to this server, with its key',
  });
});

test('an address that is private from here is no failure, but said', async (context) => {
  const { federation } = await examineWith(context, right, false);
  assert.equal(federation, 'warn: a.org leads to this server, by an address that is private from here');
});

test('what leads elsewhere is found', async (context) => {
  const found = await examineWith(context, {
    'matrix.a.org/_matrix/client/versions': { body: { versions: [] } },
    'a.org/.well-known/matrix/client': { body: { 'm.homeserver': { base_url: 'https://old.a.org' } } },
    'a.org/_matrix/key/v2/server': { body: ownKeys(2) },
  });
  assert.match(found['clients'] ?? '', /^fail: .*Access-Control-Allow-Origin: nothing/);
  assert.match(found['well-known'] ?? '', /^fail: .* leads to https:\/\/old\.a\.org, and public_base_url is/);
  assert.equal(found['federation'], 'fail: a.org:8448 is another server of this name: it has other keys');
});

test('where nothing answers, it says what was asked', async (context) => {
  const found = await examineWith(context, {});
  assert.match(found['clients'] ?? '', /^fail: https:\/\/matrix\.a\.org\/_matrix\/client\/versions answers 404/);
  assert.match(found['well-known'] ?? '', /^warn: .* answers 404, without m\.homeserver/);
  assert.equal(found['federation'], 'fail: a.org:8448 answers 404, and says no keys');
});
