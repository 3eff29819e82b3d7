import assert from 'node:assert/strict';
import { test } from 'node:test';
import { oauthPath, type OAuthServer, scopeOf, startOAuthServer } from '@portico/testkit/oauth-server.ts';
import { createTestDatabase } from '@portico/testkit/postgres.ts';
import { startTestServer } from '@portico/testkit/server.ts';
import { refusalOf } from '@portico/testkit/test-client.ts';

const whoami = '/_matrix/client/v3/account/whoami';

test('what one process on a PostgreSQL has begun another one goes on with, and ends', async (context) => {
  const databaseUrl = await createTestDatabase();
  const settings = { OAUTH_ENABLED: 'true', PUBLIC_BASE_URL: 'http://matrix.test' };
  const start = async (): Promise<OAuthServer> => {
    const server = await startTestServer({ databaseUrl, settings });
    return startOAuthServer({ of: { server, base: server.baseUrl } });
  };
  const [one, other] = [await start(), await start()];
  context.after(() => Promise.all([one.close(), other.close()]));
  const alice = await one.server.registerUser();
  const clientId = await one.registerClient();

  const browser = one.newBrowser();
  const request = one.newRequest(clientId);
  const login = await browser.open(request.url);
  // As a proxy does it: the same browser, and another process.
  const same = other.newBrowser();
  const cookies = [...(browser.cookies.get(one.base) ?? [])].map(([name, value]) => ['set-cookie', `${name}=${value}`]);
  same.keep(other.base, new Headers(cookies as [string, string][]));
  const asked = await same.submit(
    { ...login, url: login.url.replace(one.base, other.base) },
    { user: alice.userId, password: 'a password' },
  );
  const shown = await browser.submit({ ...asked, url: asked.url.replace(other.base, one.base) }, { answer: 'yes' });
  const code = one.parametersOf(shown).get('code') ?? '';
  const both = await Promise.all([one.redeem(request, code), other.redeem(request, code)]);
  assert.deepEqual(new Set(both.map(({ status }) => status)), new Set([200, 400]));
  const got = both.find(({ status }) => status === 200)?.body ?? {};
  for (const { server } of [one, other]) {
    const app = server.as({ ...alice, accessToken: String(got['access_token']) });
    assert.equal(refusalOf(await app.get(whoami)), '401 M_UNKNOWN_TOKEN', 'a code that two have used');
  }

  const { client, refreshToken } = await one.logIn(alice.userId, clientId);
  const there = other.server.as({ ...alice, accessToken: client.accessToken });
  assert.equal((await there.get(whoami)).status, 200);
  const refresh = (by: OAuthServer) =>
    by.post(`${oauthPath}/token`, { grant_type: 'refresh_token', refresh_token: refreshToken, client_id: clientId });
  const refreshed = await refresh(one);
  assert.equal(
    (await one.server.as({ ...alice, accessToken: String(refreshed.body['access_token']) }).get(whoami)).status,
    200,
  );
  assert.equal((await refresh(other)).body['error'], 'invalid_grant');
  assert.equal(refusalOf(await there.get(whoami)), '401 M_UNKNOWN_TOKEN');

  const started = (await one.post(`${oauthPath}/device`, { client_id: clientId, scope: scopeOf('TELEVISION') })).body;
  const deviceCode = String(started['device_code']);
  const grant = {
    grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
    device_code: deviceCode,
    client_id: clientId,
  };
  assert.equal((await other.post(`${oauthPath}/token`, grant)).body['error'], 'authorization_pending');
  assert.equal((await one.post(`${oauthPath}/token`, grant)).body['error'], 'slow_down');
  assert.deepEqual([...one.server.errors, ...other.server.errors], []);
});
