import assert from 'node:assert/strict';
import { after, suite, test, type TestContext } from 'node:test';
import { startTestServer } from '@portico/testkit/server.ts';
import type { TestClient } from '@portico/testkit/test-client.ts';
import { until } from '@portico/testkit/until.ts';
import type { OpenPage } from '../../testing/browser.ts';
import { addDevice, isLoggedIn, openPageOf, password } from '../../testing/logged-in.ts';

const part = 'My devices';
const opens = 'Log out everywhere else …';

suite('logging out everywhere else, on the account page', async () => {
  const server = await startTestServer();
  after(async () => {
    await server.close();
    assert.deepEqual(server.errors, []);
  });

  async function openDevices(context: TestContext, who: TestClient): Promise<OpenPage> {
    const page = await openPageOf(server, who);
    context.after(() => page.close());
    await page.press('My data and devices');
    await page.reads('This page.');
    return page;
  }
  const form = async (page: OpenPage): Promise<Element> => {
    const within = await page.part(part);
    return until(() => within.querySelector('form') ?? undefined, 'there is a form');
  };
  const buttonNames = (within: Element): string[] =>
    [...within.querySelectorAll('button')].map(({ textContent }) => textContent);

  test('says which devices that are, and logs them out for who knows the password', async (context) => {
    const alice = await server.registerUser();
    const phone = await addDevice(server, alice, 'Phone');
    const page = await openDevices(context, alice);
    const laptop = await addDevice(server, alice, 'Laptop');
    const others = [alice, phone, laptop];
    const areIn = () => Promise.all(others.map(isLoggedIn));

    await page.press(opens, part);
    const listed = [...(await form(page)).querySelectorAll('li')].map(({ textContent }) => textContent);
    assert.equal(listed.length, others.length, 'the page itself is not among them');
    for (const { deviceId } of others) assert.ok(listed.some((words) => words.includes(deviceId)));
    assert.ok(
      listed.some((words) => words.startsWith('Laptop')),
      'who has come since is',
    );
    await page.reads('Devices that are logged out lose the keys to your encrypted messages');

    await page.type('Your password', 'wrong', part);
    await page.press('Log out everywhere else', part);
    await page.reads('The password is wrong.');
    assert.deepEqual(await areIn(), [true, true, true]);

    await page.type('Your password', password, part);
    await page.press('Log out everywhere else', part);
    await page.reads('3 devices are logged out.');
    await until(() => page.document.activeElement?.textContent === '3 devices are logged out.', 'the focus is there');
    assert.deepEqual(await areIn(), [false, false, false]);
    await until(() => !page.text().includes('Phone'), 'they are not listed any more');
    await page.reads('This page.');
    assert.deepEqual(buttonNames(await page.part(part)), []);
  });

  test('a device that the person was not told of is not logged out, and shown afterwards', async (context) => {
    const alice = await server.registerUser();
    const page = await openDevices(context, alice);
    await page.press(opens, part);
    await form(page);
    const laptop = await addDevice(server, alice, 'Laptop');
    await page.type('Your password', password, part);
    await page.press('Log out everywhere else', part);
    await page.reads('A device without a name is logged out.');
    await page.reads('Laptop');
    assert.deepEqual([await isLoggedIn(alice), await isLoggedIn(laptop)], [false, true]);
  });

  test('who keeps them has their focus back on the button', async (context) => {
    const alice = await server.registerUser();
    const page = await openDevices(context, alice);
    await page.press(opens, part);
    await form(page);
    await page.press('Keep them', part);
    const within = await page.part(part);
    await until(() => within.querySelector('form') === null, 'the form is gone');
    assert.equal(page.document.activeElement?.textContent, opens);
    assert.equal(await isLoggedIn(alice), true);
  });

  test('is not offered to who is logged in nowhere else', async (context) => {
    const alice = await server.registerUser();
    const page = await openPageOf(server, alice);
    context.after(() => page.close());
    await alice.post('/_matrix/client/v3/logout');
    await page.press('My data and devices');
    await page.reads('This page.');
    assert.deepEqual(buttonNames(await page.part(part)), []);
  });
});
