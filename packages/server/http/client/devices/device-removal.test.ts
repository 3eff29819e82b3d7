import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { signJson } from '@portico/protocol';
import { newDeviceKeys, newIdentity, newOneTimeKeys, plainJson } from '@portico/testkit/device-keys.ts';
import { openRawDatabase, type RawDatabase } from '@portico/testkit/raw-database.ts';
import { startTestServer, type TestServer } from '@portico/testkit/server.ts';
import type { TestClient } from '@portico/testkit/test-client.ts';

const v3 = '/_matrix/client/v3';
const dehydrated = '/_matrix/client/unstable/org.matrix.msc3814.v1/dehydrated_device';
const password = 'a password';

/** What belongs to devices: in which table, and what names the device there. */
const ofDevices = {
  devices: 'device_id',
  access_tokens: 'device_id',
  refresh_tokens: 'device_id',
  device_keys: 'device_id',
  one_time_keys: 'device_id',
  last_claimed_keys: 'device_id',
  fallback_keys: 'device_id',
  key_signatures: 'target',
  to_device_messages: 'device_id',
  to_device_transactions: 'device_id',
  sliding_connections: 'device_id',
  dehydrated_devices: 'device_id',
  pushers: 'device_id',
  oauth_sessions: 'device_id',
  provider_sessions: 'device_id',
} as const;
/** Delayed events stay: that somebody has left a call is said for a device that is gone. Who was let in and has not come yet may still. */
const others = ['delayed_events', 'oauth_codes', 'oauth_device_grants'];
const ofAccounts = ['cross_signing_keys', 'key_backups', 'backed_up_keys', 'account_data', 'memberships'] as const;

type Left = { readonly [table: string]: readonly string[] };

for (const engine of ['sqlite', 'postgres'] as const) {
  describe(`what goes with a device, and what stays (${engine})`, () => {
    let server: TestServer;
    let raw: RawDatabase;
    before(async () => {
      server = await startTestServer({ engine });
      raw = await openRawDatabase(engine === 'sqlite' ? `sqlite:${server.dataDir}/portico.db` : server.databaseUrl);
    });
    after(async () => {
      await raw.close();
      await server.close();
      assert.deepEqual(server.errors, []);
    });

    async function ok(answer: Promise<{ status: number; body: Record<string, unknown> }>) {
      const { status, body } = await answer;
      assert.equal(status, 200, JSON.stringify(body));
      return body;
    }

    async function logIn(userId: string, deviceId: string, secret = password): Promise<TestClient> {
      const body = await ok(
        server.anonymous.post(`${v3}/login`, {
          type: 'm.login.password',
          identifier: { type: 'm.id.user', user: userId },
          password: secret,
          device_id: deviceId,
          refresh_token: true,
        }),
      );
      return server.as({ userId, deviceId, accessToken: String(body['access_token']) });
    }

    async function filter(client: TestClient, identity: ReturnType<typeof newIdentity>): Promise<void> {
      const { userId, deviceId } = client;
      const keys = newDeviceKeys(client);
      await ok(
        client.post(`${v3}/keys/upload`, {
          device_keys: keys,
          one_time_keys: newOneTimeKeys(2),
          fallback_keys: { 'signed_curve25519:F': { key: 'f', fallback: true } },
        }),
      );
      const signed = plainJson(signJson(keys, userId, identity.self));
      const answer = await ok(client.post(`${v3}/keys/signatures/upload`, { [userId]: { [deviceId]: signed } }));
      assert.deepEqual(answer, { failures: {} });
      await ok(client.post('/_matrix/client/unstable/org.matrix.simplified_msc3575/sync', { lists: {} }));
      await ok(
        client.post(`${v3}/pushers/set`, {
          kind: 'http',
          app_id: 'org.example.app',
          pushkey: `key of ${deviceId}`,
          app_display_name: 'App',
          device_display_name: deviceId,
          lang: 'en',
          data: { url: 'https://push.example.org/_matrix/push/v1/notify' },
        }),
      );
    }

    /** Somebody with the devices ONE and TWO and one that sleeps, all of which have everything. */
    async function arrive() {
      const { userId } = await server.registerUser();
      const [one, two] = [await logIn(userId, 'ONE'), await logIn(userId, 'TWO')];
      const identity = newIdentity(userId);
      await ok(one.post(`${v3}/keys/device_signing/upload`, identity.body));
      for (const client of [one, two]) await filter(client, identity);
      for (const { deviceId } of [one, two]) {
        await raw.run(`insert into provider_sessions values ($1, $2, 'provider', 'subject', null, 1)`, [
          userId,
          deviceId,
        ]);
        await raw.run(`insert into oauth_sessions values ($1, $2, 'client', 'scope', 'grant', 1)`, [userId, deviceId]);
      }
      await ok(
        one.put(dehydrated, {
          device_id: 'ASLEEP',
          device_data: { algorithm: 'm.dehydration.v2' },
          device_keys: newDeviceKeys({ userId, deviceId: 'ASLEEP' }),
          one_time_keys: newOneTimeKeys(1),
          fallback_keys: { 'signed_curve25519:F': { key: 'f', fallback: true } },
        }),
      );
      const messages = { [userId]: { ONE: { n: 1 }, TWO: { n: 2 }, ASLEEP: { n: 3 } } };
      for (const client of [one, two]) await ok(client.put(`${v3}/sendToDevice/m.test/same`, { messages }));
      const { version } = await ok(
        one.post(`${v3}/room_keys/version`, { algorithm: 'm.megolm_backup.v1.curve25519-aes-sha2', auth_data: {} }),
      );
      const session = { first_message_index: 0, forwarded_count: 0, is_verified: true, session_data: {} };
      await ok(one.put(`${v3}/room_keys/keys/r/s?version=${String(version)}`, session));
      await ok(one.put(`${v3}/user/${userId}/account_data/m.test`, { a: 1 }));
      await ok(one.post(`${v3}/createRoom`, {}));
      const stranger = await server.registerUser();
      return { userId, one, two, stranger, before: await left(userId), account: await kept(userId) };
    }

    async function left(userId: string): Promise<Left> {
      const found: { [table: string]: readonly string[] } = {};
      // The registration has made a device, too, which plays no part.
      for (const [table, column] of Object.entries(ofDevices)) {
        const rows = await raw.run(
          `select distinct ${column} as id from ${table} where user_id = $1 and ${column} in ('ONE', 'TWO', 'ASLEEP')`,
          [userId],
        );
        found[table] = rows.map(({ id }) => String(id)).sort();
      }
      return found;
    }

    async function kept(userId: string): Promise<readonly number[]> {
      const counts: number[] = [];
      for (const table of ofAccounts) {
        const [row] = await raw.run(`select count(*) as count from ${table} where user_id = $1`, [userId]);
        counts.push(Number(row?.['count']));
      }
      return counts;
    }

    const without = (all: Left, gone: readonly string[]): Left =>
      Object.fromEntries(Object.entries(all).map(([table, ids]) => [table, ids.filter((id) => !gone.includes(id))]));

    async function withPassword(client: TestClient, path: string, body: object) {
      const challenge = await client.post(path, body);
      assert.equal(challenge.status, 401);
      const identifier = { type: 'm.id.user', user: client.userId };
      const auth = { type: 'm.login.password', session: challenge.body['session'], identifier, password };
      return ok(client.post(path, { ...body, auth }));
    }

    async function isSeen(by: TestClient, userId: string): Promise<readonly string[]> {
      const body = await ok(by.post(`${v3}/keys/query`, { device_keys: { [userId]: [] } }));
      return Object.keys((body['device_keys'] as Record<string, object>)[userId] ?? {}).sort();
    }
    const isIn = async (client: TestClient) => (await client.get(`${v3}/account/whoami`)).status;

    test('every table that belongs to devices is looked at, and has something to lose', async () => {
      const tables = (await raw.columns()).filter(({ column }) => column === 'device_id').map(({ table }) => table);
      const missing = tables.filter((table) => !Object.hasOwn(ofDevices, table) && !others.includes(table));
      assert.deepEqual(missing.sort(), []);
      const { before: all, account } = await arrive();
      for (const [table, ids] of Object.entries(all)) {
        assert.ok(table === 'dehydrated_devices' ? ids.length === 1 : ids.includes('TWO'), `${table}: ${ids.join()}`);
      }
      assert.ok(
        account.every((count) => count > 0),
        account.join(),
      );
    });

    test('a device that is deleted takes what is its own, and nothing else', async () => {
      const { userId, one, two, stranger, before: all, account } = await arrive();
      await withPassword(one, `${v3}/delete_devices`, { devices: ['TWO'] });
      assert.deepEqual(await left(userId), without(all, ['TWO']));
      assert.deepEqual(await kept(userId), account);
      assert.deepEqual([await isIn(one), await isIn(two)], [200, 401]);
      assert.deepEqual(await isSeen(stranger, userId), ['ASLEEP', 'ONE']);

      // Another device of the same ID begins with nothing, and its transactions are its own.
      const again = await logIn(userId, 'TWO');
      assert.deepEqual((await ok(again.get(`${v3}/sync`)))['to_device'], undefined);
      assert.deepEqual(await ok(again.post(`${v3}/keys/upload`, {})), {
        one_time_key_counts: { signed_curve25519: 0 },
      });
      await ok(again.put(`${v3}/sendToDevice/m.test/same`, { messages: { [userId]: { TWO: { n: 4 } } } }));
      const { events } = (await ok(again.get(`${v3}/sync`)))['to_device'] as { events: { content: object }[] };
      assert.deepEqual(
        events.map(({ content }) => content),
        [{ n: 4 }],
      );
    });

    test('logging out takes the device along', async () => {
      const { userId, two, before: all, account } = await arrive();
      await ok(two.post(`${v3}/logout`));
      assert.deepEqual(await left(userId), without(all, ['TWO']));
      assert.deepEqual(await kept(userId), account);
    });

    test('logging out everywhere takes all devices, the one that sleeps too', async () => {
      const { userId, one, two, stranger, before: all, account } = await arrive();
      await ok(two.post(`${v3}/logout/all`));
      assert.deepEqual(await left(userId), without(all, ['ONE', 'TWO', 'ASLEEP']));
      assert.deepEqual(await kept(userId), account);
      assert.deepEqual([await isIn(one), await isIn(two)], [401, 401]);
      assert.deepEqual(await isSeen(stranger, userId), []);
    });

    test('a new password takes all devices but the one it is set from', async () => {
      const { userId, one, two, before: all, account } = await arrive();
      await withPassword(one, `${v3}/account/password`, { new_password: 'another password' });
      assert.deepEqual(await left(userId), without(all, ['TWO', 'ASLEEP']));
      assert.deepEqual(await kept(userId), account);
      assert.deepEqual([await isIn(one), await isIn(two)], [200, 401]);
      await logIn(userId, 'THREE', 'another password');
    });

    test('a new password is set by the request that was made first, by no other one of its session', async () => {
      const { one } = await arrive();
      const path = `${v3}/account/password`;
      const { session } = (await one.post(path, { new_password: 'wanted' })).body;
      const auth = { type: 'm.login.password', session, password };
      for (const other of [{ new_password: 'slipped in' }, { new_password: 'wanted', logout_devices: false }]) {
        const { status, body } = await one.post(path, { ...other, auth });
        assert.deepEqual([status, body['errcode']], [403, 'M_FORBIDDEN']);
      }
      await ok(one.post(path, { new_password: 'wanted', auth }));
    });

    test('a new password takes no device if it is said not to', async () => {
      const { userId, one, two, before: all, account } = await arrive();
      const change = { new_password: 'another password', logout_devices: false };
      await withPassword(one, `${v3}/account/password`, change);
      assert.deepEqual(await left(userId), all);
      assert.deepEqual(await kept(userId), account);
      assert.deepEqual([await isIn(one), await isIn(two)], [200, 200]);
    });
  });
}
