import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { startTestServer } from '@portico/testkit/server.ts';

const server = await startTestServer({ settings: { PUBLIC_BASE_URL: 'https://matrix.example.org/' } });
await server.registerUser('alice', 'correct');
after(() => server.close());
const path = '/_matrix/client/v3/login';
const whoami = '/_matrix/client/v3/account/whoami';
const password = { type: 'm.login.password', password: 'correct' };
const byId = (user: string) => ({ identifier: { type: 'm.id.user', user } });
const logIn = (body: object) => server.anonymous.post(path, { ...password, ...body });

function clientOf(body: { readonly [field: string]: unknown }) {
  const { user_id: userId, device_id: deviceId, access_token: accessToken } = body as Record<string, string>;
  return server.as({ userId: userId ?? '', deviceId: deviceId ?? '', accessToken: accessToken ?? '' });
}

test('the flows are those that work', async () => {
  assert.deepEqual((await server.anonymous.get(path)).body, {
    flows: [
      { type: 'm.login.password' },
      { type: 'm.login.token', get_login_token: true },
      { type: 'm.login.application_service' },
      { type: 'uk.half-shot.msc2778.login.application_service' },
    ],
  });
});

test('a user logs in by local part or whole ID, in the old way or the new one', async () => {
  const inTheOldWay = [{ user: 'alice' }, { user: '@alice:localhost' }];
  for (const who of [
    byId('alice'),
    byId('@alice:localhost'),
    byId('Alice'),
    byId('@ALICE:localhost'),
    ...inTheOldWay,
  ]) {
    const { status, body } = await logIn(who);
    assert.equal(status, 200);
    assert.equal(body['user_id'], '@alice:localhost');
    assert.equal(body['home_server'], 'localhost');
    assert.deepEqual(body['well_known'], { 'm.homeserver': { base_url: 'https://matrix.example.org' } });
    assert.equal((await clientOf(body).get(whoami)).status, 200);
  }
});

test('a login that is wrong says no more than that', async () => {
  const refusals = [
    { ...byId('alice'), password: 'wrong' },
    byId('nobody'),
    byId('\u{212a}alice'),
    byId('@alice:LOCALHOST'),
    byId('@alice:elsewhere.example'),
  ];
  for (const refusal of refusals) {
    const { status, body } = await logIn(refusal);
    assert.deepEqual([status, body['errcode'], body['error']], [403, 'M_FORBIDDEN', 'Wrong user name or password.']);
  }
});

test('email addresses and phone numbers that nobody here has are refused like wrong passwords', async () => {
  for (const identifier of [
    { type: 'm.id.thirdparty', medium: 'email', address: 'a@b.c' },
    { type: 'm.id.phone', country: 'GB', phone: '1' },
  ]) {
    const { status, body } = await logIn({ identifier });
    // "In the case that the homeserver does not know about the supplied 3PID, the homeserver must respond with `403 Forbidden`."
    assert.deepEqual([status, body['errcode']], [403, 'M_FORBIDDEN']);
  }
  const { status, body } = await logIn({ identifier: { type: 'org.example.unknown' } });
  assert.deepEqual([status, body['errcode']], [400, 'M_UNKNOWN']);
});

test('a login that is incomplete, or of a type that is not offered', async () => {
  const code = async (body: object) => {
    const { status, body: answer } = await server.anonymous.post(path, body);
    return [status, answer['errcode']];
  };
  assert.deepEqual(await code({}), [400, 'M_MISSING_PARAM']);
  assert.deepEqual(await code(password), [400, 'M_MISSING_PARAM']);
  assert.deepEqual(await code({ type: 'm.login.password', user: 'alice' }), [400, 'M_MISSING_PARAM']);
  assert.deepEqual(await code({ type: 'm.login.sso', token: 'x' }), [400, 'M_UNKNOWN']);
  assert.deepEqual(await code({ ...password, user: 7 }), [400, 'M_BAD_JSON']);
  assert.deepEqual(await code({ ...password, user: 'alice', device_id: '' }), [400, 'M_INVALID_PARAM']);
});

test('logging in again on a device ends what was there', async () => {
  const before = clientOf((await logIn({ user: 'alice', device_id: 'LAPTOP' })).body);
  assert.equal((await before.get(whoami)).status, 200);
  const after = clientOf((await logIn({ user: 'alice', device_id: 'LAPTOP' })).body);
  assert.equal((await before.get(whoami)).body['errcode'], 'M_UNKNOWN_TOKEN');
  assert.equal((await after.get(whoami)).body['device_id'], 'LAPTOP');
});

test('logging out ends one device, or all of them, at once', async () => {
  const bob = await server.registerUser('bob', 'correct');
  const others = await Promise.all(['1', '2'].map((id) => logIn({ user: 'bob', device_id: id })));
  const [first, second] = others.map(({ body }) => clientOf(body));
  const statuses = () => Promise.all([bob, first, second].map(async (client) => (await client?.get(whoami))?.status));
  assert.deepEqual(await statuses(), [200, 200, 200]);
  assert.deepEqual((await bob.post('/_matrix/client/v3/logout')).body, {});
  assert.deepEqual(await statuses(), [401, 200, 200]);
  assert.deepEqual((await first?.post('/_matrix/client/v3/logout/all', {}))?.body, {});
  assert.deepEqual(await statuses(), [401, 401, 401]);
});

test('a name for a device that is too long is cut, between its characters', async () => {
  const name = `${'x'.repeat(99)}😀`;
  const login = { ...password, user: 'alice', initial_device_display_name: name };
  const { status, body } = await server.anonymous.post(path, login);
  assert.equal(status, 200);
  const device = server.as({ userId: '', deviceId: '', accessToken: String(body['access_token']) });
  const told = await device.get(`/_matrix/client/v3/devices/${String(body['device_id'])}`);
  assert.equal(told.body['display_name'], 'x'.repeat(99));
});

test('guessing the password of one account is slow from wherever it comes', async (t) => {
  // No time passes, however slow the machine is.
  const limited = await startTestServer({ settings: { RATE_LIMITS_ENABLED: 'true' }, now: () => 1_700_000_000_000 });
  t.after(() => limited.close());
  await limited.registerUser('carol', 'correct');
  const guess = async (word: string) =>
    (await limited.anonymous.post(path, { ...password, user: 'carol', password: word })).body['errcode'];
  for (let n = 0; n < 5; n++) assert.equal(await guess('wrong'), 'M_FORBIDDEN');
  assert.equal(await guess('correct'), 'M_LIMIT_EXCEEDED');
});
