import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { createRegistrationTokens } from '@portico/server/services/accounts/registration-tokens.ts';
import { openDatabase } from '@portico/storage';
import type { CookieBrowser, Shown } from '@portico/testkit/cookie-browser.ts';
import { linkIn, openPage } from '@portico/testkit/mail-links.ts';
import { newAddress, startServerWithMail } from '@portico/testkit/mail-person.ts';
import { type OAuthServer, startOAuthServer } from '@portico/testkit/oauth-server.ts';
import { createTestDatabase } from '@portico/testkit/postgres.ts';
import { newSubject, type SsoServer, startSsoServer } from '@portico/testkit/sso-server.ts';
import type { TestServer } from '@portico/testkit/server.ts';
import { refusalOf } from '@portico/testkit/test-client.ts';

const whoami = '/_matrix/client/v3/account/whoami';
const on = { OAUTH_ENABLED: 'true' };
const newName = (): string => `new-${randomBytes(4).toString('hex')}`;
const asked = /Let an app in\?/;

/** Says yes; answers whose account the client is in then. */
async function ownerAfter(
  oauth: OAuthServer,
  browser: CookieBrowser,
  page: Shown,
  request: Parameters<OAuthServer['redeem']>[0],
) {
  assert.match(page.html, asked);
  const code = oauth.parametersOf(await browser.submit(page, { answer: 'yes' })).get('code') ?? '';
  const { body } = await oauth.redeem(request, code);
  const app = oauth.server.as({ userId: '', deviceId: '', accessToken: String(body['access_token']) });
  return (await app.get(whoami)).body['user_id'];
}

for (const engine of ['sqlite', 'postgres'] as const) {
  describe(`clients let in by who comes from another service (${engine})`, () => {
    let sso: SsoServer;
    let oauth: OAuthServer;
    before(async () => {
      sso = await startSsoServer({
        engine,
        providers: [{ id: 'test' }, { id: 'closed', new_accounts: 'nobody' }],
        settings: { ...on, REGISTRATION_MODE: 'closed' },
      });
      oauth = await startOAuthServer({ of: sso });
    });
    after(async () => {
      await sso.close();
      assert.deepEqual(sso.server.errors, []);
    });
    const wayTo = (page: Shown, words: RegExp): string => {
      for (const [, href = '', text = ''] of page.html.matchAll(/<a href="([^"]*)"[^>]*>([^<]*)</g)) {
        if (words.test(text)) return new URL(href.replaceAll('&#38;', '&'), page.url).href;
      }
      throw new Error(`There is no such link: ${page.html}`);
    };

    test('the provider is offered on the page, and its people get in, with their new account', async () => {
      const sub = newSubject();
      sso.idp.person = { sub, preferred_username: sub };
      for (const prompt of [undefined, 'create']) {
        const request = oauth.newRequest(await oauth.registerClient(), { prompt });
        const browser = sso.newBrowser();
        const page = await browser.open(request.url);
        assert.equal(/name="username"/.test(page.html), false, 'nobody registers without a provider here');
        const back = await browser.open(wayTo(page, /Go on at Provider &#60;test&#62;/));
        assert.equal(await ownerAfter(oauth, browser, back, request), `@${sub}:localhost`);
        const [token] = back.way.flatMap((url) => new URL(url).searchParams.getAll('loginToken'));
        const again = await oauth.server.anonymous.post('/_matrix/client/v3/login', { type: 'm.login.token', token });
        assert.equal(refusalOf(again), '403 M_FORBIDDEN', 'what it came back with is used up');
      }
    });

    test('who is not let in there does not get in here, nor in another browser than the one that began', async () => {
      const request = oauth.newRequest(await oauth.registerClient());
      sso.idp.person = { sub: newSubject() };
      const browser = sso.newBrowser();
      const page = await browser.open(request.url);
      assert.match((await browser.open(wayTo(page, /closed/))).html, /no account here/);
      const stranger = sso.newBrowser();
      assert.match((await stranger.open(wayTo(page, /test/))).html, /begun in another browser/);
      const name = newSubject();
      sso.idp.person = { sub: name, preferred_username: name };
      // Somebody is made to log in, with the page of somebody else's login as the place to be led back to.
      const back = `${oauth.base}/_portico/client/v1/oauth/back?request=${new URL(page.url).searchParams.get('request') ?? ''}`;
      const led = await stranger.open(sso.redirectOf(back, 'test'));
      assert.match(led.html, /begun in another browser/);
      assert.doesNotMatch(led.html, asked);
    });

    test('what is below the page that is led back to is no trusted client', async () => {
      sso.idp.person = { sub: newSubject(), preferred_username: newSubject() };
      const page = await sso
        .newBrowser()
        .open(sso.redirectOf(`${oauth.base}/_portico/client/v1/oauth/authorize`, 'test'));
      assert.match(page.html, /Log in\?/);
    });
  });
}

async function newToken(server: TestServer): Promise<string> {
  const db = await openDatabase({ url: server.databaseUrl });
  const token = await createRegistrationTokens({ db, now: Date.now, randomBytes }).add({ usesAllowed: 1 });
  await db.close();
  return token;
}

test('where nobody registers, none of it is offered', async (context) => {
  const oauth = await startOAuthServer({ settings: { REGISTRATION_MODE: 'closed' } });
  context.after(() => oauth.close());
  const { body } = await oauth.server.anonymous.get('/_matrix/client/v1/auth_metadata');
  assert.equal('prompt_values_supported' in body, false);
  const browser = oauth.newBrowser();
  const login = await browser.open(oauth.newRequest(await oauth.registerClient(), { prompt: 'create' }).url);
  assert.match(login.html, /name="user"/);
  assert.doesNotMatch(login.html, /no account yet/);
  const register = { ...login, url: login.url.replace('/login?', '/register?') };
  const secret = { password: 'a password', again: 'a password' };
  assert.match((await browser.submit(register, { username: newName(), ...secret })).html, /Registration is closed/);
});

test('where a registration token is needed, the page asks for one, and goes on from there', async (context) => {
  const databaseUrl = await createTestDatabase();
  const oauth = await startOAuthServer({ settings: { REGISTRATION_MODE: 'token', DATABASE: databaseUrl } });
  context.after(() => oauth.close());
  const request = oauth.newRequest(await oauth.registerClient(), { prompt: 'create' });
  const browser = oauth.newBrowser();
  const name = newName();
  const fields = { username: name, password: 'a password', again: 'a password' };
  const stage = await browser.submit(await browser.open(request.url), fields);
  assert.match(stage.html, /name="token"/);
  const wrong = await browser.submit(stage, { token: '<b>wrong' });
  assert.match(wrong.html, /registration token is not valid/);
  const page = await browser.submit(stage, { token: await newToken(oauth.server) });
  assert.equal(await ownerAfter(oauth, browser, page, request), `@${name}:localhost`);
  assert.match((await browser.submit(stage, { token: await newToken(oauth.server) })).html, /is over/);
});

test('where an email address is needed, the page waits until it is proved', async (context) => {
  const withMail = await startServerWithMail({ settings: { ...on, REGISTRATION_REQUIRE_EMAIL: 'true' } });
  context.after(() => withMail.close());
  const { server, smtp } = withMail;
  const oauth = await startOAuthServer({ of: { server, base: server.baseUrl } });
  const request = oauth.newRequest(await oauth.registerClient(), { prompt: 'create' });
  const browser = oauth.newBrowser();
  const name = newName();
  const fields = { username: name, password: 'a password', again: 'a password' };
  const stage = await browser.submit(await browser.open(request.url), fields);
  assert.match(stage.html, /type="email"/);
  const email = newAddress();
  const waiting = await browser.submit(stage, { email });
  const valueOf = (field: string) => new RegExp(`name="${field}" value="([^"]*)"`).exec(waiting.html)?.[1] ?? '';
  const hidden = { sid: valueOf('sid'), client_secret: valueOf('client_secret') };
  assert.match((await browser.submit(stage, hidden)).html, /has not been proved/);
  await openPage(server, linkIn(await smtp.next(email)));
  const page = await browser.submit(stage, hidden);
  assert.equal(await ownerAfter(oauth, browser, page, request), `@${name}:localhost`);
  const browserOfEmail = oauth.newBrowser();
  const login = await browserOfEmail.open(oauth.newRequest(request.clientId).url);
  assert.match((await browserOfEmail.submit(login, { user: email, password: 'a password' })).html, asked);
  assert.deepEqual(server.errors, []);
});
