import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, suite, test } from 'node:test';
import { startTestServer } from '@portico/testkit/server.ts';
import { until } from '@portico/testkit/until.ts';
import { openPage } from '../testing/browser.ts';

suite('logging in to the account page', async () => {
  const server = await startTestServer();
  after(() => server.close());
  const alice = await server.registerUser('alice', 'wonderland');
  const devices = async (): Promise<number> =>
    ((await alice.get('/_matrix/client/v3/devices')).body['devices'] as unknown[]).length;

  async function logIn(page: ReturnType<typeof openPage>): Promise<void> {
    await page.type('User name', 'alice');
    await page.type('Password', 'wonderland');
    await page.press('Log in');
    await page.reads('Logged in as');
  }

  test('takes the right password only, and says so; logging out ends the device', async (context) => {
    const page = openPage(`${server.baseUrl}/account`);
    context.after(() => page.close());
    await page.type('User name', '@alice:localhost');
    await page.type('Password', 'wrong');
    await page.press('Log in');
    await page.reads('The name or the password is wrong.');
    await page.type('Password', 'wonderland');
    await page.press('Log in');
    await page.reads('@alice:localhost');
    assert.equal(await devices(), 2);
    await until(() => page.document.activeElement?.tagName === 'H1', 'the focus is where something new begins');
    await page.press('Log out');
    await page.reads('You have logged out.');
    assert.equal(await devices(), 1);
  });

  test('a token that is not known any more leads back to the log-in', async (context) => {
    const page = openPage(`${server.baseUrl}/account`);
    context.after(() => page.close());
    await logIn(page);
    // Nothing is under way any more that could find out before the person does.
    await page.reads('Can see me (0)');
    const { body } = await alice.get('/_matrix/client/v3/devices');
    const others = (body['devices'] as { device_id: string }[])
      .map((device) => device.device_id)
      .filter((id) => id !== alice.deviceId);
    const auth = { type: 'm.login.password', identifier: { type: 'm.id.user', user: 'alice' }, password: 'wonderland' };
    const { body: asked } = await alice.post('/_matrix/client/v3/delete_devices', { devices: others });
    await alice.post('/_matrix/client/v3/delete_devices', {
      devices: others,
      auth: { ...auth, session: asked['session'] },
    });
    await page.press('Invitations');
    await page.reads('You have been logged out. Please log in again.');
    await logIn(page);
    await page.press('Log out');
    await page.reads('You have logged out.');
  });

  test('a late answer to who was here before changes nothing for who is here now', async (context) => {
    const held = Promise.withResolvers<void>();
    const firsts: string[] = [];
    const page = openPage(`${server.baseUrl}/account`, async ({ pathname }, { headers }) => {
      if (!pathname.endsWith('/privacy/presence')) return;
      const token = new Headers(headers).get('authorization') ?? '';
      firsts.push(token);
      if (token === firsts[0]) await held.promise;
    });
    context.after(() => page.close());
    await logIn(page);
    await until(() => firsts.length === 1, 'something is on its way');
    await page.press('Log out');
    await page.reads('You have logged out.');
    await logIn(page);
    await page.reads('Can see me');
    held.resolve();
    await page.press('My data and devices');
    await page.reads('This page.');
    await page.press('Log out');
    await page.reads('You have logged out.');
  });

  test('who leaves the page is logged out', async (context) => {
    const page = openPage(`${server.baseUrl}/account`);
    context.after(() => page.close());
    await logIn(page);
    assert.equal(await devices(), 2);
    page.leave();
    await until(async () => (await devices()) === 1, 'the device is gone');
  });
});

test('where the server takes no passwords, the page says so; where there is none, it offers to try again', async (context) => {
  let flows: object | undefined = { flows: [{ type: 'm.login.sso' }] };
  const other = createServer((_request, response) => {
    if (flows === undefined) response.destroy();
    else response.end(JSON.stringify(flows));
  });
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  context.after(() => other.close());
  const { port } = other.address() as { port: number };
  const page = openPage(`http://127.0.0.1:${port}/below/account`);
  await page.reads('This server does not let people log in with a password');
  page.close();
  flows = undefined;
  const again = openPage(`http://127.0.0.1:${port}/below/account`);
  context.after(() => again.close());
  await again.reads('The server cannot be reached.');
  flows = { flows: [{ type: 'm.login.password' }] };
  await again.press('Try again');
  await again.type('User name', 'x');
});
