import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { appUri, callback, type OAuthServer, startOAuthServer } from '@portico/testkit/oauth-server.ts';
import { createClient, type MatrixClient, OAuth2, OAuth2HTTPError, silent, type ValidatedAuthMetadata } from './sdk.ts';

const app = { client_name: 'An App', client_uri: appUri, redirect_uris: [callback] } as const;

suite('matrix-js-sdk and OAuth 2.0', () => {
  let oauth: OAuthServer;
  let clock = 0;
  let metadata: ValidatedAuthMetadata;
  before(async () => {
    oauth = await startOAuthServer({ now: () => Date.now() + clock });
    metadata = await bare().getAuthMetadata();
  });
  after(async () => {
    await oauth.close();
    assert.deepEqual(oauth.server.errors, []);
  });
  const bare = (): MatrixClient => createClient({ baseUrl: oauth.base, logger: silent });
  const begin = async (): Promise<OAuth2> =>
    new OAuth2(
      metadata,
      { clientId: await OAuth2.registerClient(metadata, { ...app, redirect_uris: [callback] }, silent) },
      silent,
    );

  /** The whole way of somebody to a client; answers its tokens. */
  async function logIn(auth: OAuth2, userId: string) {
    const url = await auth.generateAuthorizationCodeGrantUrl('a state', callback);
    const said = oauth.parametersOf(await oauth.letIn(oauth.newBrowser(), url, userId));
    assert.equal(said.get('state'), 'a state');
    return auth.completeAuthorizationCodeGrant(said.get('code') ?? '', callback);
  }

  test('it finds the server’s pages, logs in, refreshes by itself, and logs out', async () => {
    const alice = await oauth.server.registerUser();
    const auth = await begin();
    const tokens = await logIn(auth, alice.userId);
    let refreshes = 0;
    const client = createClient({
      baseUrl: oauth.base,
      userId: alice.userId,
      deviceId: auth.context.deviceId,
      accessToken: tokens.access_token,
      refreshToken: tokens.refresh_token ?? '',
      oauthClientId: auth.context.clientId,
      onTokenRefresh() {
        refreshes += 1;
      },
      logger: silent,
    });
    assert.deepEqual(await client.whoami(), {
      user_id: alice.userId,
      device_id: auth.context.deviceId,
      is_guest: false,
    });
    clock += 3600_000;
    assert.equal((await client.whoami()).user_id, alice.userId);
    assert.equal(refreshes, 1);
    assert.notEqual(client.getAccessToken(), tokens.access_token);
    await client.logout();
    await assert.rejects(client.whoami(), /M_UNKNOWN_TOKEN/);
    const { devices } = (await alice.get('/_matrix/client/v3/devices')).body as { devices: unknown[] };
    assert.equal(devices.length, 1, 'its device is gone');
  });

  test('it hears that a session has ended whose refresh token was used before', async () => {
    const alice = await oauth.server.registerUser();
    const auth = await begin();
    const { refresh_token: first = '' } = await logIn(auth, alice.userId);
    const { access_token: token } = await auth.performRefreshTokenGrant(first);
    assert.equal(
      (await createClient({ baseUrl: oauth.base, accessToken: token, logger: silent }).whoami()).user_id,
      alice.userId,
    );
    await assert.rejects(auth.performRefreshTokenGrant(first), (error: unknown) => {
      assert.ok(error instanceof OAuth2HTTPError);
      return error.error === 'invalid_grant';
    });
  });

  test('it makes an account on the way, where somebody has none', async () => {
    const auth = await begin();
    const url = await auth.generateAuthorizationCodeGrantUrl('a state', callback, 'query', 'create');
    const browser = oauth.newBrowser();
    const name = `sdk-${auth.context.deviceId.toLowerCase()}`;
    const asked = await browser.submit(await browser.open(url), {
      username: name,
      password: 'a password',
      again: 'a password',
    });
    const said = oauth.parametersOf(await browser.submit(asked, { answer: 'yes' }));
    const { access_token: token } = await auth.completeAuthorizationCodeGrant(said.get('code') ?? '', callback);
    const client = createClient({ baseUrl: oauth.base, accessToken: token, logger: silent });
    assert.equal((await client.whoami()).user_id, `@${name}:localhost`);
  });

  test('it is let in without a browser of its own', async () => {
    const alice = await oauth.server.registerUser();
    const auth = await begin();
    const session = await auth.startDeviceAuthorizationGrant();
    const browser = oauth.newBrowser();
    const page = await browser.open(session.verification_uri_complete ?? '');
    const login = await browser.submit({ ...page, url: session.verification_uri }, { user_code: session.user_code });
    const asked = await browser.submit(login, { user: alice.userId, password: 'a password' });
    assert.match((await browser.submit(asked, { answer: 'yes' })).html, /is let in/);
    const tokens = await auth.waitForDeviceAuthorizationGrant(session);
    assert.ok('access_token' in tokens, JSON.stringify(tokens));
    const client = createClient({ baseUrl: oauth.base, accessToken: tokens.access_token, logger: silent });
    assert.equal((await client.whoami()).device_id, auth.context.deviceId);
  });

  test('it goes on to log in without OAuth 2.0 where people want that', async () => {
    const alice = await oauth.server.registerUser();
    const { flows } = await bare().loginFlows();
    assert.ok(flows.some(({ type }) => type === 'm.login.password'));
    const session = await bare().loginRequest({
      type: 'm.login.password',
      identifier: { type: 'm.id.user', user: alice.userId },
      password: 'a password',
    });
    assert.equal(session.user_id, alice.userId);
  });
});
