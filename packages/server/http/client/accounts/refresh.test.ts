import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { startTestServer } from '@portico/testkit/server.ts';
import { accessTokenLifetime } from '../../../services/accounts/sessions.ts';

type Tokens = { readonly access_token: string; readonly refresh_token: string; readonly expires_in_ms: number };

for (const engine of ['sqlite', 'postgres'] as const) {
  describe(`access tokens that are refreshed (${engine})`, async () => {
    const clock = { at: 1_700_000_000_000 };
    const server = await startTestServer({ engine, now: () => clock.at });
    after(() => server.close());
    await server.registerUser('alice', 'secret');

    async function logIn(device = 'PHONE'): Promise<Tokens> {
      const { status, body } = await server.anonymous.post('/_matrix/client/v3/login', {
        type: 'm.login.password',
        identifier: { type: 'm.id.user', user: 'alice' },
        password: 'secret',
        device_id: device,
        refresh_token: true,
      });
      assert.equal(status, 200);
      return body as Tokens;
    }
    const refresh = (token: string) => server.anonymous.post('/_matrix/client/v3/refresh', { refresh_token: token });
    async function refreshed(token: string): Promise<Tokens> {
      const { status, body } = await refresh(token);
      assert.equal(status, 200, JSON.stringify(body));
      return body as Tokens;
    }
    async function use(token: string) {
      const client = server.as({ userId: '', deviceId: '', accessToken: token });
      const { status, body } = await client.get('/_matrix/client/v3/account/whoami');
      return [status, body['soft_logout']];
    }
    const good = [200, undefined];
    const loggedOut = [401, false];

    test('an access token lasts for as long as it was said, and then the logout is a soft one', async () => {
      const { access_token: token, refresh_token: next, expires_in_ms: lifetime } = await logIn();
      assert.equal(lifetime, accessTokenLifetime);
      clock.at += lifetime - 1;
      assert.deepEqual(await use(token), good);
      clock.at += 1;
      assert.deepEqual(await use(token), [401, true]);
      assert.deepEqual(await use((await refreshed(next)).access_token), good);
    });

    test('who does not ask for a refresh token gets an access token that lasts', async () => {
      const bob = await server.registerUser();
      clock.at += 100 * accessTokenLifetime;
      assert.deepEqual(await use(bob.accessToken), good);
    });

    test('a refresh may be repeated until its outcome is used, by access token or by refresh token', async () => {
      const first = await logIn();
      const lost = await refreshed(first.refresh_token);
      assert.deepEqual(await use(first.access_token), good);
      const second = await refreshed(first.refresh_token);
      assert.deepEqual(await use(lost.access_token), loggedOut);
      assert.equal((await refresh(lost.refresh_token)).status, 401);
      assert.deepEqual(await use(second.access_token), good);
      assert.deepEqual(await use(first.access_token), loggedOut);
      const third = await refreshed(second.refresh_token);
      const fourth = await refreshed(third.refresh_token);
      assert.deepEqual(await use(second.access_token), loggedOut);
      assert.deepEqual(await use(fourth.access_token), good);
    });

    test('a refresh token that was used up ends the session, but not the device', async () => {
      const first = await logIn();
      const second = await refreshed(first.refresh_token);
      assert.deepEqual(await use(second.access_token), good);
      const { status, body } = await refresh(first.refresh_token);
      assert.deepEqual([status, body['errcode'], body['soft_logout']], [401, 'M_UNKNOWN_TOKEN', true]);
      assert.deepEqual(await use(second.access_token), loggedOut);
      assert.equal((await refresh(second.refresh_token)).status, 401);
      const again = await logIn();
      const client = server.as({ userId: '', deviceId: '', accessToken: again.access_token });
      assert.equal((await client.get('/_matrix/client/v3/devices/PHONE')).status, 200);
    });

    test('many exchanges at once are all answered, those at the same moment with the same tokens, and nobody is logged out', async () => {
      const first = await logIn();
      const all = await Promise.all(Array.from({ length: 30 }, () => refreshed(first.refresh_token)));
      const tokens = [...new Set(all.map(({ access_token: token }) => token))];
      assert.ok(tokens.length < all.length);
      const used = await Promise.all(tokens.map(async (token) => (await use(token))[0]));
      assert.equal(used.filter((status) => status === 200).length, 1);
    });

    test('logging out ends the refresh token, and what is none is refused', async () => {
      const tokens = await logIn('OTHER');
      const client = server.as({ userId: '', deviceId: '', accessToken: tokens.access_token });
      await client.post('/_matrix/client/v3/logout', {});
      for (const token of [tokens.refresh_token, 'made up', '']) {
        const { status, body } = await refresh(token);
        assert.deepEqual([status, body['errcode'], body['soft_logout']], [401, 'M_UNKNOWN_TOKEN', false]);
      }
      const { status, body } = await server.anonymous.post('/_matrix/client/v3/refresh', {});
      assert.deepEqual([status, body['errcode']], [400, 'M_MISSING_PARAM']);
    });

    test('a registration gives a refresh token as a login does', async () => {
      const { body } = await server.anonymous.post('/_matrix/client/v3/register', {
        username: 'carol',
        password: 'x',
        refresh_token: true,
        auth: { type: 'm.login.dummy' },
      });
      assert.equal(body['expires_in_ms'], accessTokenLifetime);
      assert.deepEqual(await use((await refreshed(String(body['refresh_token']))).access_token), good);
    });
  });
}
