import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { newDeviceKeys, newIdentity } from '@portico/testkit/device-keys.ts';
import { type OAuthServer, type OAuthSession, startOAuthServer } from '@portico/testkit/oauth-server.ts';
import { newSubject, type SsoServer, startSsoServer } from '@portico/testkit/sso-server.ts';
import { refusalOf, type TestClient, type TestResponse } from '@portico/testkit/test-client.ts';

const v3 = '/_matrix/client/v3';
const upload = (client: TestClient, keys: object, auth?: object): Promise<TestResponse> =>
  client.post(`${v3}/keys/device_signing/upload`, { ...keys, ...(auth && { auth }) });

type Challenge = { readonly session: string; readonly url: string };

/** What a client is told that is logged in with OAuth 2.0, and wants to replace keys. */
function challengeIn({ status, body }: TestResponse, base: string): Challenge {
  assert.equal(status, 401, JSON.stringify(body));
  assert.deepEqual(body['flows'], [{ stages: ['m.oauth'] }, { stages: ['org.matrix.cross_signing_reset'] }]);
  const params = body['params'] as Record<string, { url: string }>;
  const { url = '' } = params['m.oauth'] ?? {};
  assert.deepEqual(params, { 'm.oauth': { url }, 'org.matrix.cross_signing_reset': { url } });
  assert.ok(url.startsWith(`${base}/`), url);
  assert.equal(new URL(url).searchParams.get('action'), 'org.matrix.cross_signing_reset');
  return { session: String(body['session']), url };
}

for (const engine of ['sqlite', 'postgres'] as const) {
  describe(`an app that is logged in with OAuth 2.0 (${engine})`, () => {
    let oauth: OAuthServer;
    before(async () => {
      oauth = await startOAuthServer({ engine });
    });
    after(async () => {
      await oauth.close();
      assert.deepEqual(oauth.server.errors, []);
    });
    async function newPerson(): Promise<{ alice: TestClient; app: OAuthSession }> {
      const alice = await oauth.server.registerUser();
      return { alice, app: await oauth.logIn(alice.userId) };
    }
    const passwordOf = ({ userId }: TestClient) => ({
      type: 'm.login.password',
      identifier: { type: 'm.id.user', user: userId },
      password: 'a password',
    });

    test('may call its device by a key, as those that log in with QR codes do', async () => {
      const alice = await oauth.server.registerUser();
      const key = 'wjLpTLRqbqBzLs63aYaEv2Boi6cFEbbM/sSRQ2oAKk+';
      const { client } = await oauth.logIn(alice.userId, undefined, key);
      assert.equal((await client.get('/_matrix/client/v3/account/whoami')).body['device_id'], key);
      const path = `${v3}/devices/${encodeURIComponent(key)}`;
      assert.equal((await client.put(path, { display_name: 'Laptop' })).status, 200);
      assert.equal((await alice.get(path)).body['display_name'], 'Laptop');
      const uploaded = await client.post(`${v3}/keys/upload`, {
        device_keys: newDeviceKeys({ userId: alice.userId, deviceId: key }),
      });
      assert.equal(uploaded.status, 200, JSON.stringify(uploaded.body));
      assert.equal((await alice.delete(path, { auth: passwordOf(alice) })).status, 200);
      assert.equal(refusalOf(await client.get(`${v3}/account/whoami`)), '401 M_UNKNOWN_TOKEN');
    });

    test('does nothing that takes a password, with or without one, and is told so beforehand', async () => {
      const { alice, app } = await newPerson();
      const auth = passwordOf(alice);
      for (const [path, body] of [
        [`${v3}/delete_devices`, { devices: [alice.deviceId] }],
        [`${v3}/account/password`, { new_password: 'another one' }],
        [`${v3}/account/deactivate`, {}],
        ['/_matrix/client/v1/login/get_token', {}],
      ] as const) {
        assert.equal(refusalOf(await app.client.post(path, body)), '403 M_FORBIDDEN', path);
        assert.equal(refusalOf(await app.client.post(path, { ...body, auth })), '403 M_FORBIDDEN', path);
      }
      const one = `${v3}/devices/${alice.deviceId}`;
      assert.equal(refusalOf(await app.client.delete(one, { auth })), '403 M_FORBIDDEN');
      const capabilitiesOf = async (client: TestClient) =>
        (await client.get(`${v3}/capabilities`)).body['capabilities'] as Record<string, { enabled?: boolean }>;
      for (const name of ['m.change_password', 'm.get_login_token']) {
        assert.equal((await capabilitiesOf(alice))[name]?.enabled, true, name);
        assert.equal((await capabilitiesOf(app.client))[name]?.enabled, false, name);
      }
      assert.equal((await capabilitiesOf(app.client))['m.3pid_changes']?.enabled, false);
      const other = app.client.deviceId;
      assert.equal((await alice.post(`${v3}/delete_devices`, { devices: [other], auth })).status, 200);
      assert.equal(refusalOf(await app.client.get(`${v3}/account/whoami`)), '401 M_UNKNOWN_TOKEN');
    });

    test('has keys replaced once the person has confirmed that on a page', async () => {
      const { alice, app } = await newPerson();
      assert.equal((await upload(app.client, newIdentity(alice.userId).body)).status, 200, 'the first are free');
      const keys = newIdentity(alice.userId).body;
      const { session, url } = challengeIn(await upload(app.client, keys), oauth.base);
      for (const auth of [
        { session },
        { type: 'm.oauth', session },
        { type: 'org.matrix.cross_signing_reset', session },
        { ...passwordOf(alice), session },
      ]) {
        assert.equal(
          challengeIn(await upload(app.client, keys, auth), oauth.base).session,
          session,
          JSON.stringify(auth),
        );
      }
      const browser = oauth.newBrowser();
      const page = await browser.open(url);
      assert.match(page.html, /wants to replace the cross-signing keys.*name="password"/s);
      assert.match((await browser.submit(page, { password: 'wrong' })).html, /Wrong.*name="password"/s);
      challengeIn(await upload(app.client, keys, { session }), oauth.base);
      assert.match((await browser.submit(page, { password: 'a password' })).html, /close this page/);
      const others = newIdentity(alice.userId).body;
      assert.equal(refusalOf(await upload(app.client, others, { session })), '403 M_FORBIDDEN', 'for no other keys');
      assert.equal((await upload(app.client, keys, { session })).status, 200);
      assert.match((await browser.open(url)).html, /does not work/, 'it is used up');
    });

    test('is not confirmed by a session of an app without OAuth 2.0, nor the other way round', async () => {
      const { alice, app } = await newPerson();
      await upload(alice, newIdentity(alice.userId).body);
      const keys = newIdentity(alice.userId).body;
      const legacy = await upload(alice, keys);
      assert.deepEqual(legacy.body['flows'], [{ stages: ['m.login.password'] }]);
      const { session } = challengeIn(await upload(app.client, keys), oauth.base);
      const mixed = await upload(app.client, keys, { session: legacy.body['session'] });
      assert.equal(refusalOf(mixed), '403 M_FORBIDDEN');
      assert.equal(refusalOf(await upload(alice, keys, { session })), '403 M_FORBIDDEN');
      const page = `${oauth.base}${v3}/auth/m.oauth/fallback/web?session=${String(legacy.body['session'])}`;
      assert.match((await oauth.newBrowser().open(page)).html, /does not work/);
    });
  });
}

test('who has no password confirms what an app wants by way of where they log in', async (context) => {
  const sso: SsoServer = await startSsoServer({ settings: { OAUTH_ENABLED: 'true' } });
  context.after(() => sso.close());
  const oauth = await startOAuthServer({ of: sso });
  const sub = newSubject();
  sso.idp.person = { sub, preferred_username: sub };
  const request = oauth.newRequest(await oauth.registerClient());
  const browser = sso.newBrowser();
  const linkIn = (html: string, at: string): string =>
    new URL((/<a href="([^"]*)"[^>]*>Go on/.exec(html)?.[1] ?? '').replaceAll('&#38;', '&'), at).href;
  const login = await browser.open(request.url);
  const asked = await browser.open(linkIn(login.html, login.url));
  const code = oauth.parametersOf(await browser.submit(asked, { answer: 'yes' })).get('code') ?? '';
  const { body } = await oauth.redeem(request, code);
  const userId = `@${sub}:localhost`;
  const client = sso.server.as({ userId, deviceId: request.deviceId, accessToken: String(body['access_token']) });
  assert.equal((await upload(client, newIdentity(userId).body)).status, 200);
  const keys = newIdentity(userId).body;
  const { session, url } = challengeIn(await upload(client, keys), sso.base);
  const page = await browser.open(url);
  assert.doesNotMatch(page.html, /name="password"/);
  sso.idp.person = { sub: newSubject() };
  assert.match((await sso.newBrowser().open(linkIn(page.html, page.url))).html, /somebody else/);
  challengeIn(await upload(client, keys, { session }), sso.base);
  sso.idp.person = { sub, preferred_username: sub };
  const another = sso.newBrowser();
  const wanted = await another.open(linkIn(page.html, page.url));
  assert.match(wanted.html, /wants to/);
  challengeIn(await upload(client, keys, { session }), sso.base);
  assert.match((await another.submit(wanted, {})).html, /close this page/);
  assert.equal((await upload(client, keys, { session })).status, 200);
  assert.deepEqual(sso.server.errors, []);
});
