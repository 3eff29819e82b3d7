import assert from 'node:assert/strict';
import { after, suite, test } from 'node:test';
import { startTestServer } from '@portico/testkit/server.ts';
import { until } from '@portico/testkit/until.ts';
import { addDevice, isLoggedIn, openPageOf, password, passwordLogin } from '../../testing/logged-in.ts';

suite('my data and devices, on the account page', async () => {
  const server = await startTestServer();
  after(async () => {
    await server.close();
    assert.deepEqual(server.errors, []);
  });

  test('a copy of everything is handed to the browser', async (context) => {
    const alice = await server.registerUser();
    const page = await openPageOf(server, alice);
    context.after(() => page.close());
    const saved: { address: string; name: string }[] = [];
    page.document.addEventListener('click', (event) => {
      const link = (event.target as Element).closest('a');
      if (link === null) return;
      saved.push({ address: link.href, name: link.download });
      event.preventDefault();
    });
    await page.press('My data and devices');
    await page.press('Get a copy');
    const [file] = await until(() => saved.length > 0 && saved, 'the browser gets a file');
    assert.equal(file?.name, 'my-account.zip');
    const bytes = new Uint8Array(await (await fetch(file?.address ?? '')).arrayBuffer());
    assert.equal(String.fromCodePoint(...bytes.slice(0, 2)), 'PK');
  });

  test('devices are listed by name, and logged out by who knows the password', async (context) => {
    const alice = await server.registerUser();
    const phone = await addDevice(server, alice, 'Phone');
    const page = await openPageOf(server, alice);
    context.after(() => page.close());
    await page.press('My data and devices');
    await page.reads('This page.');
    const name = `Log out Phone (${phone.deviceId})`;
    await page.press(name);
    await page.type('Your password', 'wrong', 'My devices');
    await page.press('Log out Phone', 'My devices');
    await page.reads('The password is wrong.');
    await page.type('Your password', password, 'My devices');
    await page.press('Log out Phone', 'My devices');
    await page.reads('Phone is logged out.');
    await until(() => page.document.activeElement?.textContent === 'Phone is logged out.', 'the focus is not lost');
    assert.deepEqual([await isLoggedIn(phone), await isLoggedIn(alice)], [false, true]);
    await until(() => !page.text().includes('Phone,') && !page.text().includes(name), 'it is not listed any more');
  });

  test('an account is closed only by who types whose it is and knows the password', async (context) => {
    const alice = await server.registerUser();
    const page = await openPageOf(server, alice);
    context.after(() => page.close());
    await page.press('My data and devices');
    await page.press('Close my account …');
    await page.type(`Type ${alice.userId}`, '@somebody:localhost');
    await page.type('Your password', password, 'Close my account');
    await page.press('Close my account for ever');
    await page.reads('to show that you mean it');
    await page.type(`Type ${alice.userId}`, alice.userId);
    await page.type('Your password', 'wrong', 'Close my account');
    await page.press('Close my account for ever');
    await page.reads('The password is wrong.');
    assert.equal(await isLoggedIn(alice), true);
    await page.tick('Erase what is mine');
    await page.type('Your password', password, 'Close my account');
    await page.press('Close my account for ever');
    await page.reads('Your account is closed, and what was yours is being erased.');
    assert.equal(await isLoggedIn(alice), false);
    const again = server.anonymous.post('/_matrix/client/v3/login', passwordLogin(alice, password, 'Phone'));
    assert.equal((await again).status, 403);
  });
});
