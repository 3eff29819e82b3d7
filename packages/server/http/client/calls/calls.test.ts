import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { after, test } from 'node:test';
import { startTestServer } from '@portico/testkit/server.ts';

const turnPath = '/_matrix/client/v3/voip/turnServer';
const transportsPath = '/_matrix/client/unstable/org.matrix.msc4143/rtc/transports';
const transports = [
  { type: 'livekit', livekit_service_url: 'https://calls.example.org', regions: ['eu', 1, true, { zone: 'a' }] },
  { type: 'org.example.other' },
];
const uris = ['turn:turn.example.org:3478?transport=udp', 'turns:turn.example.org:5349'];
const seconds = 1_700_000_000;

const server = await startTestServer({
  now: () => seconds * 1000 + 999,
  settings: {
    CALLS_TRANSPORTS: JSON.stringify(transports),
    CALLS_TURN: JSON.stringify({ uris, shared_secret: 'shared with the TURN server', lifetime: 600 }),
  },
});
const plain = await startTestServer();
after(() => server.close());
after(() => plain.close());

test('credentials of the TURN server end, and can be checked by whoever has the secret', async () => {
  const alice = await server.registerUser();
  const { status, body } = await alice.get(turnPath);
  const username = `${seconds + 600}:${alice.userId}`;
  const password = createHmac('sha1', 'shared with the TURN server').update(username).digest('base64');
  assert.deepEqual([status, body], [200, { username, password, uris, ttl: 600 }]);
  assert.equal((await server.anonymous.get(turnPath)).body['errcode'], 'M_MISSING_TOKEN');
});

test('transports are listed as the settings have them, to clients and before anybody logs in', async () => {
  const alice = await server.registerUser();
  assert.deepEqual((await alice.get(transportsPath)).body, { rtc_transports: transports });
  assert.equal((await server.anonymous.get(transportsPath)).body['errcode'], 'M_MISSING_TOKEN');
  const { body } = await server.anonymous.get('/.well-known/matrix/client');
  assert.deepEqual(body['org.matrix.msc4143.rtc_foci'], transports);
});

test('a server without any says so', async () => {
  const alice = await plain.registerUser();
  assert.deepEqual((await alice.get(turnPath)).body, {});
  assert.deepEqual((await alice.get(transportsPath)).body, { rtc_transports: [] });
  const { body } = await plain.anonymous.get('/.well-known/matrix/client');
  assert.equal('org.matrix.msc4143.rtc_foci' in body, false);
});
