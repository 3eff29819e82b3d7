import assert from 'node:assert/strict';
import { createHmac, generateKeyPairSync, randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { after, before, describe, test, type TestContext } from 'node:test';
import type { CookieBrowser } from '@portico/testkit/cookie-browser.ts';
import { signToken } from '@portico/testkit/identity-provider.ts';
import { type OAuthServer, startOAuthServer } from '@portico/testkit/oauth-server.ts';
import { openRawDatabase } from '@portico/testkit/raw-database.ts';
import { registerAdmin } from '@portico/testkit/register-admin.ts';
import { startTestServer } from '@portico/testkit/server.ts';
import { newSubject, type SsoServer, startSsoServer } from '@portico/testkit/sso-server.ts';
import { refusalOf, type TestClient } from '@portico/testkit/test-client.ts';
import { until } from '@portico/testkit/until.ts';

const v3 = '/_matrix/client/v3';
const whoami = `${v3}/account/whoami`;
const path = '/_portico/client/v1/sso/logout';
/** What keeps the device `Z` from being deleted. */
const hindering = {
  sqlite: [
    `create trigger hindrance before delete on devices when old.device_id = 'Z' begin select raise(abort, 'no'); end`,
  ],
  postgres: [
    `create function hinder() returns trigger language plpgsql as
     $$ begin if old.device_id = 'Z' then raise exception 'no'; end if; return old; end $$`,
    'create trigger hindrance before delete on devices for each row execute function hinder()',
  ],
};
const events = { 'http://schemas.openid.net/event/backchannel-logout': {} };

for (const engine of ['sqlite', 'postgres'] as const) {
  describe(`a provider that logs people out (${engine})`, () => {
    let sso: SsoServer;
    let oauth: OAuthServer;
    let admin: TestClient;
    let clock = 0;
    const now = (): number => Date.now() + clock;
    before(async () => {
      sso = await startSsoServer({
        engine,
        now,
        providers: [{ id: 'test', backchannel_logout_enabled: true }, { id: 'off' }],
        settings: { OAUTH_ENABLED: 'true' },
      });
      oauth = await startOAuthServer({ of: sso });
      admin = await registerAdmin(sso.server, `admin-${newSubject()}`);
    });
    after(async () => {
      await sso.close();
      assert.deepEqual(sso.server.errors, []);
    });

    const isIn = async (client: TestClient): Promise<boolean> => {
      const answer = await client.get(whoami);
      if (answer.status === 200) return true;
      assert.equal(refusalOf(answer), '401 M_UNKNOWN_TOKEN');
      assert.notEqual(answer.body['soft_logout'], true);
      return false;
    };
    const comesAs = (sub = newSubject()): string => {
      sso.idp.person = { sub, preferred_username: sub };
      return sub;
    };
    const put = async (userId: string, changes: object): Promise<void> => {
      const { status, body } = await admin.put(`/_synapse/admin/v2/users/${encodeURIComponent(userId)}`, changes);
      assert.equal(status, 200, JSON.stringify(body));
    };
    const logIn = (browser?: CookieBrowser) => sso.logIn(browser);
    async function logInAt(id: string): Promise<TestClient> {
      return sso.logInByToken(sso.tokenIn(await sso.newBrowser().open(sso.redirectOf(undefined, id))));
    }
    const claimsOf = (changes: object) => {
      const iat = Math.floor(now() / 1000);
      const jti = randomBytes(9).toString('base64url');
      return { iss: sso.idp.issuer, aud: sso.idp.clientId, iat, exp: iat + 120, jti, events, ...changes };
    };
    const send = (token: string, id = 'test') => oauth.post(`${path}/${id}`, { logout_token: token });
    const logOut = async (changes: object): Promise<void> => {
      const { status, headers, body } = await send(sso.idp.signToken(claimsOf(changes)));
      assert.equal(status, 200, JSON.stringify(body));
      assert.equal(headers.get('cache-control'), 'no-store');
    };
    /** The whole way of somebody who gets in to an app by way of the provider, up to its code. */
    async function letIn(browser = sso.newBrowser()) {
      const request = oauth.newRequest(await oauth.registerClient());
      const login = await browser.open(request.url);
      const way = /href="(provider&#47;test[^"]*|provider\/test[^"]*)"/.exec(login.html)?.[1] ?? '';
      const asked = await browser.open(new URL(way.replaceAll('&#47;', '/').replaceAll('&#38;', '&'), login.url).href);
      return { request, asked, answer: () => browser.submit(asked, { answer: 'yes' }) };
    }
    const codeOf = (shown: Awaited<ReturnType<CookieBrowser['open']>>): string =>
      oauth.parametersOf(shown).get('code') ?? '';

    test('ends what was begun with the session that somebody has ended there, and nothing else', async () => {
      comesAs();
      const [browser, elsewhere] = [sso.newBrowser(), sso.newBrowser()];
      const [laptop, tablet, phone] = [await logIn(browser), await logIn(browser), await logIn(elsewhere)];
      assert.equal(laptop.userId, phone.userId);
      await sso.idp.logOut(browser);
      assert.deepEqual(sso.idp.logoutErrors, []);
      assert.deepEqual(await Promise.all([laptop, tablet, phone].map(isIn)), [false, false, true]);
      await until(async () => {
        const { devices } = (await phone.get(`${v3}/devices`)).body as { devices: { device_id: string }[] };
        return devices.every(({ device_id: id }) => id === phone.deviceId);
      }, 'the devices are gone');
      assert.ok(await isIn(await logIn(browser)), 'who logs in there anew gets in');
    });

    test('ends all that somebody has by way of it where it names no session, and nothing that came otherwise', async () => {
      const other = comesAs();
      const stranger = await logIn();
      const sub = comesAs();
      const { userId } = await logIn();
      const ids = ['test', 'off'].map((id) => ({ auth_provider: id, external_id: sub }));
      await put(userId, { external_ids: ids });
      const [laptop, phone] = [await logIn(), await logIn()];
      const byOther = await logInAt('off');
      assert.equal(byOther.userId, userId);
      await logOut({ sub });
      assert.deepEqual(await Promise.all([laptop, phone, byOther, stranger].map(isIn)), [false, false, true, true]);
      comesAs(sub);
      const again = await logIn();
      assert.ok(await isIn(again));
      await logOut({ sub: other });
      assert.deepEqual(await Promise.all([again, stranger].map(isIn)), [true, false]);
    });

    test('ends apps that were let in by way of it, with all their tokens', async () => {
      const sub = comesAs();
      const { request, answer } = await letIn();
      const { body } = await oauth.redeem(request, codeOf(await answer()));
      const app = sso.server.as({
        userId: `@${sub}:localhost`,
        accessToken: String(body['access_token']),
        deviceId: '',
      });
      assert.ok(await isIn(app));
      await logOut({ sub });
      assert.ok(!(await isIn(app)));
      const refresh = { grant_type: 'refresh_token', refresh_token: String(body['refresh_token']) };
      const refused = await oauth.post('/_portico/client/v1/oauth/token', { ...refresh, client_id: request.clientId });
      assert.equal(refused.body['error'], 'invalid_grant');
    });

    test('lets nobody in who was half-way in, at any step', async () => {
      const sub = comesAs();
      const token = sso.tokenIn(await sso.newBrowser().open(sso.redirectOf(undefined, 'test')));
      const [coded, asked] = [await letIn(), await letIn()];
      const code = codeOf(await coded.answer());
      const named = sso.newBrowser();
      const handOver = await named.open(sso.redirectOf('https://elsewhere.test/', 'test'));
      await logOut({ sub });
      const login = { type: 'm.login.token', token };
      assert.equal(refusalOf(await sso.server.anonymous.post(`${v3}/login`, login)), '403 M_FORBIDDEN');
      assert.equal((await oauth.redeem(coded.request, code)).body['error'], 'invalid_grant');
      const late = codeOf(await asked.answer());
      assert.equal((await oauth.redeem(asked.request, late)).body['error'], 'invalid_grant');
      const lateToken = sso.tokenIn(await named.submit(handOver));
      await assert.rejects(sso.logInByToken(lateToken), /M_FORBIDDEN/);
    });

    test('lets no device in that waits for who was half-way in', async () => {
      const sub = comesAs();
      const clientId = await oauth.registerClient();
      const scope = `urn:matrix:client:api:* urn:matrix:client:device:TV${engine}`;
      const { body } = await oauth.post('/_portico/client/v1/oauth/device', { client_id: clientId, scope });
      const browser = sso.newBrowser();
      const page = await browser.open(`${sso.base}/_portico/link`);
      const login = await browser.submit(page, { user_code: String(body['user_code']) });
      const way = /href="(provider[^"]*test[^"]*)"/.exec(login.html)?.[1] ?? '';
      const asked = await browser.open(new URL(way.replaceAll('&#47;', '/').replaceAll('&#38;', '&'), login.url).href);
      assert.match((await browser.submit(asked, { answer: 'yes' })).html, /is let in/);
      await logOut({ sub });
      const redeemed = await oauth.post('/_portico/client/v1/oauth/token', {
        grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
        client_id: clientId,
        device_code: String(body['device_code']),
      });
      assert.equal(redeemed.body['error'], 'invalid_grant');
    });

    test('lets nobody in who was logged out while this server asked who they are', async () => {
      const sub = comesAs();
      await logIn();
      let isToldMeanwhile = false;
      async function answer(response: ServerResponse): Promise<void> {
        await logOut({ sub });
        isToldMeanwhile = true;
        response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(sso.idp.person));
      }
      sso.idp.intercept = (request, response) => {
        if (request.url !== '/me') return false;
        void answer(response);
        return true;
      };
      try {
        const token = sso.tokenIn(await sso.newBrowser().open(sso.redirectOf(undefined, 'test')));
        assert.ok(isToldMeanwhile);
        await assert.rejects(sso.logInByToken(token), /M_FORBIDDEN/);
      } finally {
        sso.idp.intercept = undefined;
      }
      assert.ok(await isIn(await logIn()), 'who comes anew gets in');
    });

    test('who logs in on the same device without it has a session of their own', async () => {
      const sub = comesAs();
      await put((await logIn()).userId, { password: 'a password' });
      const client = await logIn();
      const { status, body } = await sso.server.anonymous.post(`${v3}/login`, {
        type: 'm.login.password',
        identifier: { type: 'm.id.user', user: client.userId },
        password: 'a password',
        device_id: client.deviceId,
      });
      assert.equal(status, 200, JSON.stringify(body));
      await logOut({ sub });
      assert.ok(await isIn(sso.server.as({ ...client, accessToken: String(body['access_token']) })));
    });

    test('a session is ended for its own person alone', async () => {
      const sub = comesAs();
      const client = await logIn();
      const raw = await openRawDatabase(sso.server.databaseUrl);
      const [row] = await raw.run(`select sid, begun_at from provider_sessions where subject = '${sub}'`);
      await raw.close();
      const sid = String(row?.['sid']);
      await logOut({ sid, sub: newSubject() });
      await logOut({ sid: `${sid}x`, sub });
      assert.ok(await isIn(client));
      await logOut({ sid });
      assert.ok(!(await isIn(client)));
    });

    test('a token is about what began before it came, however often it comes', async () => {
      const sub = comesAs();
      const claims = claimsOf({ sub });
      assert.equal((await send(sso.idp.signToken(claims))).status, 200);
      const client = await logIn();
      assert.equal((await send(sso.idp.signToken(claims))).status, 200);
      assert.ok(await isIn(client));
      const { status, body } = await send(sso.idp.signToken({ ...claims, sub: comesAs() }));
      assert.deepEqual([status, body['error']], [400, 'invalid_request'], 'nor about somebody else');
      const same = claimsOf({ sub });
      const both = await Promise.all([send(sso.idp.signToken(same)), send(sso.idp.signToken(same))]);
      assert.deepEqual(
        both.map((answer) => answer.status),
        [200, 200],
      );
      assert.ok(!(await isIn(client)));
    });

    test('ends with a session that has a name what is the person’s and has none', async () => {
      const sub = comesAs();
      const [unnamed, named] = [await logIn(), await logIn()];
      const raw = await openRawDatabase(sso.server.databaseUrl);
      await raw.run('update provider_sessions set sid = null where device_id = $1', [unnamed.deviceId]);
      await raw.close();
      await logOut({ sid: 'another' });
      assert.deepEqual(await Promise.all([unnamed, named].map(isIn)), [true, true], 'it is said of nobody');
      await logOut({ sid: 'another', sub });
      assert.deepEqual(await Promise.all([unnamed, named].map(isIn)), [false, true]);
    });

    test('ends devices that were let in by one that it ends', async () => {
      const sub = comesAs();
      const first = await logIn();
      await put(first.userId, { password: 'a password' });
      const [laptop, tablet] = [await logIn(), await logIn()];
      const auth = { type: 'm.login.password', password: 'a password' };
      const identifier = { type: 'm.id.user', user: laptop.userId };
      const typed = await sso.server.anonymous.post(`${v3}/login`, { ...auth, identifier });
      const desk = sso.server.as({
        userId: laptop.userId,
        accessToken: String(typed.body['access_token']),
        deviceId: String(typed.body['device_id']),
      });
      const issue = async (by: TestClient): Promise<string> =>
        String((await by.post('/_matrix/client/v1/login/get_token', { auth })).body['login_token']);
      const phone = await sso.logInByToken(await issue(laptop));
      const watch = await sso.logInByToken(await issue(phone));
      const beside = await sso.logInByToken(await issue(desk));
      const late = await issue(tablet);
      await logOut({ sub });
      const all = [laptop, tablet, phone, watch, desk, beside];
      assert.deepEqual(await Promise.all(all.map(isIn)), [false, false, false, false, true, true]);
      await assert.rejects(sso.logInByToken(late), /M_FORBIDDEN/);
    });

    test('what is no logout token of the provider’s ends nothing', async () => {
      const sub = comesAs();
      const client = await logIn();
      const seconds = Math.floor(now() / 1000);
      const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
      const header = { alg: 'RS256', kid: 'the key of the tests', typ: 'logout+jwt' };
      const encode = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url');
      const unsigned = (alg: string): string => `${encode({ ...header, alg })}.${encode(claimsOf({ sub }))}`;
      const hashed = unsigned('HS256');
      const byHash = createHmac('sha256', sso.idp.clientSecret).update(hashed).digest('base64url');
      const good = sso.idp.signToken(claimsOf({ sub }));
      const [head = '', , signature = ''] = good.split('.');
      const wrong = (changes: object): string => sso.idp.signToken(claimsOf({ sub, ...changes }));
      for (const [name, token] of Object.entries({
        'another key': signToken(stranger, claimsOf({ sub }), header),
        'a key that nobody has': sso.idp.signToken(claimsOf({ sub }), { ...header, kid: 'another' }),
        'no signature': `${unsigned('none')}.`,
        'the secret instead of a key': `${hashed}.${byHash}`,
        'another payload': `${head}.${encode(claimsOf({ sub }))}.${signature}`,
        'another type': sso.idp.signToken(claimsOf({ sub }), { ...header, typ: 'at+jwt' }),
        'something critical': sso.idp.signToken(claimsOf({ sub }), { ...header, crit: ['x'], x: 1 }),
        'another issuer': wrong({ iss: `${sso.idp.issuer}/` }),
        'no issuer': wrong({ iss: undefined }),
        'another audience': wrong({ aud: 'another' }),
        'no audience': wrong({ aud: undefined }),
        'others as well': wrong({ aud: [sso.idp.clientId, 'another'] }),
        'others as well, of another': wrong({ aud: [sso.idp.clientId, 'another'], azp: 'another' }),
        'a time that is over': wrong({ iat: seconds - 300, exp: seconds - 60 }),
        'no end': wrong({ exp: undefined }),
        'a long time ago': wrong({ iat: seconds - 700, exp: seconds + 60 }),
        'a time to come': wrong({ iat: seconds + 300 }),
        'no time': wrong({ iat: undefined }),
        'a time that is text': wrong({ iat: String(seconds) }),
        'no name': wrong({ jti: undefined }),
        'an empty name': wrong({ jti: '' }),
        'a name that is a number': wrong({ jti: 1 }),
        'no events': wrong({ events: undefined }),
        'another event': wrong({ events: { 'http://schemas.openid.net/event/other': {} } }),
        'events that are a list': wrong({ events: Object.keys(events) }),
        'an event that is text': wrong({ events: { [Object.keys(events)[0] ?? '']: 'yes' } }),
        'a nonce': wrong({ nonce: 'a nonce' }),
        'an empty nonce': wrong({ nonce: null }),
        nobody: wrong({ sub: undefined }),
        'a person that is a number': wrong({ sub: 1 }),
        'a session that is a number': wrong({ sid: 1 }),
        'an endless session': wrong({ sid: 'x'.repeat(2000) }),
        nothing: 'x',
        'five parts': 'a.b.c.d.e',
      })) {
        const { status, body } = await send(token);
        assert.deepEqual([status, body['error']], [400, 'invalid_request'], name);
      }
      assert.ok(await isIn(client));
      assert.equal((await send(good)).status, 200, 'all that was wrong with them');
      assert.ok(!(await isIn(client)));
    });

    test('what is no request is refused', async () => {
      assert.equal((await oauth.post(`${path}/test`, {})).status, 400);
      const twice = new URLSearchParams([
        ['logout_token', 'a'],
        ['logout_token', 'b'],
      ]);
      assert.equal((await oauth.post(`${path}/test`, twice)).status, 400);
      assert.equal((await sso.server.anonymous.get(`${path}/test`)).status, 405);
    });

    test('a provider that may not, or is none, is told so, and nothing is kept of its sessions', async () => {
      const sub = comesAs();
      const client = await logInAt('off');
      const token = sso.idp.signToken(claimsOf({ sub }));
      for (const id of ['off', 'none', '..%2ftest']) assert.equal((await send(token, id)).status, 404, id);
      assert.ok(await isIn(client));
      const raw = await openRawDatabase(sso.server.databaseUrl);
      assert.deepEqual(await raw.run(`select * from provider_sessions where provider = 'off'`), []);
      await raw.close();
    });

    test('what is kept of a session goes with the device', async () => {
      const sub = comesAs();
      const client = await logIn();
      const raw = await openRawDatabase(sso.server.databaseUrl);
      assert.equal((await raw.run(`select * from provider_sessions where subject = '${sub}'`)).length, 1);
      assert.equal((await client.post(`${v3}/logout`, {})).status, 200);
      assert.deepEqual(await raw.run(`select * from provider_sessions where subject = '${sub}'`), []);
      await raw.close();
    });

    describe('where it cannot get to the end of many devices', () => {
      /** Somebody with many devices, the last of which cannot be deleted until that is mended. */
      async function fail(context: TestContext) {
        const other = await startSsoServer({ engine, providers: [{ id: 'test', backchannel_logout_enabled: true }] });
        const sub = newSubject();
        other.idp.person = { sub, preferred_username: sub };
        const client = await other.logIn();
        const raw = await openRawDatabase(other.server.databaseUrl);
        context.after(async () => {
          await raw.close();
          await other.close();
        });
        await raw.run(`update access_tokens set device_id = 'Z' where user_id = $1`, [client.userId]);
        await raw.run(`update devices set device_id = 'Z' where user_id = $1`, [client.userId]);
        await raw.run(`update provider_sessions set device_id = 'Z' where user_id = $1`, [client.userId]);
        for (let count = 0; count < 40; count += 1) {
          const id = `D${String(count).padStart(2, '0')}`;
          await raw.run(
            `insert into devices (user_id, device_id, created_at)
             select user_id, '${id}', created_at from devices where user_id = $1 and device_id = 'Z'`,
            [client.userId],
          );
          await raw.run(
            `insert into provider_sessions
             select user_id, '${id}', provider, subject, sid, begun_at from provider_sessions
             where user_id = $1 and device_id = 'Z'`,
            [client.userId],
          );
        }
        for (const statement of hindering[engine]) await raw.run(statement);
        const iat = Math.floor(Date.now() / 1000);
        const claims = { iss: other.idp.issuer, aud: other.idp.clientId, iat, exp: iat + 120, jti: 'one', events, sub };
        const form = new URLSearchParams({ logout_token: other.idp.signToken(claims) });
        const left = async (): Promise<number> =>
          (await raw.run('select device_id from devices where user_id = $1', [client.userId])).length;
        const { status } = await fetch(`${other.base}${path}/test`, { method: 'POST', body: form });
        assert.equal(status, 200);
        assert.equal((await client.get(whoami)).status, 401, 'nobody is in on any of them');
        await until(async () => (await left()) === 16, 'some are gone');
        const mend = () => raw.run(`drop trigger hindrance${engine === 'postgres' ? ' on devices' : ''}`);
        return { other, mend, left };
      }

      test('it goes on with it by itself', async (context) => {
        const { mend, left } = await fail(context);
        await mend();
        await until(async () => (await left()) === 0, 'the devices are gone');
      });

      test('the next start goes on with it', async (context) => {
        const { other, mend, left } = await fail(context);
        await other.server.stop();
        await mend();
        const { dataDir, databaseUrl } = other.server;
        const again = await startTestServer({ settings: other.settings, dataDir, databaseUrl });
        context.after(() => again.close());
        await until(async () => (await left()) === 0, 'the devices are gone');
        assert.deepEqual(again.errors, []);
      });
    });

    test('where the keys cannot be had nothing ends, and the token is good once they can', async () => {
      const other = await startSsoServer({ engine, providers: [{ id: 'test', backchannel_logout_enabled: true }] });
      try {
        const sub = newSubject();
        other.idp.person = { sub, preferred_username: sub };
        const client = await other.logIn();
        const iat = Math.floor(Date.now() / 1000);
        const claims = { iss: other.idp.issuer, aud: other.idp.clientId, iat, exp: iat + 120, jti: 'one', events, sub };
        const form = new URLSearchParams({ logout_token: other.idp.signToken(claims) });
        const ask = () => fetch(`${other.base}${path}/test`, { method: 'POST', body: form });
        other.idp.intercept = (request, response) => {
          if (request.url?.includes('jwks') !== true) return false;
          response.writeHead(503).end();
          return true;
        };
        assert.equal((await ask()).status, 502);
        assert.equal((await client.get(whoami)).status, 200);
        other.idp.intercept = undefined;
        assert.equal((await ask()).status, 200);
        assert.equal((await client.get(whoami)).status, 401);
      } finally {
        await other.close();
      }
    });
  });
}
