import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { startTestBridge, type TestBridge } from '@portico/testkit/bridge.ts';
import { oauthPath, type OAuthServer, scopeOf, startOAuthServer } from '@portico/testkit/oauth-server.ts';
import { openRawDatabase } from '@portico/testkit/raw-database.ts';
import { registerAdmin } from '@portico/testkit/register-admin.ts';
import { refusalOf, type TestClient } from '@portico/testkit/test-client.ts';
import { unzip } from '@portico/testkit/unzip.ts';
import { until } from '@portico/testkit/until.ts';

const v3 = '/_matrix/client/v3';
const whoami = `${v3}/account/whoami`;
const deviceGrant = 'urn:ietf:params:oauth:grant-type:device_code';
const personal = [
  'oauth_sessions',
  'oauth_codes',
  'oauth_requests',
  'oauth_device_grants',
  'sso_logins',
  'login_tokens',
  'access_tokens',
  'refresh_tokens',
  'provider_sessions',
  'devices',
];
const newName = (): string => randomBytes(5).toString('hex');

for (const engine of ['sqlite', 'postgres'] as const) {
  describe(`apps in accounts that end, or are nobody’s (${engine})`, () => {
    let oauth: OAuthServer;
    let clientId: string;
    let admin: TestClient;
    let bridge: TestBridge;
    before(async () => {
      bridge = await startTestBridge({
        namespaces: {
          users: [
            { exclusive: true, regex: '@_irc_.*' },
            { exclusive: false, regex: '@shared_.*' },
          ],
        },
      });
      const settings = { APPLICATION_SERVICES: JSON.stringify([bridge.file]) };
      oauth = await startOAuthServer({ engine, settings });
      clientId = await oauth.registerClient({ client_name: 'The App That I Use' });
      admin = await registerAdmin(oauth.server, `admin-${newName()}`);
    });
    after(async () => {
      await oauth.close();
      await bridge.close();
      assert.deepEqual(oauth.server.errors, []);
    });

    const token = (fields: Record<string, string>) =>
      oauth.post(`${oauthPath}/token`, { client_id: clientId, ...fields });
    async function askAt(url: string, userId: string) {
      const browser = oauth.newBrowser();
      const asked = await browser.submit(await browser.open(url), { user: userId, password: 'a password' });
      return { asked, answer: () => browser.submit(asked, { answer: 'yes' }) };
    }
    /** Somebody with an app, and one more at every step on its way in. */
    async function newPerson() {
      const alice = await oauth.server.registerUser();
      const app = await oauth.logIn(alice.userId, clientId);
      const coded = oauth.newRequest(clientId);
      const code = oauth.parametersOf(await (await askAt(coded.url, alice.userId)).answer()).get('code') ?? '';
      const waiting = await askAt(oauth.newRequest(clientId).url, alice.userId);
      const { body } = await oauth.post(`${oauthPath}/device`, { client_id: clientId, scope: scopeOf('TV') });
      const browser = oauth.newBrowser();
      const page = await browser.open(`${oauth.base}/_portico/link`);
      const login = await browser.submit(page, { user_code: String(body['user_code']) });
      const asked = await browser.submit(login, { user: alice.userId, password: 'a password' });
      assert.match((await browser.submit(asked, { answer: 'yes' })).html, /is let in/);
      return {
        alice,
        app: app.client,
        answer: waiting.answer,
        redeemCode: () => oauth.redeem(coded, code),
        redeemDevice: () => token({ grant_type: deviceGrant, device_code: String(body['device_code']) }),
        refresh: () => token({ grant_type: 'refresh_token', refresh_token: app.refreshToken }),
      };
    }
    const put = async (userId: string, changes: object): Promise<void> => {
      const { status } = await admin.put(`/_synapse/admin/v2/users/${encodeURIComponent(userId)}`, changes);
      assert.equal(status, 200);
    };
    async function rowsOf(userId: string): Promise<string[]> {
      const raw = await openRawDatabase(oauth.server.databaseUrl);
      const found: string[] = [];
      for (const table of personal) {
        const rows = await raw.run(`select 1 from ${table} where user_id = '${userId}'`);
        if (rows.length > 0) found.push(table);
      }
      await raw.close();
      return found;
    }

    const ends: Readonly<Record<string, (alice: TestClient) => Promise<void>>> = {
      'an administrator deactivates it': ({ userId }) => put(userId, { deactivated: true }),
      'an administrator erases it': async ({ userId }) => {
        const path = `/_synapse/admin/v1/deactivate/${encodeURIComponent(userId)}`;
        assert.equal((await admin.post(path, { erase: true })).status, 200);
      },
      'its owner erases it': async (alice) => {
        const identifier = { type: 'm.id.user', user: alice.userId };
        const auth = { type: 'm.login.password', identifier, password: 'a password' };
        assert.equal((await alice.post(`${v3}/account/deactivate`, { erase: true, auth })).status, 200);
      },
    };
    for (const [how, end] of Object.entries(ends)) {
      test(`nothing that apps have of an account is left where ${how}`, async () => {
        const { alice, app, answer, redeemCode, redeemDevice, refresh } = await newPerson();
        await end(alice);
        assert.equal(refusalOf(await app.get(whoami)), '401 M_UNKNOWN_TOKEN');
        for (const redeem of [refresh, redeemCode, redeemDevice]) {
          const { status, body } = await redeem();
          assert.deepEqual([status, body['error']], [400, 'invalid_grant']);
        }
        assert.match((await answer()).html, /is over/);
        await until(async () => (await rowsOf(alice.userId)).length === 0, 'nothing is left');
        const login = await askAt(oauth.newRequest(clientId).url, alice.userId);
        assert.match(login.asked.html, /has been deactivated|is over/);
        assert.deepEqual(await rowsOf(alice.userId), []);
      });
    }

    test('a locked account lets nothing in, and its app goes on when it is open again', async () => {
      const { alice, app, answer, redeemCode, redeemDevice, refresh } = await newPerson();
      await put(alice.userId, { locked: true });
      const locked = await app.get(whoami);
      assert.deepEqual([refusalOf(locked), locked.body['soft_logout']], ['401 M_USER_LOCKED', true]);
      for (const redeem of [redeemCode, redeemDevice]) assert.equal((await redeem()).body['error'], 'invalid_grant');
      assert.match((await answer()).html, /has been locked/);
      const { status, body } = await refresh();
      assert.equal(status, 200, 'an app that cannot refresh forgets what it is logged in with');
      const renewed = oauth.server.as({ ...alice, accessToken: String(body['access_token']) });
      assert.equal(refusalOf(await renewed.get(whoami)), '401 M_USER_LOCKED');
      await put(alice.userId, { locked: false });
      assert.equal((await renewed.get(whoami)).status, 200);
    });

    test('a suspended account lets apps in, which read and do no more', async () => {
      const { alice, app, redeemCode } = await newPerson();
      const path = `/_matrix/client/v1/admin/suspend/${alice.userId}`;
      assert.equal((await admin.put(path, { suspended: true })).status, 200);
      const { body } = await redeemCode();
      for (const each of [app, oauth.server.as({ ...alice, accessToken: String(body['access_token']) })]) {
        assert.equal((await each.get(whoami)).status, 200);
        assert.equal(refusalOf(await each.post(`${v3}/createRoom`, {})), '403 M_USER_SUSPENDED');
      }
    });

    test('the export lists the apps of a person, and none of their secrets', async () => {
      const { alice, app, refresh } = await newPerson();
      const download = await fetch(`${oauth.server.baseUrl}/_portico/client/v1/privacy/export`, {
        headers: { authorization: `Bearer ${alice.accessToken}` },
      });
      const files = await unzip(Buffer.from(await download.arrayBuffer()));
      const name = [...files.keys()].find((each) => each.includes('oauth-sessions')) ?? '';
      const listed = String(files.get(name));
      assert.match(listed, /The App That I Use/);
      assert.ok(listed.includes(scopeOf(app.deviceId)) && listed.includes(clientId), listed);
      const raw = await openRawDatabase(oauth.server.databaseUrl);
      const hashes: (readonly Record<string, unknown>[])[] = [];
      for (const [table, column] of [
        ['oauth_sessions', 'grant_hash'],
        ['access_tokens', 'token_hash'],
        ['refresh_tokens', 'token_hash'],
        ['oauth_codes', 'code_hash'],
        ['oauth_device_grants', 'device_code_hash'],
      ] as const) {
        hashes.push(await raw.run(`select ${column} as hash from ${table} where user_id = '${alice.userId}'`));
      }
      await raw.close();
      const all = [...files.values()].join('\n');
      for (const { hash } of hashes.flat()) assert.ok(!all.includes(String(hash)));
      assert.ok(hashes.every((rows) => rows.length > 0) && !all.includes(app.accessToken));
      assert.equal((await refresh()).status, 200);
    });

    test('there are no guests, who could let apps in', async () => {
      assert.equal(
        refusalOf(await oauth.server.anonymous.post(`${v3}/register?kind=guest`, {})),
        '403 M_GUEST_ACCESS_FORBIDDEN',
      );
    });

    test('what an application service has to itself lets no app in, by whatever way it comes', async () => {
      const as = oauth.server.as({ userId: '@_bot:localhost', accessToken: bridge.asToken, deviceId: '' });
      const register = async (username: string): Promise<string> => {
        const type = 'm.login.application_service';
        const { status, body } = await as.post(`${v3}/register`, { type, username, inhibit_login: true });
        assert.equal(status, 200, JSON.stringify(body));
        const userId = `@${username}:localhost`;
        await put(userId, { password: 'a password' });
        return userId;
      };
      const ghost = await register(`_irc_${newName()}`);
      const shared = await register(`shared_${newName()}`);
      const nobody = /belongs to a bridge or a bot/;
      const { asked } = await askAt(oauth.newRequest(clientId).url, ghost);
      assert.deepEqual([asked.status, nobody.test(asked.html)], [403, true]);
      for (const [userId, words] of [
        [ghost, nobody],
        ['@_bot:localhost', nobody],
        [shared, /Let an app in\?/],
      ] as const) {
        const path = `/_matrix/client/v1/login/get_token?user_id=${encodeURIComponent(userId)}`;
        const { login_token: loginToken } = (await as.post(path, {})).body;
        const browser = oauth.newBrowser();
        const login = await browser.open(oauth.newRequest(clientId).url);
        const back = new URL(login.url.replace('/login?', '/back?'));
        back.searchParams.set('loginToken', String(loginToken));
        assert.match((await browser.open(back.href)).html, words, userId);
      }
    });
  });
}
