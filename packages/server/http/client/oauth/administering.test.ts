import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Shown } from '@portico/testkit/cookie-browser.ts';
import { oauthPath, type OAuthServer, scopeOf, startOAuthServer } from '@portico/testkit/oauth-server.ts';
import { registerAdmin } from '@portico/testkit/register-admin.ts';
import { refusalOf, type TestClient } from '@portico/testkit/test-client.ts';

const v3 = '/_matrix/client/v3';
const adminScope = 'urn:synapse:admin:*';
const lacks = /has to log in with the scope urn:synapse:admin:\*/;

for (const engine of ['sqlite', 'postgres'] as const) {
  describe(`apps that administer the server (${engine})`, () => {
    let oauth: OAuthServer;
    let clientId: string;
    let admin: TestClient;
    let other: TestClient;
    let names = 0;
    const newAdmin = (): Promise<TestClient> => registerAdmin(oauth.server, `admin-${(names += 1)}`);
    before(async () => {
      oauth = await startOAuthServer({ engine });
      clientId = await oauth.registerClient();
      admin = await newAdmin();
      other = await oauth.server.registerUser();
    });
    after(async () => {
      await oauth.close();
      assert.deepEqual(oauth.server.errors, []);
    });

    const adminRequest = (deviceId: string) =>
      oauth.newRequest(clientId, { scope: `${scopeOf(deviceId)} ${adminScope}` });
    async function atConsent(
      url: string,
      userId: string,
    ): Promise<{ asked: Shown; answer(word: string): Promise<Shown> }> {
      const browser = oauth.newBrowser();
      const asked = await browser.submit(await browser.open(url), { user: userId, password: 'a password' });
      return { asked, answer: (answer) => browser.submit(asked, { answer }) };
    }
    async function logIn(userId: string, deviceId: string) {
      const request = adminRequest(deviceId);
      const { asked, answer } = await atConsent(request.url, userId);
      const { status, body } = await oauth.redeem(request, codeOf(await answer('yes')));
      assert.equal(status, 200, JSON.stringify(body));
      const app = oauth.server.as({ userId, deviceId, accessToken: String(body['access_token']) });
      return { asked, app, body };
    }
    const codeOf = (shown: Shown): string => oauth.parametersOf(shown).get('code') ?? '';

    /** Each a thing that administrators alone may do, on some path. */
    const callsOf = (app: TestClient) =>
      [
        app.get('/_synapse/admin/v2/users'),
        app.get(`/_synapse/admin/v2/users/${encodeURIComponent(other.userId)}`),
        app.get('/_portico/admin/v1/room_reports'),
        app.get(`/_matrix/client/v1/admin/lock/${other.userId}`),
        app.get(`/_matrix/client/unstable/uk.timedout.msc4323/admin/suspend/${other.userId}`),
        app.get(`${v3}/admin/whois/${other.userId}`),
      ] as const;

    test('without the scope an app of an administrator does nothing that takes one, and is told what is missing', async () => {
      const { client: app } = await oauth.logIn(admin.userId, clientId, 'WITHOUT');
      for (const { status, body } of await Promise.all(callsOf(app))) {
        assert.equal(`${status} ${String(body['errcode'])}`, '403 M_FORBIDDEN');
        assert.match(String(body['error']), lacks);
      }
      const { capabilities } = (await app.get(`${v3}/capabilities`)).body as { capabilities: object };
      assert.ok(!Object.hasOwn(capabilities, 'm.account_moderation'));
      assert.equal((await app.get(`${v3}/admin/whois/${admin.userId}`)).status, 200, 'their own is theirs');
      for (const { status } of await Promise.all(callsOf(admin))) assert.equal(status, 200, 'without OAuth 2.0');
    });

    test('without the scope the room of another is neither named nor listed by an app of an administrator', async () => {
      const { client: app } = await oauth.logIn(admin.userId, clientId, 'ROOMS');
      const roomId = String((await other.post(`${v3}/createRoom`, {})).body['room_id']);
      const alias = `#named-${engine}:${other.userId.split(':').slice(1).join(':')}`;
      const address = `${v3}/directory/room/${encodeURIComponent(alias)}`;
      const listed = `${v3}/directory/list/room/${encodeURIComponent(roomId)}`;
      const listing = { visibility: 'public' };
      assert.equal(refusalOf(await app.put(address, { room_id: roomId })), '403 M_FORBIDDEN');
      assert.equal(refusalOf(await app.put(listed, listing)), '403 M_FORBIDDEN');
      assert.equal((await admin.put(address, { room_id: roomId })).status, 200);
      assert.equal((await admin.put(listed, listing)).status, 200);
      assert.equal((await other.delete(address)).status, 200);
      assert.equal((await other.put(address, { room_id: roomId })).status, 200);
      assert.equal(refusalOf(await app.delete(address)), '403 M_FORBIDDEN');
      assert.equal((await admin.delete(address)).status, 200);
    });

    test('with it an app administers, having warned of that, for as long as the person does', async () => {
      const person = await newAdmin();
      const { asked, app, body } = await logIn(person.userId, 'WITH');
      assert.match(asked.html, /asks to do so as well.*belongs to others/s);
      assert.equal(body['scope'], `${scopeOf('WITH')} ${adminScope}`);
      for (const { status } of await Promise.all(callsOf(app))) assert.equal(status, 200);
      const refresh = {
        grant_type: 'refresh_token',
        client_id: clientId,
        refresh_token: String(body['refresh_token']),
      };
      const { status, body: refreshed } = await oauth.post(`${oauthPath}/token`, refresh);
      assert.equal(status, 200);
      assert.equal(refreshed['scope'], body['scope']);
      const renewed = oauth.server.as({ ...person, accessToken: String(refreshed['access_token']) });
      for (const { status: kept } of await Promise.all(callsOf(renewed))) assert.equal(kept, 200);
      const path = `/_synapse/admin/v1/users/${encodeURIComponent(person.userId)}/admin`;
      assert.equal((await admin.put(path, { admin: false })).status, 200);
      for (const answer of await Promise.all(callsOf(renewed))) {
        assert.equal(refusalOf(answer), '403 M_FORBIDDEN');
        assert.match(String(answer.body['error']), /You are not an administrator/);
      }
    });

    test('who administers and is not asked for that is told that the app will not', async () => {
      const { asked } = await atConsent(oauth.newRequest(clientId).url, admin.userId);
      assert.match(asked.html, /this app will not be able to/);
      assert.doesNotMatch(asked.html, /belongs to others/);
    });

    test('who is no administrator lets in no app that asks for it: the page says so, and the app is told', async () => {
      const request = adminRequest('NOBODY');
      const { asked, answer } = await atConsent(request.url, other.userId);
      assert.equal(asked.status, 200);
      assert.match(asked.html, new RegExp(`Only administrators can.*${other.userId}.*does not get in`, 's'));
      assert.doesNotMatch(asked.html, /value="yes"/);
      const said = oauth.parametersOf(await answer('yes'));
      assert.deepEqual([said.get('error'), said.get('code')], ['access_denied', null]);
      assert.match(said.get('error_description') ?? '', /no administrator/);
    });

    test('nor by a code that a device shows', async () => {
      const grant = 'urn:ietf:params:oauth:grant-type:device_code';
      const scope = `${scopeOf('CONSOLE')} ${adminScope}`;
      for (const [person, expected] of [
        [other, 'access_denied'],
        [admin, scope],
      ] as const) {
        const { body } = await oauth.post(`${oauthPath}/device`, { client_id: clientId, scope });
        const browser = oauth.newBrowser();
        const page = await browser.open(`${oauth.base}/_portico/link`);
        const login = await browser.submit(page, { user_code: String(body['user_code']) });
        const asked = await browser.submit(login, { user: person.userId, password: 'a password' });
        assert.match(asked.html, person === admin ? /asks to do so as well/ : /Only administrators can/);
        await browser.submit(asked, { answer: 'yes' });
        const redeemed = await oauth.post(`${oauthPath}/token`, {
          grant_type: grant,
          client_id: clientId,
          device_code: String(body['device_code']),
        });
        assert.equal(redeemed.body['error'] ?? redeemed.body['scope'], expected);
      }
    });

    test('a code is good for nothing where they have ceased to be an administrator since they said yes', async () => {
      const person = await newAdmin();
      const request = adminRequest('SINCE');
      const code = codeOf(await (await atConsent(request.url, person.userId)).answer('yes'));
      const path = `/_synapse/admin/v1/users/${encodeURIComponent(person.userId)}/admin`;
      assert.equal((await admin.put(path, { admin: false })).status, 200);
      assert.equal((await oauth.redeem(request, code)).body['error'], 'invalid_grant');
    });

    test('an app that names no device, as those in use, gets a new one of its own', async () => {
      const scope = `urn:matrix:org.matrix.msc2967.client:api:* urn:mas:admin ${adminScope}`;
      const request = oauth.newRequest(clientId, { scope });
      const { body } = await oauth.redeem(
        request,
        codeOf(await (await atConsent(request.url, admin.userId)).answer('yes')),
      );
      const app = oauth.server.as({ ...admin, accessToken: String(body['access_token']) });
      const deviceId = String((await app.get(`${v3}/account/whoami`)).body['device_id']);
      assert.match(deviceId, /^[A-Z]{10}$/);
      const granted = `urn:matrix:org.matrix.msc2967.client:api:* ${adminScope} urn:matrix:client:device:${deviceId}`;
      assert.equal(body['scope'], granted);
      for (const { status } of await Promise.all(callsOf(app))) assert.equal(status, 200);
      const withoutAdmin = oauth.newRequest(clientId, { scope: 'urn:matrix:client:api:*' });
      assert.match((await oauth.newBrowser().open(withoutAdmin.url)).html, /scope\.no-device/);
      const { body: started } = await oauth.post(`${oauthPath}/device`, { client_id: clientId, scope });
      assert.match(String(started['device_code']), /^[\w-]{43}$/);
    });

    test('no refresh widens what an app was let in for', async () => {
      const { refreshToken } = await oauth.logIn(admin.userId, clientId, 'WIDER');
      const { body } = await oauth.post(`${oauthPath}/token`, {
        grant_type: 'refresh_token',
        client_id: clientId,
        refresh_token: refreshToken,
        scope: `${scopeOf('WIDER')} ${adminScope}`,
      });
      assert.equal(body['error'], 'invalid_scope');
    });

    test('the metadata and the description of the API say what it takes', async () => {
      const { body } = await oauth.server.anonymous.get('/_matrix/client/v1/auth_metadata');
      assert.deepEqual(body['scopes_supported'], ['urn:matrix:client:api:*', adminScope]);
      const described = (await oauth.server.anonymous.get('/_portico/openapi.json')).body;
      assert.match(JSON.stringify(described['components']), /urn:synapse:admin/);
    });
  });
}
