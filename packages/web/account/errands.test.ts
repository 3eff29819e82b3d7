import assert from 'node:assert/strict';
import { after, suite, test, type TestContext } from 'node:test';
import { startOAuthServer } from '@portico/testkit/oauth-server.ts';
import type { TestClient } from '@portico/testkit/test-client.ts';
import { until } from '@portico/testkit/until.ts';
import { type OpenPage, openPage } from '../testing/browser.ts';
import { addDevice, isLoggedIn, password } from '../testing/logged-in.ts';
import { readErrand } from './server/errand.ts';
import { expectReturn } from './server/return.ts';

suite('what an app leads people to the account page for', async () => {
  const oauth = await startOAuthServer();
  after(async () => {
    await oauth.close();
    assert.deepEqual(oauth.server.errors, []);
  });
  const { body: metadata } = await oauth.server.anonymous.get('/_matrix/client/v1/auth_metadata');
  const base = String(metadata['account_management_uri']);

  async function openFor(context: TestContext, { userId }: TestClient, query: string): Promise<OpenPage> {
    const page = openPage(`${base}?${query}`);
    context.after(() => page.close());
    await page.type('User name', userId);
    await page.type('Password', password);
    await page.press('Log in');
    await page.reads('Logged in as');
    return page;
  }
  const isShown = (page: OpenPage, words: string): boolean => page.text().includes(words);
  const focused = (page: OpenPage): string => page.document.activeElement?.textContent ?? '';

  test('every action that the server names is one that the page knows', () => {
    for (const action of metadata['account_management_actions_supported'] as string[]) {
      assert.ok(readErrand(new URL(`${base}?action=${action}&device_id=X`)), action);
    }
    for (const query of ['', 'action=', 'action=org.matrix.profile', 'action=constructor', 'device_id=X']) {
      assert.equal(readErrand(new URL(`${base}?${query}`)), undefined, query);
    }
  });

  test('a list of devices, and one of them, is there at once', async (context) => {
    const alice = await oauth.server.registerUser();
    const app = await oauth.logIn(alice.userId);
    const list = await openFor(context, alice, 'action=org.matrix.devices_list');
    await list.reads('My devices');
    await list.reads('An App');
    list.close();
    const view = await openFor(context, alice, `action=org.matrix.device_view&device_id=${app.client.deviceId}`);
    await until(() => focused(view).includes('An App'), 'the device has the focus');
  });

  test('a device is logged out by who knows the password, whatever it was logged in with', async (context) => {
    const alice = await oauth.server.registerUser();
    const phone = await addDevice(oauth.server, alice, 'Phone');
    const app = await oauth.logIn(alice.userId);
    const page = await openFor(context, alice, `action=org.matrix.device_delete&device_id=${app.client.deviceId}`);
    await page.type('Your password', password, 'My devices');
    await page.press('Log out An App', 'My devices');
    await page.reads('An App is logged out.');
    assert.deepEqual([await isLoggedIn(app.client), await isLoggedIn(phone)], [false, true]);
    page.close();
    const again = await openFor(context, alice, `action=org.matrix.session_end&device_id=${app.client.deviceId}`);
    await again.reads('is not logged in any more');
  });

  test('closing the account is asked for at once, and still takes all that it takes', async (context) => {
    const alice = await oauth.server.registerUser();
    const page = await openFor(context, alice, 'action=org.matrix.account_deactivate');
    await page.reads('This cannot be undone');
    await until(() => focused(page) === 'Close my account …', 'its button has the focus');
    assert.equal(isShown(page, 'Who can see me right now'), false);
    assert.equal(await isLoggedIn(alice), true);
  });

  test('is still known to who went to another service to log in', () => {
    const values = new Map<string, string>();
    const memory = {
      getItem: (name: string) => values.get(name) ?? null,
      setItem: (name: string, value: string) => void values.set(name, value),
      removeItem: (name: string) => void values.delete(name),
    };
    const address = new URL(`${base}?action=org.matrix.device_view&device_id=A%26B&x=y`);
    const back = expectReturn({ address, show: () => undefined, memory, random: () => 'random' });
    assert.equal(back.search, '?login=random&action=org.matrix.device_view&device_id=A%26B');
    assert.deepEqual(readErrand(back), { kind: 'device', deviceId: 'A&B', wantsOut: false });
  });
});
