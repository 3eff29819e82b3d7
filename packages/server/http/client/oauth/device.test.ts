import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { CookieBrowser, Shown } from '@portico/testkit/cookie-browser.ts';
import { appUri, oauthPath, type OAuthServer, scopeOf, startOAuthServer } from '@portico/testkit/oauth-server.ts';
import { openRawDatabase } from '@portico/testkit/raw-database.ts';
import { registerAdmin } from '@portico/testkit/register-admin.ts';
import type { TestClient } from '@portico/testkit/test-client.ts';

const whoami = '/_matrix/client/v3/account/whoami';
const deviceGrant = 'urn:ietf:params:oauth:grant-type:device_code';

for (const engine of ['sqlite', 'postgres'] as const) {
  describe(`devices without a browser (${engine})`, () => {
    let oauth: OAuthServer;
    let clock = 0;
    let clientId: string;
    before(async () => {
      oauth = await startOAuthServer({ engine, now: () => Date.now() + clock });
      clientId = await oauth.registerClient({ client_name: 'A Television' });
    });
    after(async () => {
      await oauth.close();
      assert.deepEqual(oauth.server.errors, []);
    });

    type Started = { deviceCode: string; userCode: string; complete: string };
    async function start(deviceId = 'TELEVISION'): Promise<Started> {
      const { status, body } = await oauth.post(`${oauthPath}/device`, {
        client_id: clientId,
        scope: scopeOf(deviceId),
      });
      assert.equal(status, 200, JSON.stringify(body));
      const { device_code: deviceCode, user_code: userCode, verification_uri_complete: complete, ...rest } = body;
      assert.deepEqual(rest, { verification_uri: `${oauth.base}/_portico/link`, expires_in: 900, interval: 5 });
      return { deviceCode: String(deviceCode), userCode: String(userCode), complete: String(complete) };
    }
    const poll = (deviceCode: string, client = clientId) =>
      oauth.post(`${oauthPath}/token`, { grant_type: deviceGrant, device_code: deviceCode, client_id: client });
    async function errorOf(deviceCode: string, client?: string): Promise<string> {
      const { status, body } = await poll(deviceCode, client);
      return `${status} ${String(body['error'])}`;
    }
    async function atConsent(browser: CookieBrowser, userCode: string, user: string): Promise<Shown> {
      const page = await browser.open(`${oauth.base}/_portico/link`);
      const login = await browser.submit(page, { user_code: userCode });
      return browser.submit(login, { user, password: 'a password' });
    }

    test('somebody lets a device in that shows them a code, having been told which one it is', async () => {
      const alice = await oauth.server.registerUser();
      const { deviceCode, userCode, complete } = await start();
      assert.equal(await errorOf(deviceCode), '400 authorization_pending');
      const browser = oauth.newBrowser();
      const page = await browser.open(complete);
      assert.match(page.html, new RegExp(`value="${userCode}"`));
      clock += 3 * 60_000;
      const login = await browser.submit({ ...page, url: page.url.split('?')[0] ?? '' }, { user_code: userCode });
      assert.match(login.html, /A Television/);
      const asked = await browser.submit(login, { user: alice.userId, password: 'a password' });
      assert.match(
        asked.html,
        new RegExp(`A Television.*app\\.test.*${alice.userId}.*TELEVISION.*3 minutes ago.*${userCode}`, 's'),
      );
      assert.match(asked.html, /Nobody has checked/);
      assert.equal(await errorOf(deviceCode), '400 authorization_pending');
      const done = await browser.submit(asked, { answer: 'yes' });
      assert.equal(done.status, 200);
      assert.match(done.html, /is let in/);
      const { status, body } = await poll(deviceCode);
      assert.equal(status, 200, JSON.stringify(body));
      assert.equal(body['scope'], scopeOf('TELEVISION'));
      const device = oauth.server.as({ ...alice, accessToken: String(body['access_token']) });
      const { user_id: userId, device_id: deviceId } = (await device.get(whoami)).body;
      assert.deepEqual([userId, deviceId], [alice.userId, 'TELEVISION']);
      assert.equal(await errorOf(deviceCode), '400 invalid_grant', 'it is good once');
      assert.equal((await device.get(whoami)).status, 200);
      const refreshed = await oauth.post(`${oauthPath}/token`, {
        grant_type: 'refresh_token',
        refresh_token: String(body['refresh_token']),
        client_id: clientId,
      });
      assert.equal(refreshed.status, 200);
    });

    test('the form of a page elsewhere gets nobody past the page on which they see the code', async () => {
      const { userCode } = await start();
      const elsewhere = { url: `${oauth.base}/_portico/link`, status: 200, html: '', headers: new Headers(), way: [] };
      const browser = oauth.newBrowser();
      const shown = await browser.submit(elsewhere, { user_code: userCode });
      assert.match(shown.html, new RegExp(`shows a code.*value="${userCode}"`, 's'));
      assert.doesNotMatch(shown.html, /who are you/);
      const login = await browser.submit({ ...shown, url: elsewhere.url }, { user_code: userCode });
      assert.match(login.html, /A Television.*who are you/s);
    });

    test('who says no is believed', async () => {
      const alice = await oauth.server.registerUser();
      const { deviceCode, userCode } = await start();
      const browser = oauth.newBrowser();
      const asked = await atConsent(browser, userCode.toLowerCase().replace('-', ' '), alice.userId);
      assert.match(asked.html, new RegExp(userCode));
      assert.match((await browser.submit(asked, { answer: 'no' })).html, /is not let in/);
      assert.equal(await errorOf(deviceCode), '400 access_denied');
      assert.match((await atConsent(oauth.newBrowser(), userCode, alice.userId)).html, /No device waits/);
    });

    test('a device that asks too often has to wait longer', async () => {
      const { deviceCode } = await start();
      assert.equal(await errorOf(deviceCode), '400 authorization_pending');
      assert.equal(await errorOf(deviceCode), '400 slow_down');
      clock += 5000;
      assert.equal(await errorOf(deviceCode), '400 slow_down');
      clock += 15_000;
      assert.equal(await errorOf(deviceCode), '400 authorization_pending');
    });

    test('codes are over after a quarter of an hour, wherever somebody is with them', async () => {
      const alice = await oauth.server.registerUser();
      const { deviceCode, userCode } = await start();
      clock += 14 * 60_000;
      const browser = oauth.newBrowser();
      const asked = await atConsent(browser, userCode, alice.userId);
      clock += 60_000;
      assert.match((await browser.submit(asked, { answer: 'yes' })).html, /is over/);
      assert.match((await browser.open(asked.url)).html, /is over/);
      assert.equal(await errorOf(deviceCode), '400 expired_token');
      assert.match((await atConsent(oauth.newBrowser(), userCode, alice.userId)).html, /No device waits/);
      const approved = await start();
      const other = oauth.newBrowser();
      await other.submit(await atConsent(other, approved.userCode, alice.userId), { answer: 'yes' });
      clock += 15 * 60_000;
      assert.equal(await errorOf(approved.deviceCode), '400 expired_token');
    });

    test('a code is good for its client alone, and the code that people type for no client', async () => {
      const { deviceCode, userCode } = await start();
      const other = await oauth.registerClient({ client_name: 'Another App' });
      const withoutGrant = await oauth.registerClient({ grant_types: ['authorization_code', 'refresh_token'] });
      assert.equal(await errorOf(deviceCode, other), '400 invalid_grant');
      assert.equal(await errorOf(userCode), '400 invalid_grant');
      assert.equal(await errorOf('made up'), '400 invalid_grant');
      assert.equal(await errorOf(''), '400 invalid_request');
      assert.equal(await errorOf(deviceCode, withoutGrant), '400 unauthorized_client');
      assert.equal(await errorOf(deviceCode, 'made up'), '401 invalid_client');
      const begin = async (fields: Record<string, string>) => {
        const { status, body } = await oauth.post(`${oauthPath}/device`, fields);
        return `${status} ${String(body['error'])}`;
      };
      assert.equal(await begin({ client_id: withoutGrant, scope: scopeOf('A') }), '400 unauthorized_client');
      assert.equal(await begin({ client_id: clientId, scope: 'openid' }), '400 invalid_scope');
      assert.equal(await begin({ client_id: clientId }), '400 invalid_request');
      assert.equal(await begin({ scope: scopeOf('A') }), '401 invalid_client');
    });

    test('a question about a device is answered once, by the browser that was asked, and lets one device in', async () => {
      const alice = await oauth.server.registerUser();
      const mallory = await oauth.server.registerUser();
      const { deviceCode, userCode } = await start();
      const [browser, stranger] = [oauth.newBrowser(), oauth.newBrowser()];
      const asked = await atConsent(browser, userCode, alice.userId);
      const theirs = await atConsent(stranger, userCode, mallory.userId);
      assert.match((await stranger.submit(asked, { answer: 'yes' })).html, /begun in another browser/);
      await browser.submit(asked, { answer: 'yes' });
      assert.match((await stranger.submit(theirs, { answer: 'yes' })).html, /is over/);
      const both = await Promise.all([poll(deviceCode), poll(deviceCode)]);
      assert.deepEqual(new Set(both.map(({ status }) => status)), new Set([200, 400]));
      const got = both.find(({ status }) => status === 200)?.body ?? {};
      const device = oauth.server.as({ ...alice, accessToken: String(got['access_token']) });
      assert.equal((await device.get(whoami)).body['user_id'], alice.userId);
    });

    test('what was typed is shown as text, and what was approved goes with a changed password', async () => {
      const browser = oauth.newBrowser();
      const page = await browser.open(`${oauth.base}/_portico/link?user_code=%22%3E%3Cscript%3E`);
      assert.doesNotMatch(page.html, /"><script/);
      assert.match(page.headers.get('content-security-policy') ?? '', /frame-ancestors 'none'/);
      const alice = await oauth.server.registerUser();
      const { deviceCode, userCode } = await start();
      await browser.submit(await atConsent(browser, userCode, alice.userId), { answer: 'yes' });
      const auth = { type: 'm.login.password', user: alice.userId, password: 'a password' };
      const changed = await alice.post('/_matrix/client/v3/account/password', { new_password: 'another one', auth });
      assert.equal(changed.status, 200);
      assert.equal(await errorOf(deviceCode), '400 invalid_grant');
    });

    test('a device that was let in before the account was locked, or everything logged out, stays outside', async () => {
      const admin = await registerAdmin(oauth.server, `locks-${Date.now()}`);
      for (const end of [
        (user: TestClient) => admin.put(`/_matrix/client/v1/admin/lock/${user.userId}`, { locked: true }),
        (user: TestClient) => user.post('/_matrix/client/v3/logout/all', {}),
      ]) {
        const alice = await oauth.server.registerUser();
        const { deviceCode, userCode } = await start();
        const browser = oauth.newBrowser();
        await browser.submit(await atConsent(browser, userCode, alice.userId), { answer: 'yes' });
        assert.equal((await end(alice)).status, 200);
        assert.equal(await errorOf(deviceCode), '400 invalid_grant');
      }
    });

    test('the database has neither code', async () => {
      const { deviceCode, userCode } = await start();
      const raw = await openRawDatabase(oauth.server.databaseUrl);
      const stored = JSON.stringify(await raw.run('select * from oauth_device_grants'));
      await raw.close();
      for (const secret of [deviceCode, userCode, userCode.replace('-', '')]) assert.ok(!stored.includes(secret));
    });

    test('a client that is a device alone needs no address', async () => {
      const id = await oauth.registerClient({
        client_uri: appUri,
        redirect_uris: undefined,
        grant_types: [deviceGrant, 'refresh_token'],
        response_types: [],
      });
      const { body } = await oauth.post(`${oauthPath}/device`, { client_id: id, scope: scopeOf('A') });
      assert.match(String(body['user_code']), /^[A-Z]{4}-[A-Z]{4}$/);
    });
  });
}

test('codes are not guessed by the hundred', async (context) => {
  const oauth = await startOAuthServer({ settings: { RATE_LIMITS_ENABLED: 'true' } });
  context.after(() => oauth.close());
  const statuses: number[] = [];
  for (let tries = 0; tries < 12; tries += 1) {
    const body = new URLSearchParams({ user_code: 'BCDF-GHJK' });
    statuses.push((await fetch(`${oauth.base}/_portico/link`, { method: 'POST', body })).status);
  }
  assert.deepEqual([statuses.indexOf(429), statuses.at(-1)], [10, 429]);
});
