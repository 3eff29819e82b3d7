import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { startTestServer } from '@portico/testkit/server.ts';
import type { TestClient } from '@portico/testkit/test-client.ts';

const v3 = '/_matrix/client/v3';

for (const engine of ['sqlite', 'postgres'] as const) {
  describe(`devices (${engine})`, async () => {
    const clock = { at: 1_700_000_000_000 };
    const server = await startTestServer({ engine, now: () => clock.at });
    after(() => server.close());
    const auth = { type: 'm.login.password', password: 'a password' };

    async function logIn(user: TestClient, device: string): Promise<TestClient> {
      const { body } = await server.anonymous.post(`${v3}/login`, {
        type: 'm.login.password',
        identifier: { type: 'm.id.user', user: user.userId },
        password: 'a password',
        device_id: device,
        initial_device_display_name: `The ${device}`,
      });
      return server.as({ userId: user.userId, deviceId: device, accessToken: String(body['access_token']) });
    }
    const isLoggedIn = async (client: TestClient) => (await client.get(`${v3}/account/whoami`)).status === 200;
    async function ids(client: TestClient): Promise<string[]> {
      const { devices } = (await client.get(`${v3}/devices`)).body as { devices: { device_id: string }[] };
      return devices.map(({ device_id: id }) => id).filter((id) => id !== client.deviceId);
    }

    test('take settings of their own notifications along, and those of others stay', async () => {
      const alice = await server.registerUser();
      const [phone] = [await logIn(alice, 'PHONE'), await logIn(alice, 'TABLET')];
      const own = `${v3}/user/${encodeURIComponent(alice.userId)}/account_data/`;
      const prefixes = ['m.local_notification_settings.', 'org.matrix.msc3890.local_notification_settings.'];
      for (const type of prefixes.flatMap((prefix) => [`${prefix}PHONE`, `${prefix}TABLET`])) {
        assert.equal((await alice.put(own + type, { is_silenced: true })).status, 200);
      }
      const { next_batch: since } = (await alice.get(`${v3}/sync`)).body;
      assert.equal((await phone.post(`${v3}/logout`)).status, 200);
      for (const prefix of prefixes) {
        assert.equal((await alice.get(`${own}${prefix}PHONE`)).status, 404);
        assert.deepEqual((await alice.get(`${own}${prefix}TABLET`)).body, { is_silenced: true });
      }
      const told = (await alice.get(`${v3}/sync?since=${String(since)}`)).body['account_data'];
      const gone = prefixes.map((prefix) => ({ type: `${prefix}PHONE`, content: {} }));
      const byType = (a: { type: string }, b: { type: string }) => a.type.localeCompare(b.type);
      assert.deepEqual((told as { events: typeof gone }).events.toSorted(byType), gone.toSorted(byType));
    });

    test('are listed, shown and renamed, each to their owner only', async () => {
      const alice = await server.registerUser();
      const bob = await server.registerUser();
      await logIn(alice, 'PHONE');
      assert.deepEqual(await ids(alice), ['PHONE']);
      const { body } = await alice.get(`${v3}/devices/PHONE`);
      assert.deepEqual(body, { device_id: 'PHONE', display_name: 'The PHONE' });
      assert.deepEqual((await alice.put(`${v3}/devices/PHONE`, { display_name: 'Mine' })).body, {});
      assert.deepEqual((await alice.put(`${v3}/devices/PHONE`, {})).body, {});
      assert.equal((await alice.get(`${v3}/devices/PHONE`)).body['display_name'], 'Mine');
      for (const response of [
        await bob.get(`${v3}/devices/PHONE`),
        await bob.put(`${v3}/devices/PHONE`, { display_name: 'Stolen' }),
        await bob.put(`${v3}/devices/PHONE`, {}),
      ]) {
        assert.deepEqual([response.status, response.body['errcode']], [404, 'M_NOT_FOUND']);
      }
      const long = await alice.put(`${v3}/devices/PHONE`, { display_name: 'x'.repeat(101) });
      assert.deepEqual([long.status, long.body['errcode']], [400, 'M_INVALID_PARAM']);
    });

    test('are deleted with the password, and their tokens with them', async () => {
      const alice = await server.registerUser();
      const phone = await logIn(alice, 'PHONE');
      const tablet = await logIn(alice, 'TABLET');
      const asked = await alice.delete(`${v3}/devices/PHONE`);
      assert.deepEqual([asked.status, asked.body['flows']], [401, [{ stages: ['m.login.password'] }]]);
      const session = asked.body['session'];
      const wrong = await alice.delete(`${v3}/devices/PHONE`, { auth: { ...auth, password: 'wrong', session } });
      assert.deepEqual([wrong.status, wrong.body['errcode']], [401, 'M_FORBIDDEN']);
      const other = await alice.delete(`${v3}/devices/TABLET`, { auth: { ...auth, session } });
      assert.deepEqual([other.status, other.body['errcode']], [403, 'M_FORBIDDEN']);
      assert.deepEqual(await Promise.all([phone, tablet].map(isLoggedIn)), [true, true]);
      const done = await alice.delete(`${v3}/devices/PHONE`, { auth: { ...auth, session } });
      assert.deepEqual([done.status, done.body], [200, {}]);
      assert.deepEqual(await Promise.all([phone, tablet, alice].map(isLoggedIn)), [false, true, true]);
      assert.deepEqual(await ids(alice), ['TABLET']);
      assert.equal((await alice.delete(`${v3}/devices/PHONE`, { auth })).status, 200);
    });

    test("nobody proves themselves with another one's password", async () => {
      const alice = await server.registerUser();
      const mallory = await server.registerUser(undefined, 'of mallory');
      const identifier = { type: 'm.id.user', user: mallory.userId };
      const stolen = { auth: { type: 'm.login.password', identifier, password: 'of mallory' } };
      const { status, body } = await alice.delete(`${v3}/devices/${alice.deviceId}`, stolen);
      assert.deepEqual([status, body['errcode']], [403, 'M_FORBIDDEN']);
      assert.equal(await isLoggedIn(alice), true);
    });

    test('are deleted by the list, those of others excepted', async () => {
      const alice = await server.registerUser();
      const bob = await server.registerUser();
      for (const name of ['A', 'B', 'C']) await logIn(alice, name);
      const bobs = await logIn(bob, 'A');
      const path = `${v3}/delete_devices`;
      assert.equal((await alice.post(path, { devices: ['A', 'B'] })).status, 401);
      assert.deepEqual((await alice.post(path, { devices: ['A', 'B', 'none'], auth })).body, {});
      assert.deepEqual(await ids(alice), ['C']);
      assert.equal(await isLoggedIn(bobs), true);
      assert.equal((await alice.post(path, { auth })).body['errcode'], 'M_MISSING_PARAM');
    });

    test('a password change ends the other devices unless asked not to, and the old password', async () => {
      const alice = await server.registerUser();
      const phone = await logIn(alice, 'PHONE');
      const path = `${v3}/account/password`;
      assert.equal((await alice.post(path, { new_password: 'new' })).status, 401);
      assert.equal(
        (await alice.post(path, { new_password: 'x'.repeat(600), auth })).body['errcode'],
        'M_INVALID_PARAM',
      );
      assert.equal((await alice.post(path, { new_password: 'new', logout_devices: false, auth })).status, 200);
      assert.deepEqual(await Promise.all([alice, phone].map(isLoggedIn)), [true, true]);
      assert.equal((await alice.post(path, { new_password: 'newer', auth })).status, 401);
      const changed = await alice.post(path, { new_password: 'a password', auth: { ...auth, password: 'new' } });
      assert.equal(changed.status, 200);
      assert.deepEqual(await Promise.all([alice, phone].map(isLoggedIn)), [true, false]);
      assert.deepEqual(await ids(alice), []);
    });

    test('when and from where somebody was here is for them and for administrators', async () => {
      const [alice, bob] = [await server.registerUser(), await server.registerUser()];
      const path = `${v3}/admin/whois/${alice.userId}`;
      const { devices } = (await alice.get(path)).body as { devices: Record<string, unknown> };
      assert.deepEqual(Object.keys(devices), [alice.deviceId]);
      assert.equal((await bob.get(path)).body['errcode'], 'M_FORBIDDEN');
      assert.equal((await bob.get(`${v3}/admin/whois/@nobody:localhost`)).body['errcode'], 'M_FORBIDDEN');
    });

    test('it is noted when and from where they were used, once a minute', async () => {
      const alice = await server.registerUser();
      const seen = async () => (await alice.get(`${v3}/devices/${alice.deviceId}`)).body;
      const start = clock.at;
      while ((await seen())['last_seen_ts'] === undefined) await delay(20);
      assert.deepEqual(await seen(), { device_id: alice.deviceId, last_seen_ip: '127.0.0.1', last_seen_ts: start });
      clock.at += 59_999;
      await seen();
      clock.at += 1;
      await seen();
      while ((await seen())['last_seen_ts'] === start) await delay(20);
      assert.equal((await seen())['last_seen_ts'], start + 60_000);
    });
  });
}

test('guessing a password where it is asked again is as slow as at login, and shares its limit', async (t) => {
  // No time passes, however slow the machine is.
  const server = await startTestServer({ settings: { RATE_LIMITS_ENABLED: 'true' }, now: () => 1_700_000_000_000 });
  t.after(() => server.close());
  const alice = await server.registerUser('alice');
  const guess = async (password: string) =>
    (await alice.delete(`${v3}/devices/X`, { auth: { type: 'm.login.password', password } })).body['errcode'];
  for (let n = 0; n < 5; n++) assert.equal(await guess('wrong'), 'M_FORBIDDEN');
  assert.equal(await guess('a password'), 'M_LIMIT_EXCEEDED');
  const login = { type: 'm.login.password', user: 'alice', password: 'a password' };
  assert.equal((await server.anonymous.post(`${v3}/login`, login)).body['errcode'], 'M_LIMIT_EXCEEDED');
});

test('behind a trusted proxy, devices are seen where it says, and elsewhere nobody is believed', async (t) => {
  for (const [trusted, ip] of [
    ['["127.0.0.0/8"]', '203.0.113.7'],
    ['["192.0.2.1"]', '127.0.0.1'],
  ] as const) {
    const server = await startTestServer({ settings: { HTTP_TRUSTED_PROXIES: trusted } });
    t.after(() => server.close());
    const alice = await server.registerUser();
    const seen = async () => {
      const headers = { authorization: `Bearer ${alice.accessToken}`, 'x-forwarded-for': '198.51.100.9, 203.0.113.7' };
      const response = await fetch(`${server.baseUrl}${v3}/devices/${alice.deviceId}`, { headers });
      return (await response.json()) as { last_seen_ip?: string };
    };
    while ((await seen()).last_seen_ip === undefined) await delay(20);
    assert.equal((await seen()).last_seen_ip, ip);
  }
});
