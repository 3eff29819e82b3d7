import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { startTestServer, testSharedSecret, type TestServer } from '@portico/testkit/server.ts';
import { createSyncClient } from '@portico/testkit/sync-client.ts';
import type { TestResponse } from '@portico/testkit/test-client.ts';
import { sharedSecretMac } from '../../../services/accounts/shared-secret.ts';

const path = '/_matrix/client/v3/register';
const dummy = { type: 'm.login.dummy' };

async function start(settings: Record<string, string> = {}, now?: () => number): Promise<TestServer> {
  const server = await startTestServer({ settings, ...(now && { now }) });
  after(() => server.close());
  return server;
}

function assertRefused(response: TestResponse, status: number, errcode: string): void {
  assert.deepEqual([response.status, response.body['errcode']], [status, errcode]);
}

describe('open registration', async () => {
  const server = await start();
  const register = (body: object) => server.anonymous.post(path, body);

  test('asks for the dummy stage first, also of a client that only wants to know', async () => {
    for (const body of [undefined, {}, { username: 'asking', password: 'x' }]) {
      const { status, body: challenge } = await server.anonymous.post(path, body);
      assert.equal(status, 401);
      assert.deepEqual(challenge['flows'], [{ stages: ['m.login.dummy'] }]);
      assert.equal(typeof challenge['session'], 'string');
      assert.equal('errcode' in challenge, false);
    }
  });

  test('takes null for a session that a client does not have', async () => {
    const auth = { ...dummy, session: null };
    const { status, body } = await register({ username: 'rust', password: 'x', auth });
    assert.deepEqual([status, body['user_id']], [200, '@rust:localhost']);
  });

  test('gives an account and a session once the stage is passed', async () => {
    const first = await register({ username: 'alice', password: 'x' });
    const auth = { ...dummy, session: first.body['session'] };
    const { status, body } = await register({ username: 'alice', password: 'x', device_id: 'PHONE', auth });
    assert.equal(status, 200);
    assert.equal(body['user_id'], '@alice:localhost');
    assert.equal(body['device_id'], 'PHONE');
    const user = server.as({ userId: '', deviceId: '', accessToken: String(body['access_token']) });
    assert.deepEqual((await user.get('/_matrix/client/v3/account/whoami')).body, {
      user_id: '@alice:localhost',
      device_id: 'PHONE',
      is_guest: false,
    });
  });

  test('goes on with what it was asked for when a client comes back with nothing but the session', async () => {
    const asked = {
      username: 'phone',
      password: 'correct horse',
      device_id: 'PHONE',
      initial_device_display_name: 'P',
    };
    const { body: challenge } = await register(asked);
    const { status, body } = await register({ auth: { ...dummy, session: challenge['session'] } });
    assert.deepEqual([status, body['user_id'], body['device_id']], [200, '@phone:localhost', 'PHONE']);
    const user = server.as({ userId: '', deviceId: '', accessToken: String(body['access_token']) });
    assert.equal((await user.get('/_matrix/client/v3/devices/PHONE')).body['display_name'], 'P');
    const identifier = { type: 'm.id.user', user: 'phone' };
    const logIn = (password: string) =>
      server.anonymous.post('/_matrix/client/v3/login', { type: 'm.login.password', identifier, password });
    assert.equal((await logIn('correct horse')).status, 200);
    assertRefused(await logIn('battery staple'), 403, 'M_FORBIDDEN');

    const quiet = await register({ username: 'quiet', password: 'old', inhibit_login: true });
    const auth = { ...dummy, session: quiet.body['session'] };
    const changed = await register({ auth, password: 'new', username: 'quieter' });
    assert.deepEqual([changed.body['user_id'], changed.body['access_token']], ['@quieter:localhost', undefined]);
    const nothing = await register({});
    assertRefused(await register({ auth: { ...dummy, session: nothing.body['session'] } }), 400, 'M_MISSING_PARAM');
  });

  test('remembers nothing without bounds', async () => {
    assertRefused(
      await register({ username: 'long', password: 'x', device_id: 'D'.repeat(10_000) }),
      400,
      'M_INVALID_PARAM',
    );
  });

  test('uses a session up', async () => {
    const { body } = await register({ username: 'first', password: 'x' });
    const auth = { ...dummy, session: body['session'] };
    assert.equal((await register({ username: 'first', password: 'x', auth })).status, 200);
    assertRefused(await register({ username: 'second', password: 'x', auth }), 400, 'M_UNKNOWN');
    assertRefused(
      await register({ username: 'second', password: 'x', auth: { session: 'made up' } }),
      400,
      'M_UNKNOWN',
    );
  });

  test('refuses a name that is taken or not one, before any stage', async () => {
    await server.registerUser('taken');
    for (const username of ['taken', 'Taken']) assertRefused(await register({ username }), 400, 'M_USER_IN_USE');
    for (const username of ['\u{212a}elvin', 'sp ace', 'ünicode', '', 'x'.repeat(250)]) {
      assertRefused(await register({ username, password: 'x', auth: dummy }), 400, 'M_INVALID_USERNAME');
    }
  });

  test('refuses an empty password, before any stage, and then a password cannot become empty either', async () => {
    for (const auth of [undefined, dummy]) {
      assertRefused(
        await register({ username: 'careless', password: '', ...(auth && { auth }) }),
        400,
        'M_WEAK_PASSWORD',
      );
    }
    const person = await server.registerUser();
    const change = { new_password: '', auth: { type: 'm.login.password', password: 'a password' } };
    assertRefused(await person.post('/_matrix/client/v3/account/password', change), 400, 'M_WEAK_PASSWORD');
  });

  test('lets one of many have a name they all want at once', async () => {
    const wanted = Array.from({ length: 8 }, () => register({ username: 'wanted', password: 'x', auth: dummy }));
    const statuses = (await Promise.all(wanted)).map(({ status }) => status).sort((a, b) => a - b);
    assert.deepEqual(statuses, [200, 400, 400, 400, 400, 400, 400, 400]);
  });

  test('makes up a name, and leaves out the session of those who want none', async () => {
    const { body } = await register({ password: 'x', auth: dummy, inhibit_login: true });
    assert.match(String(body['user_id']), /^@[a-z0-9]{12}:localhost$/);
    assert.equal('access_token' in body || 'device_id' in body, false);
  });

  test('calls people by their user name until they say otherwise', async () => {
    const profileOf = async (userId: unknown) =>
      (await server.anonymous.get(`/_matrix/client/v3/profile/${String(userId)}`)).body;
    const made = await register({ username: 'Carol', password: 'x', auth: dummy, inhibit_login: true });
    assert.deepEqual(await profileOf(made.body['user_id']), { displayname: 'carol' });
    const nameless = await register({ password: 'x', auth: dummy });
    const userId = String(nameless.body['user_id']);
    assert.deepEqual(await profileOf(userId), { displayname: userId.slice(1, -':localhost'.length) });

    const user = createSyncClient(
      server.as({ userId, deviceId: '', accessToken: String(nameless.body['access_token']) }),
    );
    const member = async (roomId: string) => {
      const path = `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/state/m.room.member/${userId}`;
      return (await user.http.get(path)).body;
    };
    const displayname = userId.slice(1, -':localhost'.length);
    assert.deepEqual(await member(await user.createRoom()), { membership: 'join', displayname });
    const field = `/_matrix/client/v3/profile/${userId}/displayname`;
    await user.http.delete(field);
    assertRefused(await server.anonymous.get(field), 404, 'M_NOT_FOUND');
    assert.deepEqual(await member(await user.createRoom()), { membership: 'join' });
  });

  test('has no guests', async () => {
    assertRefused(await server.anonymous.post(`${path}?kind=guest`, {}), 403, 'M_GUEST_ACCESS_FORBIDDEN');
  });

  test('says which names are available', async () => {
    const available = (name: string) => server.anonymous.get(`${path}/available?username=${encodeURIComponent(name)}`);
    assert.deepEqual((await available('nobody-has-this')).body, { available: true });
    await server.registerUser('somebody-has-this');
    assertRefused(await available('somebody-has-this'), 400, 'M_USER_IN_USE');
    assertRefused(await available('n o'), 400, 'M_INVALID_USERNAME');
    assertRefused(await server.anonymous.get(`${path}/available`), 400, 'M_MISSING_PARAM');
  });
});

test('closed registration is closed', async () => {
  const server = await start({ REGISTRATION_MODE: 'closed' });
  assertRefused(await server.anonymous.post(path, { username: 'x', password: 'x', auth: dummy }), 403, 'M_FORBIDDEN');
  assertRefused(await server.anonymous.get(`${path}/available?username=x`), 403, 'M_FORBIDDEN');
});

describe('registration by shared secret', async () => {
  const clock = { at: Date.now() };
  const server = await start({ REGISTRATION_MODE: 'closed' }, () => clock.at);
  const adminPath = '/_synapse/admin/v1/register';
  const newNonce = async () => String((await server.anonymous.get(adminPath)).body['nonce']);

  async function register(fields: { username: string; admin?: boolean; user_type?: string; displayname?: string }) {
    const request = { nonce: await newNonce(), password: 'secret', ...fields };
    return { ...request, mac: sharedSecretMac(testSharedSecret, request) };
  }

  test('takes the mac that the tools compute', () => {
    // printf 'n\0u\0p\0notadmin' | openssl sha1 -hmac s
    const mac = sharedSecretMac('s', { nonce: 'n', username: 'u', password: 'p' });
    assert.equal(mac, '26f3059760aebb1bcdcebc65f1bcb7b75691a8d6');
  });

  test('makes accounts, administrators too, and uses the nonce up', async () => {
    const request = await register({ username: 'Boss', admin: true, displayname: 'The Boss' });
    const { status, body } = await server.anonymous.post(adminPath, request);
    assert.equal(status, 200);
    assert.equal(body['user_id'], '@boss:localhost');
    assert.equal(typeof body['access_token'], 'string');
    const again = { ...request, username: 'boss2' };
    const profile = async (name: string) =>
      (await server.anonymous.get(`/_matrix/client/v3/profile/@${name}:localhost`)).body;
    assert.deepEqual(await profile('boss'), { displayname: 'The Boss' });
    for (const [username, displayname, expected] of [
      ['unnamed', undefined, { displayname: 'unnamed' }],
      ['emptied', '', {}],
      ['wordy', 'x'.repeat(300), { displayname: 'x'.repeat(256) }],
    ] as const) {
      const named = await register({ username, ...(displayname !== undefined && { displayname }) });
      assert.equal((await server.anonymous.post(adminPath, named)).status, 200);
      assert.deepEqual(await profile(username), expected);
    }
    assertRefused(
      await server.anonymous.post(adminPath, { ...again, mac: sharedSecretMac(testSharedSecret, again) }),
      400,
      'M_UNKNOWN',
    );
  });

  test('refuses a wrong mac, a nonce that is too old, a name that is taken', async () => {
    const forged = { ...(await register({ username: 'forger' })), admin: true };
    assertRefused(await server.anonymous.post(adminPath, forged), 403, 'M_FORBIDDEN');
    const late = await register({ username: 'late' });
    clock.at += 61_000;
    assertRefused(await server.anonymous.post(adminPath, late), 400, 'M_UNKNOWN');
    await server.anonymous.post(adminPath, await register({ username: 'one' }));
    assertRefused(await server.anonymous.post(adminPath, await register({ username: 'one' })), 400, 'M_USER_IN_USE');
  });

  test('makes accounts one after the other, as the scripts of administrators do, which know no limits', async () => {
    const limited = await start({ RATE_LIMITS_ENABLED: 'true' });
    for (let n = 0; n < 20; n++) {
      const { nonce } = (await limited.anonymous.get(adminPath)).body;
      const request = { nonce: String(nonce), username: `pupil${n}`, password: 'secret' };
      const mac = sharedSecretMac(testSharedSecret, request);
      assert.equal((await limited.anonymous.post(adminPath, { ...request, mac })).status, 200, request.username);
    }
  });

  test('is off without a secret', async () => {
    const open = await start({ REGISTRATION_SHARED_SECRET: '' });
    assertRefused(await open.anonymous.get(adminPath), 400, 'M_UNKNOWN');
  });
});
