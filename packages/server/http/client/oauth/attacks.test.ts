import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import type { CookieBrowser, Shown } from '@portico/testkit/cookie-browser.ts';
import {
  type AuthorizationRequest,
  callback,
  type Fields,
  oauthPath,
  type OAuthServer,
  scopeOf,
  startOAuthServer,
} from '@portico/testkit/oauth-server.ts';
import { openRawDatabase } from '@portico/testkit/raw-database.ts';
import { registerAdmin } from '@portico/testkit/register-admin.ts';
import { startTestServer } from '@portico/testkit/server.ts';
import { refusalOf, type TestClient } from '@portico/testkit/test-client.ts';

const v3 = '/_matrix/client/v3';
const whoami = `${v3}/account/whoami`;
const over = /This login is over/;
const otherBrowser = /begun in another browser/;

function assertRefused(shown: Shown, status: number, words: RegExp): void {
  assert.equal(shown.status, status, `${shown.url}: ${shown.html}`);
  assert.match(shown.html, words);
  assert.doesNotMatch(shown.html, /\bat .*\.ts:|Error:/, 'nothing of the inside is shown');
}

const challengeOf = (verifier: string): string => createHash('sha256').update(verifier).digest('base64url');

for (const engine of ['sqlite', 'postgres'] as const) {
  describe(`attacks on logging in with OAuth 2.0 (${engine})`, () => {
    let oauth: OAuthServer;
    let clock = 0;
    let clientId: string;
    let otherClient: string;
    before(async () => {
      oauth = await startOAuthServer({ engine, now: () => Date.now() + clock });
      clientId = await oauth.registerClient();
      otherClient = await oauth.registerClient({ client_name: 'Another App' });
    });
    after(async () => {
      await oauth.close();
      assert.deepEqual(oauth.server.errors, []);
    });

    type Coded = { alice: TestClient; request: AuthorizationRequest; code: string };
    async function getCode(changes: Readonly<Record<string, string>> = {}): Promise<Coded> {
      const alice = await oauth.server.registerUser();
      const request = oauth.newRequest(clientId, changes);
      const shown = await oauth.letIn(oauth.newBrowser(), request.url, alice.userId);
      return { alice, request, code: oauth.parametersOf(shown).get('code') ?? '' };
    }
    async function errorOf(request: AuthorizationRequest, code: string, changes: Fields = {}): Promise<string> {
      const { status, body } = await oauth.redeem(request, code, changes);
      return `${status} ${String(body['error'])}`;
    }
    async function atConsent(browser: CookieBrowser, url: string, user: string): Promise<Shown> {
      return browser.submit(await browser.open(url), { user, password: 'a password' });
    }
    const tokenOf = (body: Record<string, unknown>): string => String(body['access_token']);
    const refresh = (token: string, client: string) =>
      oauth.post(`${oauthPath}/token`, { grant_type: 'refresh_token', refresh_token: token, client_id: client });

    test('a code is good once, and who uses it again ends what came of it', async () => {
      const { alice, request, code } = await getCode();
      const { body } = await oauth.redeem(request, code);
      const app = oauth.server.as({ ...alice, accessToken: tokenOf(body) });
      assert.equal((await app.get(whoami)).status, 200);
      assert.equal(await errorOf(request, code), '400 invalid_grant');
      assert.equal(refusalOf(await app.get(whoami)), '401 M_UNKNOWN_TOKEN');
      assert.equal((await refresh(String(body['refresh_token']), clientId)).body['error'], 'invalid_grant');
      assert.equal((await alice.get(whoami)).status, 200, 'other devices of theirs stay');
    });

    test('of two who use it at the same moment nobody is left in', async () => {
      const { alice, request, code } = await getCode();
      const both = await Promise.all([oauth.redeem(request, code), oauth.redeem(request, code)]);
      assert.deepEqual(new Set(both.map(({ status }) => status)), new Set([200, 400]));
      const got = both.find(({ status }) => status === 200);
      const app = oauth.server.as({ ...alice, accessToken: tokenOf(got?.body ?? {}) });
      assert.equal(refusalOf(await app.get(whoami)), '401 M_UNKNOWN_TOKEN');
    });

    test('a code that was used does not end what its device was logged in with since', async () => {
      const first = await getCode();
      await oauth.redeem(first.request, first.code);
      const { client } = await oauth.logIn(first.alice.userId, clientId, first.request.deviceId);
      assert.equal(await errorOf(first.request, first.code), '400 invalid_grant');
      assert.equal((await client.get(whoami)).status, 200);
    });

    test('a code is good for its client, its address and its verifier alone, and a minute', async () => {
      const { request, code } = await getCode();
      for (const [changes, error] of [
        [{ client_id: otherClient }, '400 invalid_grant'],
        [{ client_id: 'made up' }, '401 invalid_client'],
        [{ client_id: '' }, '401 invalid_client'],
        [{ client_id: 'a\0b' }, '400 invalid_request'],
        [{ redirect_uri: `${callback}/` }, '400 invalid_grant'],
        [{ redirect_uri: '' }, '400 invalid_request'],
        [{ code_verifier: 'x'.repeat(43) }, '400 invalid_grant'],
        [{ code_verifier: challengeOf(request.verifier) }, '400 invalid_grant'],
        [{ code_verifier: request.verifier.slice(1) }, '400 invalid_grant'],
        [{ code_verifier: '' }, '400 invalid_request'],
        [{ code: 'made up' }, '400 invalid_grant'],
        [{ code: '' }, '400 invalid_request'],
        [{ grant_type: 'password' }, '400 unsupported_grant_type'],
        [{ grant_type: '' }, '400 invalid_request'],
      ] as const) {
        assert.equal(await errorOf(request, code, changes), error, JSON.stringify(changes));
      }
      assert.equal((await oauth.redeem(request, code)).status, 200, 'none of that used it up');
      const late = await getCode();
      clock += 60_000;
      assert.equal(await errorOf(late.request, late.code), '400 invalid_grant');
    });

    test('without the challenge of a hash nobody is given a code', async () => {
      const verifier = 'x'.repeat(43);
      for (const changes of [
        { code_challenge: undefined },
        { code_challenge: '' },
        { code_challenge_method: undefined },
        { code_challenge_method: 'plain', code_challenge: verifier },
        { code_challenge: 'short' },
        { code_challenge: `${challengeOf(verifier)}=` },
      ]) {
        const shown = await oauth.newBrowser().open(oauth.newRequest(clientId, changes).url);
        assertRefused(shown, 400, /code challenge of the method S256/);
        assert.match(shown.html, /error=invalid_request/);
      }
    });

    test('a verifier that is too short to be random proves nothing', async () => {
      const verifier = 'x'.repeat(42);
      const { request, code } = await getCode({ code_challenge: challengeOf(verifier) });
      assert.equal(await errorOf(request, code, { code_verifier: verifier }), '400 invalid_grant');
    });

    test('parameters that are given twice are refused', async () => {
      const { request, code } = await getCode();
      const fields = new URLSearchParams({
        grant_type: 'authorization_code',
        code,
        redirect_uri: callback,
        client_id: clientId,
        code_verifier: request.verifier,
      });
      fields.append('client_id', otherClient);
      const { status, body } = await oauth.post(`${oauthPath}/token`, fields);
      assert.deepEqual([status, body['error']], [400, 'invalid_request']);
    });

    test('nobody is led to an address that the client has not registered, nor to any without being asked', async () => {
      for (const uri of [
        'https://evil.test/',
        `${callback}/../evil`,
        `${callback}?to=https://evil.test/`,
        'https://app.test@evil.test/callback',
        'javascript:alert(1)',
        '//app.test/callback',
        '',
        undefined,
      ]) {
        const shown = await oauth.newBrowser().open(oauth.newRequest(clientId, { redirect_uri: uri }).url);
        assertRefused(shown, 400, /not among its own/);
        assert.doesNotMatch(shown.html, /<a /);
      }
      assertRefused(await oauth.newBrowser().open(oauth.newRequest('made up').url), 400, /does not know the app/);
      for (const [changes, words] of [
        [{ response_type: 'token' }, /error=unsupported_response_type/],
        [{ response_mode: 'form_post' }, /error=invalid_request/],
        [{ scope: 'openid' }, /error=invalid_scope/],
        [{ scope: scopeOf('x'.repeat(256)) }, /error=invalid_scope/],
        [{ prompt: 'none' }, /error=login_required/],
        [{ state: 'x'.repeat(5000) }, /error=invalid_request/],
      ] as const) {
        const shown = await oauth.newBrowser().open(oauth.newRequest(clientId, changes).url);
        assertRefused(shown, 400, words);
        assert.match(shown.html, /app\.test/);
      }
      const withoutCodes = await oauth.registerClient({
        grant_types: ['urn:ietf:params:oauth:grant-type:device_code'],
      });
      const shown = await oauth.newBrowser().open(oauth.newRequest(withoutCodes).url);
      assertRefused(shown, 400, /error=unauthorized_client/);
    });

    test('what a client says about itself becomes no markup, and a frame around the question none', async () => {
      const alice = await oauth.server.registerUser();
      const evil = await oauth.registerClient({
        client_name: '</strong><script>alert(1)</script>" onload="x',
        client_uri: 'https://app.test/"><script>'.replace('"><script>', "?a='b'&c"),
        policy_uri: "https://app.test/?'><b",
      });
      const request = oauth.newRequest(evil, { state: '"><script>alert(2)</script>' });
      const browser = oauth.newBrowser();
      const login = await browser.open(request.url);
      const asked = await browser.submit(login, { user: alice.userId, password: 'a password' });
      const back = await browser.open(oauth.newRequest(evil, { scope: '', state: '"><script>' }).url);
      // A name of letters that go from right to left leaves what stands beside it where it is.
      for (const { html } of [login, asked, back])
        assert.match(html, /<bdi>[^<]*alert[^<]*<\/bdi>.* of .*<bdi>app\.test</);
      for (const { html, headers } of [login, asked, back]) {
        assert.doesNotMatch(html, /<script|<b>|" onload|'>/);
        assert.match(
          headers.get('content-security-policy') ?? '',
          /^default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'/,
        );
        assert.equal(headers.get('x-frame-options'), 'DENY');
        assert.equal(headers.get('referrer-policy'), 'no-referrer');
        assert.equal(headers.get('cache-control'), 'no-store');
      }
    });

    test('a question is answered by the browser alone that was asked, once', async () => {
      const alice = await oauth.server.registerUser();
      const mallory = await oauth.server.registerUser();
      const browser = oauth.newBrowser();
      const asked = await atConsent(browser, oauth.newRequest(clientId).url, alice.userId);
      const stranger = oauth.newBrowser();
      assertRefused(await stranger.open(asked.url), 403, otherBrowser);
      assertRefused(await stranger.submit(asked, { answer: 'yes' }), 403, otherBrowser);
      // A page elsewhere that sends the form has no cookie of this server's, or one of its own login.
      await atConsent(stranger, oauth.newRequest(clientId).url, mallory.userId);
      assertRefused(await stranger.submit(asked, { answer: 'yes' }), 403, otherBrowser);
      const shown = await browser.submit(asked, { answer: 'yes' });
      assert.ok(oauth.parametersOf(shown).has('code'));
      for (const answer of ['yes', 'no']) assertRefused(await browser.submit(asked, { answer }), 400, over);
    });

    test('a password that is changed while it is checked is no way to the question', async () => {
      for (let round = 0; round < 8; round++) {
        const alice = await oauth.server.registerUser();
        const browser = oauth.newBrowser();
        const login = await browser.open(oauth.newRequest(clientId).url);
        const auth = { type: 'm.login.password', password: 'a password' };
        const [asked, { status }] = await Promise.all([
          browser.submit(login, { user: alice.userId, password: 'a password' }),
          alice.post('/_matrix/client/v3/account/password', { new_password: 'another one', auth }),
        ]);
        assert.equal(status, 200);
        const shown = await browser.submit(asked, { answer: 'yes' });
        assert.throws(() => oauth.parametersOf(shown), /Nobody is led/);
      }
    });

    test('a page that answers for somebody can name no question: what it is called is not to be guessed', async () => {
      const alice = await oauth.server.registerUser();
      const browser = oauth.newBrowser();
      const asked = await atConsent(browser, oauth.newRequest(clientId).url, alice.userId);
      const name = new URL(asked.url).searchParams.get('request') ?? '';
      assert.match(name, /^[\w-]{43}$/);
      for (const request of ['', 'made up', `${name}x`]) {
        const page = { ...asked, url: `${oauth.base}${oauthPath}/consent?request=${request}` };
        assertRefused(await browser.submit(page, { answer: 'yes' }), 400, over);
      }
      const cookies = browser.cookies.get(oauth.base);
      assert.equal(cookies?.size, 1);
      const set = await fetch(oauth.newRequest(clientId).url, { redirect: 'manual' });
      assert.match(set.headers.get('set-cookie') ?? '', /; HttpOnly; SameSite=Lax$/);
    });

    test('a step is not skipped: nobody is asked for consent who has not logged in', async () => {
      const browser = oauth.newBrowser();
      const login = await browser.open(oauth.newRequest(clientId).url);
      const consent = { ...login, url: login.url.replace('/login?', '/consent?') };
      assertRefused(await browser.submit(consent, { answer: 'yes' }), 400, over);
      assertRefused(await browser.open(consent.url), 400, over);
      const back = login.url.replace('/login?', '/back?');
      assertRefused(await browser.open(`${back}&loginToken=made-up`), 403, /login token is not valid/);
    });

    test('two logins at once in a browser do not get into each other’s way, nor mix up whose they are', async () => {
      const alice = await oauth.server.registerUser();
      const bob = await oauth.server.registerUser();
      const browser = oauth.newBrowser();
      const [one, two] = [oauth.newRequest(clientId), oauth.newRequest(otherClient)];
      const logins = [await browser.open(one.url), await browser.open(two.url)] as const;
      const asked = [
        await browser.submit(logins[0], { user: alice.userId, password: 'a password' }),
        await browser.submit(logins[1], { user: bob.userId, password: 'a password' }),
      ] as const;
      assert.match(asked[0].html, new RegExp(`>An App<.*${alice.userId}`, 's'));
      assert.match(asked[1].html, new RegExp(`>Another App<.*${bob.userId}`, 's'));
      const second = oauth.parametersOf(await browser.submit(asked[1], { answer: 'yes' }));
      const first = oauth.parametersOf(await browser.submit(asked[0], { answer: 'yes' }));
      assert.deepEqual([first.get('state'), second.get('state')], [one.state, two.state]);
      assert.equal(await errorOf(one, second.get('code') ?? ''), '400 invalid_grant');
      const { body } = await oauth.redeem(two, second.get('code') ?? '');
      const app = oauth.server.as({ ...bob, accessToken: tokenOf(body) });
      assert.equal((await app.get(whoami)).body['user_id'], bob.userId);
    });

    test('a refresh token that was used before ends the session, and is none of another client’s', async () => {
      const alice = await oauth.server.registerUser();
      const { client, refreshToken } = await oauth.logIn(alice.userId, clientId);
      assert.equal((await refresh(refreshToken, otherClient)).body['error'], 'invalid_grant');
      const { body } = await refresh(refreshToken, clientId);
      const newer = oauth.server.as({ ...client, accessToken: tokenOf(body) });
      assert.equal((await newer.get(whoami)).status, 200, 'another client’s try has ended nothing');
      assert.equal((await refresh(refreshToken, clientId)).body['error'], 'invalid_grant');
      assert.equal(refusalOf(await newer.get(whoami)), '401 M_UNKNOWN_TOKEN');
      assert.equal((await refresh(String(body['refresh_token']), clientId)).body['error'], 'invalid_grant');
    });

    test('a refresh token that another one has followed ends nothing by being revoked, and the newer one all', async () => {
      const alice = await oauth.server.registerUser();
      const { client, refreshToken } = await oauth.logIn(alice.userId, clientId);
      const { body } = await refresh(refreshToken, clientId);
      const newer = oauth.server.as({ ...client, accessToken: tokenOf(body) });
      assert.equal((await newer.get(whoami)).status, 200);
      const revoke = (token: string) => oauth.post(`${oauthPath}/revoke`, { token, token_type_hint: 'refresh_token' });
      assert.equal((await revoke(refreshToken)).status, 200);
      assert.equal((await newer.get(whoami)).status, 200);
      assert.equal((await revoke(String(body['refresh_token']))).status, 200);
      assert.equal(refusalOf(await newer.get(whoami)), '401 M_UNKNOWN_TOKEN');
    });

    test('tokens of logins without OAuth 2.0 are refreshed by no client', async () => {
      const alice = await oauth.server.registerUser();
      const { body } = await oauth.server.anonymous.post(`${v3}/login`, {
        type: 'm.login.password',
        identifier: { type: 'm.id.user', user: alice.userId },
        password: 'a password',
        refresh_token: true,
      });
      assert.equal((await refresh(String(body['refresh_token']), clientId)).body['error'], 'invalid_grant');
      assert.equal((await oauth.server.anonymous.post(`${v3}/refresh`, body)).status, 200);
    });

    test('whose account is locked or at its end gets in nowhere, at no step', async () => {
      const admin = await registerAdmin(oauth.server, `admin-${Date.now()}`);
      const change = async (user: TestClient, changes: object): Promise<void> => {
        const path = `/_synapse/admin/v2/users/${encodeURIComponent(user.userId)}`;
        assert.equal((await admin.put(path, changes)).status, 200);
      };
      for (const [changes, words] of [
        [{ locked: true }, /has been locked/],
        [{ deactivated: true }, /has been deactivated|is over/],
      ] as const) {
        const coded = await getCode();
        const browser = oauth.newBrowser();
        const asked = await atConsent(browser, oauth.newRequest(clientId).url, coded.alice.userId);
        await change(coded.alice, changes);
        assert.equal(await errorOf(coded.request, coded.code), '400 invalid_grant');
        assert.match((await browser.submit(asked, { answer: 'yes' })).html, words);
        const login = await atConsent(oauth.newBrowser(), oauth.newRequest(clientId).url, coded.alice.userId);
        assert.match(login.html, /has been locked|has been deactivated/);
      }
    });

    test('a changed password leaves no code behind, nor a question that is still to be answered', async () => {
      const { alice, request, code } = await getCode();
      const browser = oauth.newBrowser();
      const asked = await atConsent(browser, oauth.newRequest(clientId).url, alice.userId);
      const auth = {
        type: 'm.login.password',
        identifier: { type: 'm.id.user', user: alice.userId },
        password: 'a password',
      };
      assert.equal((await alice.post(`${v3}/account/password`, { new_password: 'another one', auth })).status, 200);
      assert.equal(await errorOf(request, code), '400 invalid_grant');
      assertRefused(await browser.submit(asked, { answer: 'yes' }), 400, over);
    });

    test('a device that is to be called like a key of theirs gets in nowhere, and is told why', async () => {
      const alice = await oauth.server.registerUser();
      const key = createHash('sha256').update(alice.userId).digest('hex').slice(0, 43);
      const master = { user_id: alice.userId, usage: ['master'], keys: { [`ed25519:${key}`]: key } };
      const { status: uploaded } = await alice.post(`${v3}/keys/device_signing/upload`, { master_key: master });
      assert.equal(uploaded, 200);
      const request = oauth.newRequest(clientId, { scope: scopeOf(key) });
      const shown = await oauth.letIn(oauth.newBrowser(), request.url, alice.userId);
      assert.equal(await errorOf(request, oauth.parametersOf(shown).get('code') ?? ''), '400 invalid_scope');
    });

    test('pages are over after ten minutes', async () => {
      const alice = await oauth.server.registerUser();
      const browser = oauth.newBrowser();
      const asked = await atConsent(browser, oauth.newRequest(clientId).url, alice.userId);
      clock += 10 * 60_000;
      assertRefused(await browser.open(asked.url), 400, over);
      assertRefused(await browser.submit(asked, { answer: 'yes' }), 400, over);
    });

    test('what the database has of it lets nobody in', async () => {
      const { request, code } = await getCode();
      const alice = await oauth.server.registerUser();
      const { refreshToken } = await oauth.logIn(alice.userId, clientId);
      const browser = oauth.newBrowser();
      const asked = await atConsent(browser, oauth.newRequest(clientId).url, alice.userId);
      const cookie = [...(browser.cookies.get(oauth.base)?.values() ?? [])][0] ?? '';
      const name = new URL(asked.url).searchParams.get('request') ?? '';
      const raw = await openRawDatabase(oauth.server.databaseUrl);
      const stored: string[] = [];
      for (const table of ['oauth_requests', 'oauth_codes', 'oauth_sessions', 'refresh_tokens', 'access_tokens']) {
        stored.push(JSON.stringify(await raw.run(`select * from ${table}`)));
      }
      await raw.close();
      for (const secret of [code, refreshToken, cookie, name, request.verifier, 'a password']) {
        assert.ok(!stored.join('').includes(secret), secret);
      }
    });
  });
}

test('there is a limit to registering, to asking for tokens and to guessing passwords', async (context) => {
  const oauth = await startOAuthServer({ settings: { RATE_LIMITS_ENABLED: 'true' } });
  context.after(() => oauth.close());
  const clientId = await oauth.registerClient();
  const statuses = new Set<number>();
  for (let tries = 0; tries < 25; tries += 1) {
    statuses.add((await oauth.server.anonymous.post(`${oauthPath}/clients`, {})).status);
  }
  assert.deepEqual([...statuses], [400, 429]);
  statuses.clear();
  for (let tries = 0; tries < 70; tries += 1) {
    statuses.add((await oauth.post(`${oauthPath}/token`, { grant_type: 'refresh_token', client_id: clientId })).status);
  }
  assert.deepEqual([...statuses], [400, 429]);
  const alice = await oauth.server.registerUser();
  const browser = oauth.newBrowser();
  const login = await browser.open(oauth.newRequest(clientId).url);
  for (let tries = 0; tries < 5; tries += 1) {
    assert.match((await browser.submit(login, { user: alice.userId, password: 'wrong' })).html, /Wrong user name/);
  }
  const right = await browser.submit(login, { user: alice.userId, password: 'a password' });
  assert.equal(right.status, 429);
  assert.match(right.html, /<p>/);
});

test('a server that is reached by HTTPS has a cookie that no other host can set', async (context) => {
  const server = await startTestServer({
    settings: { OAUTH_ENABLED: 'true', PUBLIC_BASE_URL: 'https://matrix.example.org/' },
  });
  context.after(() => server.close());
  const { body } = await server.anonymous.get('/_matrix/client/v1/auth_metadata');
  assert.equal(body['issuer'], 'https://matrix.example.org/');
  assert.equal('account_management_uri' in body, false, 'it has no account page');
  const oauth = await startOAuthServer({ of: { server, base: server.baseUrl } });
  const { headers } = await fetch(oauth.newRequest(await oauth.registerClient()).url, { redirect: 'manual' });
  assert.match(
    headers.get('set-cookie') ?? '',
    /^__Host-portico-sso=[\w-]{43}; Path=\/; Max-Age=1200; HttpOnly; SameSite=Lax; Secure$/,
  );
});
