import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import {
  appUri,
  callback,
  oauthPath,
  type OAuthServer,
  scopeOf,
  startOAuthServer,
} from '@portico/testkit/oauth-server.ts';
import { startTestServer } from '@portico/testkit/server.ts';
import { refusalOf } from '@portico/testkit/test-client.ts';

const v3 = '/_matrix/client/v3';
const whoami = `${v3}/account/whoami`;
const metadataPath = '/_matrix/client/v1/auth_metadata';
const oldMetadataPath = '/_matrix/client/unstable/org.matrix.msc2965/auth_metadata';
const wellKnownPath = '/.well-known/openid-configuration';

test('a server that is not told to has nothing of it', async (context) => {
  const server = await startTestServer();
  context.after(() => server.close());
  for (const path of [metadataPath, oldMetadataPath, wellKnownPath, `${oauthPath}/authorize`, `${oauthPath}/login`]) {
    assert.equal(refusalOf(await server.anonymous.get(path)), '404 M_UNRECOGNIZED', path);
  }
  for (const path of ['token', 'revoke', 'clients', 'login', 'consent', 'register']) {
    assert.equal(refusalOf(await server.anonymous.post(`${oauthPath}/${path}`, {})), '404 M_UNRECOGNIZED', path);
  }
});

for (const engine of ['sqlite', 'postgres'] as const) {
  describe(`logging in with OAuth 2.0 (${engine})`, () => {
    let oauth: OAuthServer;
    let clock = 0;
    before(async () => {
      oauth = await startOAuthServer({ engine, now: () => Date.now() + clock });
    });
    after(async () => {
      await oauth.close();
      assert.deepEqual(oauth.server.errors, []);
    });

    test('the metadata says where everything is', async () => {
      const { status, body } = await oauth.server.anonymous.get(metadataPath);
      assert.equal(status, 200);
      assert.deepEqual((await oauth.server.anonymous.get(oldMetadataPath)).body, body);
      assert.equal(body['issuer'], `${oauth.base}/`);
      assert.equal(body['token_endpoint'], `${oauth.base}${oauthPath}/token`);
      assert.deepEqual(body['response_modes_supported'], ['query', 'fragment']);
      assert.deepEqual(body['prompt_values_supported'], ['create']);
      assert.deepEqual(body['grant_types_supported'], [
        'authorization_code',
        'refresh_token',
        'urn:ietf:params:oauth:grant-type:device_code',
      ]);
      assert.equal(body['account_management_uri'], `${oauth.base}/account`);
      assert.equal((await fetch(`${oauth.base}/account`)).status, 200);
      const actions = new Set(body['account_management_actions_supported'] as string[]);
      for (const action of ['device_view', 'session_view', 'devices_list', 'sessions_list', 'session_end']) {
        assert.ok(actions.has(`org.matrix.${action}`), action);
      }
    });

    test('clients that look below the issuer for the metadata find it, from any page', async () => {
      const { body } = await oauth.server.anonymous.get(metadataPath);
      const found = await fetch(`${String(body['issuer'])}.well-known/openid-configuration`);
      assert.equal(found.status, 200);
      assert.equal(found.headers.get('access-control-allow-origin'), '*');
      assert.deepEqual(await found.json(), body);
    });

    test('a client gets in to the account of somebody who wants that, as a device like any other', async () => {
      const alice = await oauth.server.registerUser();
      const clientId = await oauth.registerClient({ policy_uri: 'https://app.test/privacy' });
      const request = oauth.newRequest(clientId);
      const browser = oauth.newBrowser();
      const login = await browser.open(request.url);
      assert.equal(login.status, 200);
      assert.match(login.html, /An App.*app\.test/s);
      const asked = await browser.submit(login, { user: alice.userId, password: 'a password' });
      assert.match(asked.html, new RegExp(`An App.*app\\.test.*${alice.userId}.*everything.*${request.deviceId}`, 's'));
      assert.match(asked.html, /https:&#47;&#47;app\.test|https:\/\/app\.test\/privacy/);
      assert.doesNotMatch(asked.html, /Nobody has checked/);
      const shown = await browser.submit(asked, { answer: 'yes' });
      assert.ok(shown.url.startsWith(`${callback}#`), shown.url);
      const said = oauth.parametersOf(shown);
      assert.deepEqual([said.get('state'), said.get('iss')], [request.state, `${oauth.base}/`]);
      const { status, body, headers } = await oauth.redeem(request, said.get('code') ?? '');
      assert.equal(status, 200, JSON.stringify(body));
      assert.equal(headers.get('cache-control'), 'no-store');
      const { access_token: accessToken, refresh_token: refreshToken, ...rest } = body;
      assert.deepEqual(rest, { token_type: 'Bearer', expires_in: 3600, scope: scopeOf(request.deviceId) });
      assert.match(String(refreshToken), /^[\w-]{43}$/);
      const app = oauth.server.as({ ...alice, accessToken: String(accessToken) });
      const { user_id: userId, device_id: deviceId } = (await app.get(whoami)).body;
      assert.deepEqual([userId, deviceId], [alice.userId, request.deviceId]);
      const device = (await alice.get(`${v3}/devices/${request.deviceId}`)).body;
      assert.equal(device['display_name'], 'An App');
    });

    test('an answer may be in the query, where an address may have one already', async () => {
      const alice = await oauth.server.registerUser();
      const withQuery = `${callback}?theme=dark`;
      const clientId = await oauth.registerClient({ redirect_uris: [withQuery] });
      for (const mode of ['query', undefined]) {
        const request = oauth.newRequest(clientId, { redirect_uri: withQuery, response_mode: mode });
        const shown = await oauth.letIn(oauth.newBrowser(), request.url, alice.userId);
        assert.ok(shown.url.startsWith(`${withQuery}&`), shown.url);
        const code = oauth.parametersOf(shown).get('code') ?? '';
        assert.equal((await oauth.redeem(request, code, { redirect_uri: withQuery })).status, 200);
      }
    });

    test('apps on the machine get in: on any port of its own, and by a scheme of theirs', async () => {
      const alice = await oauth.server.registerUser();
      const clientId = await oauth.registerClient({
        application_type: 'native',
        redirect_uris: ['http://127.0.0.1/callback', 'test.app:/callback'],
      });
      for (const uri of ['http://127.0.0.1:49152/callback', 'test.app:/callback']) {
        const request = oauth.newRequest(clientId, { redirect_uri: uri, response_mode: 'query' });
        const browser = oauth.newBrowser();
        const asked = await browser.submit(await browser.open(request.url), {
          user: alice.userId,
          password: 'a password',
        });
        assert.match(asked.html, /Nobody has checked/);
        const policy = asked.headers.get('content-security-policy') ?? '';
        assert.match(policy, /form-action 'self' (?:http:\/\/127\.0\.0\.1:49152|test\.app:)$/);
        const shown = await browser.submit(asked, { answer: 'yes' });
        assert.ok(shown.url.startsWith(`${uri}?code=`), shown.url);
      }
    });

    test('clients that use the names of the proposal get in with them', async () => {
      const alice = await oauth.server.registerUser();
      const old = 'urn:matrix:org.matrix.msc2967.client:';
      const request = oauth.newRequest(await oauth.registerClient(), {
        scope: `openid ${old}api:* ${old}device:OLDDEVICE`,
      });
      const shown = await oauth.letIn(oauth.newBrowser(), request.url, alice.userId);
      const { body } = await oauth.redeem(request, oauth.parametersOf(shown).get('code') ?? '');
      assert.equal(body['scope'], `${old}api:* ${old}device:OLDDEVICE`);
      const app = oauth.server.as({ ...alice, accessToken: String(body['access_token']) });
      assert.equal((await app.get(whoami)).body['device_id'], 'OLDDEVICE');
    });

    test('who says no is led back, and the client told', async () => {
      const alice = await oauth.server.registerUser();
      const request = oauth.newRequest(await oauth.registerClient());
      const shown = await oauth.letIn(oauth.newBrowser(), request.url, alice.userId, 'no');
      const said = oauth.parametersOf(shown);
      assert.deepEqual(
        [said.get('error'), said.get('state'), said.get('code')],
        ['access_denied', request.state, null],
      );
    });

    test('a wrong password is said to be wrong, and another one tried on the same page', async () => {
      const alice = await oauth.server.registerUser();
      const browser = oauth.newBrowser();
      const login = await browser.open(oauth.newRequest(await oauth.registerClient()).url);
      for (const user of [alice.userId, '@nobody:localhost', 'nobody@example.org', '', '\u{1f600}']) {
        const again = await browser.submit(login, { user, password: 'wrong' });
        assert.equal(again.status, 403);
        assert.match(again.html, /Wrong user name or password/, user);
      }
      assert.match((await browser.submit(login, { user: 'a\0b', password: 'wrong' })).html, /a character that is none/);
      const asked = await browser.submit(login, { user: ` ${alice.userId}`, password: 'a password' });
      assert.match(asked.html, /Let an app in\?/);
      assert.match((await browser.submit(login, { user: alice.userId, password: 'a password' })).html, /is over/);
    });

    test('a client that takes the place of a device is said to', async () => {
      const alice = await oauth.server.registerUser();
      const clientId = await oauth.registerClient();
      const browser = oauth.newBrowser();
      const request = oauth.newRequest(clientId, { scope: scopeOf(alice.deviceId) });
      const asked = await browser.submit(await browser.open(request.url), {
        user: alice.userId,
        password: 'a password',
      });
      assert.match(asked.html, new RegExp(`takes the place of your device.*${alice.deviceId}`));
      const code = oauth.parametersOf(await browser.submit(asked, { answer: 'yes' })).get('code') ?? '';
      assert.equal((await oauth.redeem(request, code)).status, 200);
      assert.equal(refusalOf(await alice.get(whoami)), '401 M_UNKNOWN_TOKEN');
    });

    test('tokens are refreshed, as often as it takes, and expire', async () => {
      const alice = await oauth.server.registerUser();
      const { client, clientId, refreshToken } = await oauth.logIn(alice.userId);
      clock += 3600_000;
      const expired = await client.get(whoami);
      assert.deepEqual([refusalOf(expired), expired.body['soft_logout']], ['401 M_UNKNOWN_TOKEN', true]);
      const refresh = (token: string, more = {}) =>
        oauth.post(`${oauthPath}/token`, {
          grant_type: 'refresh_token',
          refresh_token: token,
          client_id: clientId,
          ...more,
        });
      const first = await refresh(refreshToken);
      const again = await refresh(refreshToken, { scope: scopeOf(client.deviceId) });
      assert.deepEqual([first.status, again.status], [200, 200], 'an answer that was lost is asked for again');
      assert.notEqual(first.body['refresh_token'], again.body['refresh_token']);
      assert.deepEqual([again.body['expires_in'], again.body['scope']], [3600, scopeOf(client.deviceId)]);
      const newer = oauth.server.as({ ...client, accessToken: String(again.body['access_token']) });
      assert.equal((await newer.get(whoami)).body['device_id'], client.deviceId);
      const other = await refresh(String(again.body['refresh_token']), { scope: scopeOf('OTHER') });
      assert.deepEqual([other.status, other.body['error']], [400, 'invalid_scope']);
    });

    test('a client that logs out takes its device along, by either token, and others’ tokens end nothing', async () => {
      const alice = await oauth.server.registerUser();
      const revoke = (token: string, more = {}) => oauth.post(`${oauthPath}/revoke`, { token, ...more });
      const one = await oauth.logIn(alice.userId);
      const two = await oauth.logIn(alice.userId);
      const three = await oauth.logIn(alice.userId);
      assert.equal((await revoke('of nobody')).status, 200);
      const byAccess = await revoke(one.client.accessToken, {
        token_type_hint: 'access_token',
        client_id: one.clientId,
      });
      assert.equal(byAccess.status, 200);
      assert.equal((await revoke(two.refreshToken, { token_type_hint: 'access_token' })).status, 200);
      for (const { client } of [one, two]) {
        const gone = await client.get(whoami);
        assert.deepEqual([refusalOf(gone), gone.body['soft_logout']], ['401 M_UNKNOWN_TOKEN', false]);
        assert.equal((await alice.get(`${v3}/devices/${client.deviceId}`)).status, 404);
      }
      assert.equal((await three.client.get(whoami)).status, 200);
      assert.equal((await revoke(one.client.accessToken)).status, 200);
      assert.equal((await three.client.post(`${v3}/logout`)).status, 200);
      assert.equal((await alice.get(`${v3}/devices/${three.client.deviceId}`)).status, 404);
      assert.deepEqual((await revoke('')).body['error'], 'invalid_request');
    });

    test('clients that say the same are the same; what is wrong with one is told by its code', async () => {
      assert.equal(await oauth.registerClient(), await oauth.registerClient({ 'client_name#fr': 'Une App' }));
      assert.notEqual(await oauth.registerClient(), await oauth.registerClient({ client_name: 'Another App' }));
      const register = (metadata: object) => oauth.server.anonymous.post(`${oauthPath}/clients`, metadata);
      const { status, body } = await register({ client_uri: appUri, redirect_uris: [callback], contacts: ['x'] });
      assert.equal(status, 201);
      assert.deepEqual(body['redirect_uris'], [callback]);
      assert.equal('contacts' in body, false);
      const noUri = await register({ client_uri: appUri, redirect_uris: ['https://evil.test/'] });
      assert.deepEqual([noUri.status, noUri.body['error']], [400, 'invalid_redirect_uri']);
      const noName = await register({ client_uri: appUri, redirect_uris: [callback], client_name: '' });
      assert.deepEqual([noName.status, noName.body['error']], [400, 'invalid_client_metadata']);
    });

    test('somebody who is new makes an account on the way', async () => {
      const request = oauth.newRequest(await oauth.registerClient(), { prompt: 'create' });
      const browser = oauth.newBrowser();
      const form = await browser.open(request.url);
      assert.match(form.html, /Your new account/);
      const taken = (await oauth.server.registerUser()).userId.slice(1).split(':')[0] ?? '';
      const name = `new-${randomBytes(4).toString('hex')}`;
      const secret = { password: 'a password', again: 'a password' };
      for (const [fields, problem] of [
        [{ username: taken, ...secret }, /taken/],
        [{ username: 'Ä "><script>', ...secret }, /consists of/],
        [{ username: name, ...secret, again: 'another' }, /not the same/],
        [{ username: name, password: '', again: '' }, /cannot be empty/],
      ] as const) {
        const again = await browser.submit(form, fields);
        assert.match(again.html, problem);
        assert.doesNotMatch(again.html, /<script/);
      }
      const asked = await browser.submit(form, { username: name, ...secret });
      assert.match(asked.html, new RegExp(`Let an app in.*@${name}:localhost`, 's'));
      const shown = await browser.submit(asked, { answer: 'yes' });
      const { body } = await oauth.redeem(request, oauth.parametersOf(shown).get('code') ?? '');
      const app = oauth.server.as({ userId: '', deviceId: '', accessToken: String(body['access_token']) });
      assert.equal((await app.get(whoami)).body['user_id'], `@${name}:localhost`);
      assert.equal((await oauth.logIn(`@${name}:localhost`)).client.userId, `@${name}:localhost`);
    });

    test('legacy logins go on, and take over the device of a client', async () => {
      const alice = await oauth.server.registerUser();
      const { client, clientId, refreshToken } = await oauth.logIn(alice.userId);
      const { status } = await oauth.server.anonymous.post(`${v3}/login`, {
        type: 'm.login.password',
        identifier: { type: 'm.id.user', user: alice.userId },
        password: 'a password',
        device_id: client.deviceId,
      });
      assert.equal(status, 200);
      const fields = { grant_type: 'refresh_token', refresh_token: refreshToken, client_id: clientId };
      assert.equal((await oauth.post(`${oauthPath}/token`, fields)).body['error'], 'invalid_grant');
      assert.equal((await oauth.server.anonymous.get(`${v3}/login`)).status, 200);
    });
  });
}
