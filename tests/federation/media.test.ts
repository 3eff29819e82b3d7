import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test, type TestContext } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { type FederationPeer, openPeer, type PeerAnswer } from '@portico/testkit/federation-peer.ts';
import { startTestNetwork } from '@portico/testkit/network.ts';
import type { TestClient } from '@portico/testkit/test-client.ts';
import type { TestServer } from '@portico/testkit/server.ts';
import { openPair } from './people.ts';

async function open(context: TestContext, settings: Readonly<Record<string, string>> = {}) {
  const { network, alice, bob } = await openPair(context, settings);
  const download = (path: string) => fetchMedia(network.server('hs2'), bob, path);
  return { network, alice, bob, download };
}

async function upload(
  server: TestServer,
  { accessToken }: TestClient,
  body: Uint8Array<ArrayBuffer>,
  type: string,
  name?: string,
): Promise<string> {
  const query = name === undefined ? '' : `?filename=${encodeURIComponent(name)}`;
  const response = await fetch(`${server.urls[0]}/_matrix/media/v3/upload${query}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${accessToken}`, 'content-type': type },
    body,
  });
  const { content_uri: uri } = (await response.json()) as { content_uri: string };
  return uri.slice('mxc://'.length);
}

async function fetchMedia(server: TestServer, { accessToken }: TestClient, path: string) {
  const response = await fetch(`${server.urls[0]}/_matrix/client/v1/media/${path}`, {
    headers: { authorization: `Bearer ${accessToken}` },
  });
  const { status, headers } = response;
  return { status, headers, bytes: Buffer.from(await response.arrayBuffer()) };
}

/** A picture of one colour. */
const png = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);

const asked = (peer: FederationPeer) => peer.requests.filter((request) => request.includes('/media/')).length;

test('a file of another server is fetched, named as it was, and kept', async (context) => {
  const { network, alice, download } = await open(context);
  const bytes = new Uint8Array(randomBytes(3_000_000));
  const place = await upload(network.server('hs1'), alice, bytes, 'application/octet-stream', 'Übung "1".bin');
  const first = await download(`download/${place}`);
  assert.equal(first.status, 200);
  assert.ok(first.bytes.equals(bytes));
  assert.match(first.headers.get('content-disposition') ?? '', /filename\*=UTF-8''%C3%9Cbung%20%221%22\.bin/);
  network.cut('hs1', 'hs2');
  assert.ok((await download(`download/${place}`)).bytes.equals(bytes), 'it is here now');
  assert.equal((await download('download/hs1/another')).status, 502, 'others are not');
  assert.deepEqual(network.server('hs2').errors, []);
});

test('thumbnails of other servers’ pictures are made here, and given to other servers', async (context) => {
  const { network, alice, download } = await open(context);
  const place = await upload(network.server('hs1'), alice, new Uint8Array(png), 'image/png');
  const { status, headers } = await download(`thumbnail/${place}?width=32&height=32`);
  assert.equal(status, 200);
  assert.equal(headers.get('content-type'), 'image/png');
  const peer = await openPeer(context, network, 'peer.test');
  const mediaId = place.split('/')[1];
  const uri = `/_matrix/federation/v1/media/thumbnail/${mediaId}?width=32&height=32`;
  const response = await fetch(`${network.server('hs1').urls[0]}${uri}`);
  assert.equal(response.status, 404, 'not where clients come in');
  await assert.rejects(peer.send('hs1', 'GET', uri), /JSON/, 'which is answered in several parts');
});

test('media that are not there, and files of third servers, are nobody’s', async (context) => {
  const { network, download, alice } = await open(context, { MEDIA_REQUIRE_AUTHENTICATION: 'false' });
  assert.equal((await download('download/hs1/nothing')).status, 404);
  const place = await upload(network.server('hs1'), alice, new Uint8Array(png), 'image/png');
  assert.equal((await download(`download/${place}`)).status, 200);
  const peer = await openPeer(context, network, 'peer.test');
  const uri = `/_matrix/federation/v1/media/download/${place.split('/')[1]}`;
  assert.equal((await peer.send('hs2', 'GET', uri)).status, 404, 'hs2 has it, and it is not of hs2');
  const legacy = await fetch(`${network.server('hs2').urls[0]}/_matrix/media/v3/download/${place}?allow_remote=false`);
  assert.equal(legacy.status, 404);
});

/** A file as servers give it, of a peer. */
function parts(body: Buffer | string, headers: Readonly<Record<string, string>>, boundary = 'x-y'): PeerAnswer {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return {
    headers: { 'content-type': `multipart/mixed; boundary="${boundary}"` },
    body: Buffer.concat([
      Buffer.from(
        `--${boundary}\r\nContent-Type: application/json\r\n\r\n{}\r\n--${boundary}\r\n${lines.join('')}\r\n`,
      ),
      Buffer.from(body),
      Buffer.from(`\r\n--${boundary}--`),
    ]),
  };
}

test('many who ask for the same file make one request', async (context) => {
  const { network, download } = await open(context);
  const peer = await openPeer(context, network, 'peer.test');
  peer.on('GET', '/_matrix/federation/v1/media/download/', async () => {
    await pause(50);
    return parts('hello', { 'Content-Type': 'text/plain', 'Content-Disposition': 'attachment; filename=greeting.txt' });
  });
  const answers = await Promise.all([1, 2, 3, 4].map(() => download('download/peer.test/one')));
  assert.deepEqual(
    answers.map(({ bytes }) => bytes.toString()),
    ['hello', 'hello', 'hello', 'hello'],
  );
  assert.match(answers[0]?.headers.get('content-disposition') ?? '', /^inline; filename="greeting.txt"$/);
  assert.equal(asked(peer), 1);
});

test('a server that knows only the old way is asked in the old way, and not for what it does not have itself', async (context) => {
  const { network, download } = await open(context);
  const peer = await openPeer(context, network, 'peer.test');
  let url = '';
  peer.on('GET', '/_matrix/media/v3/download/peer.test/', (request) => {
    ({ url } = request);
    return { headers: { 'content-type': 'text/plain' }, body: 'old' };
  });
  assert.equal((await download('download/peer.test/old')).bytes.toString(), 'old');
  assert.match(url, /allow_remote=false/);
});

test('answers that make no sense, are too long, or never come are refused, and nothing is kept of them', async (context) => {
  const { network, download } = await open(context, { MEDIA_MAX_REMOTE_SIZE: '10KB' });
  const peer = await openPeer(context, network, 'peer.test');
  const answers: Readonly<Record<string, () => PeerAnswer | Promise<PeerAnswer>>> = {
    plain: () => ({ body: 'no parts' }),
    cut: () => ({ ...parts('hello', {}), body: Buffer.from('--x-y\r\n\r\n{}\r\n--x-y\r\n\r\nhel') }),
    head: () => ({ ...parts('', {}), body: Buffer.from(`--x-y\r\n${'a: b\r\n'.repeat(20_000)}`) }),
    long: () => parts(Buffer.alloc(200_000), {}),
    'long-with-small-wrapping': () => parts(Buffer.alloc(20_000), {}),
    other: () =>
      parts('hello', {}, 'other') && { ...parts('hello', {}, 'other'), headers: parts('', {}).headers ?? {} },
  };
  peer.on('GET', '/_matrix/federation/v1/media/download/', ({ url }) => {
    const name = /download\/([^?]+)/.exec(url)?.[1] ?? '';
    return answers[name]?.() ?? { status: 504, body: { errcode: 'M_NOT_YET_UPLOADED', error: 'Later.' } };
  });
  for (const name of Object.keys(answers)) {
    const { status } = await download(`download/peer.test/${name}`);
    assert.equal(status, 502, name);
  }
  assert.equal((await download('download/peer.test/later')).status, 504);
  peer.on('GET', '/_matrix/federation/v1/media/download/slow', async () => {
    await pause(300);
    return parts('slow', {});
  });
  assert.equal((await download('download/peer.test/slow?timeout_ms=10')).status, 504);
  for (let status = 0; status !== 200; await pause(20)) ({ status } = await download('download/peer.test/slow'));
  assert.deepEqual(network.server('hs2').errors, []);
});

test('a file that is elsewhere is fetched from there, over HTTPS only, and never from inside', async (context) => {
  const { network, download } = await open(context);
  const peer = await openPeer(context, network, 'peer.test');
  peer.on('GET', '/_matrix/federation/v1/media/download/here', () =>
    parts('', { Location: 'https://peer.test:8448/files/1?key=x' }),
  );
  peer.on('GET', '/files/1', () => ({ status: 302, headers: { location: '/files/2' }, body: '' }));
  peer.on('GET', '/files/2', () => ({ headers: { 'content-type': 'text/plain' }, body: 'elsewhere' }));
  const { bytes, headers } = await download('download/peer.test/here');
  assert.equal(bytes.toString(), 'elsewhere');
  assert.equal(headers.get('content-type'), 'text/plain');
  const places = ['http://peer.test/files/2', 'file:///etc/passwd', 'https://user:pass@peer.test:8448/files/2', '::'];
  peer.on('GET', '/loop', () => ({ status: 302, headers: { location: '/loop' }, body: '' }));
  for (const [index, place] of [...places, 'https://peer.test:8448/loop'].entries()) {
    peer.on('GET', `/_matrix/federation/v1/media/download/bad${index}`, () => parts('', { Location: place }));
    assert.equal((await download(`download/peer.test/bad${index}`)).status, 502, place);
  }
});

test('addresses inside are refused to files that are elsewhere, too', async (context) => {
  const network = await startTestNetwork(['hs1'], { settings: { OUTBOUND_ALLOW_PRIVATE_ADDRESSES: 'false' } });
  context.after(() => network.close());
  const alice = await network.server('hs1').registerUser('alice');
  // The peer itself has a private address in this network: even its own files are refused.
  const peer = await openPeer(context, network, 'peer.test');
  assert.equal((await fetchMedia(network.server('hs1'), alice, 'download/peer.test/x')).status, 502);
  assert.equal(asked(peer), 0);
});

test('what nobody has looked at for the longest time goes first when the cache is full', async (context) => {
  const { network, download } = await open(context, { MEDIA_REMOTE_CACHE_SIZE: '1MB' });
  const peer = await openPeer(context, network, 'peer.test');
  peer.on('GET', '/_matrix/federation/v1/media/download/', () => parts(randomBytes(300_000), {}));
  for (const name of ['a', 'b', 'c']) assert.equal((await download(`download/peer.test/${name}`)).status, 200);
  assert.equal(asked(peer), 3);
  assert.equal((await download('download/peer.test/d')).status, 200);
  // Some time after that, the first one is fetched again.
  const before = asked(peer);
  for (const end = Date.now() + 60_000; asked(peer) === before && Date.now() < end; await pause(20)) {
    assert.equal((await download('download/peer.test/a')).status, 200);
  }
  assert.equal(asked(peer), before + 1);
  assert.deepEqual(network.server('hs2').errors, []);
});
