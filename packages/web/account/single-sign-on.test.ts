import assert from 'node:assert/strict';
import { after, suite, test, type TestContext } from 'node:test';
import { newSubject, startSsoServer } from '@portico/testkit/sso-server.ts';
import type { TestClient } from '@portico/testkit/test-client.ts';
import { until } from '@portico/testkit/until.ts';
import { createMemory, type OpenPage, openPage } from '../testing/browser.ts';
import { isLoggedIn, openPageOf, password } from '../testing/logged-in.ts';

const provider = 'Provider <test>';
const part = 'Where else I log in';

suite('other services by way of which people log in, on the account page', async () => {
  const sso = await startSsoServer();
  after(async () => {
    await sso.close();
    assert.deepEqual(sso.server.errors, []);
  });
  const account = `${sso.base}/account`;

  /** The page of somebody who logs in there by way of the provider. */
  async function openByProvider(context: TestContext): Promise<{ page: OpenPage; userId: string; sub: string }> {
    const sub = newSubject();
    sso.idp.person = { sub, preferred_username: sub };
    const memory = createMemory();
    const first = openPage(account, undefined, { memory });
    const away = await first.link(`Log in with ${provider}`);
    first.close();
    const browser = sso.newBrowser((url) => url.startsWith(account));
    const { url } = await browser.open(away);
    assert.match(url, /\?login=[^&]+&loginToken=[\w-]{43}$/, 'nobody is asked about this server’s own page');
    const page = openPage(url, undefined, { memory });
    context.after(() => page.close());
    await page.reads(`Logged in as @${sub}:localhost`);
    assert.equal(page.document.URL, account, 'the token does not stay in the address');
    return { page, userId: `@${sub}:localhost`, sub };
  }

  /** Shows there who one is, and says yes. */
  async function confirmAt(address: string): Promise<void> {
    const browser = sso.newBrowser();
    const shown = await browser.submit(await browser.open(address));
    assert.match(shown.html, /You can close this page/);
  }

  const linksOf = async (client: TestClient) =>
    ((await client.get('/_portico/client/v1/sso/links')).body['links'] as unknown[]).length;

  test('are offered beside passwords, and lead back to where they were begun', async (context) => {
    const { page } = await openByProvider(context);
    await page.press('My data and devices');
    await page.reads(provider);
  });

  test('a token that somebody else has put into the address logs nobody in', async (context) => {
    const mallory = await sso.server.registerUser();
    const auth = {
      type: 'm.login.password',
      identifier: { type: 'm.id.user', user: mallory.userId },
      password,
    };
    const { body } = await mallory.post('/_matrix/client/v1/login/get_token', { auth });
    const token = String(body['login_token']);
    const memory = createMemory();
    for (const search of [`loginToken=${token}`, `login=guessed&loginToken=${token}`]) {
      const page = openPage(`${account}?${search}`, undefined, { memory });
      context.after(() => page.close());
      await page.reads('That login was not begun on this page');
      assert.equal(page.document.URL, account);
      await page.link(`Log in with ${provider}`);
    }
    const login = { type: 'm.login.token', token };
    assert.equal((await sso.server.anonymous.post('/_matrix/client/v3/login', login)).status, 200, 'it was not used');
  });

  test('show who somebody without a password is, in a window of its own', async (context) => {
    const { page, userId } = await openByProvider(context);
    const device = await sso.logIn();
    assert.equal(device.userId, userId);
    await page.press('My data and devices');
    await page.press(`Log out A device without a name (${device.deviceId})`);
    await page.reads('You will be asked to show who you are');
    await page.press('Log out A device without a name', 'My devices');
    const link = await page.link(`Go on at ${provider}`);
    await page.press('Log out A device without a name', 'My devices');
    await page.reads('You have not shown yet who you are.');
    assert.equal(await isLoggedIn(device), true);
    await confirmAt(await page.link(`Go on at ${provider}`));
    assert.equal(link, await page.link(`Go on at ${provider}`));
    await page.press('Log out A device without a name', 'My devices');
    await page.reads('is logged out.');
    assert.equal(await isLoggedIn(device), false);
  });

  test('are linked after the password was given, and taken away with it', async (context) => {
    const alice = await sso.server.registerUser();
    const browser = sso.newBrowser();
    const page = await openPageOf(sso.server, alice, undefined, {
      onAnswer: (headers) => browser.keep(sso.base, headers),
    });
    context.after(() => page.close());
    await page.press('My data and devices');
    await page.reads('Nowhere: you log in with your password.');
    await page.press(`Log in with ${provider} as well …`, part);
    await page.type('Your password', password, part);
    await page.press('Go on', part);
    const away = await page.link(`Show who you are at ${provider}`);
    const sub = newSubject();
    sso.idp.person = { sub };
    assert.match((await browser.submit(await browser.open(away))).html, /Your account is linked/);
    await page.press('I have done that', part);
    await page.reads(`${provider}, as ${sub}`);
    assert.equal((await sso.logIn()).userId, alice.userId);

    await page.press(`Take away ${provider} (${sub})`, part);
    await page.type('Your password', password, part);
    await page.press(`Take away ${provider}`, part);
    await page.reads(`${provider} does not log you in any more.`);
    await until(async () => (await linksOf(alice)) === 0, 'it is gone');
  });

  test('the last one is not taken away from who has no password', async (context) => {
    const { page, sub } = await openByProvider(context);
    await page.press('My data and devices');
    await page.press(`Take away ${provider} (${sub})`, part);
    await page.press(`Take away ${provider}`, part);
    await confirmAt(await page.link(`Go on at ${provider}`));
    await page.press(`Take away ${provider}`, part);
    await page.reads('Without this you could not log in any more.');
  });
});
