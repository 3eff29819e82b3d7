import assert from 'node:assert/strict';
import { after, suite, test, type TestContext } from 'node:test';
import { startTestServer, type TestServer } from '@portico/testkit/server.ts';
import type { TestClient } from '@portico/testkit/test-client.ts';
import { until } from '@portico/testkit/until.ts';
import type { OpenPage } from '../../testing/browser.ts';
import { addDevice, isLoggedIn, openPageOf, password, passwordLogin } from '../../testing/logged-in.ts';

const part = 'My password';
const wanted = 'another pass phrase';
const old = 'Your password until now';

type OnTheWay = NonNullable<Parameters<typeof openPageOf>[2]>;

async function openForm(
  context: TestContext,
  server: TestServer,
  who: TestClient,
  onTheWay?: OnTheWay,
): Promise<OpenPage> {
  const page = await openPageOf(server, who, onTheWay);
  context.after(() => page.close());
  await page.press('My data and devices');
  await page.press('Change my password …');
  return page;
}

async function fill(page: OpenPage, typed: { wanted: string; again?: string; old?: string }): Promise<void> {
  await page.type('New password', typed.wanted, part);
  await page.type('The new password again', typed.again ?? typed.wanted, part);
  await page.type(old, typed.old ?? password, part);
}

const go = (page: OpenPage): Promise<void> => page.press('Change my password', part);

/** What is in the fields for passwords, from above. */
async function typedIn(page: OpenPage): Promise<string[]> {
  const fields = (await page.part(part)).querySelectorAll<HTMLInputElement>('input[type=password]');
  return [...fields].map(({ value }) => value);
}

/** The field that the person is in, and what is said to be wrong with it. */
function focused({ document }: OpenPage): { readonly label: string; readonly flaw: string } {
  const field = document.activeElement;
  const label = field === null ? null : document.querySelector(`label[for="${field.id}"]`);
  const ids = field?.getAttribute('aria-invalid') === 'true' ? (field.getAttribute('aria-describedby') ?? '') : '';
  const said = ids.split(' ').map((id) => document.getElementById(id));
  assert.ok(said.every((each) => each === null || each.getAttribute('role') === 'alert'));
  return { label: label?.textContent ?? '', flaw: said.map((each) => each?.textContent ?? '').join(' ') };
}

suite('changing the password, on the account page', async () => {
  const server = await startTestServer();
  after(async () => {
    await server.close();
    assert.deepEqual(server.errors, []);
  });
  const passwordsOf = async (who: TestClient): Promise<string[]> => {
    const right: string[] = [];
    for (const secret of [password, wanted]) {
      const login = passwordLogin(who, secret, 'Somewhere');
      if ((await server.anonymous.post('/_matrix/client/v3/login', login)).status === 200) right.push(secret);
    }
    return right;
  };

  test('the new one counts instead of the old one, other devices stay, and nothing that was typed does', async (context) => {
    const alice = await server.registerUser();
    const phone = await addDevice(server, alice, 'Phone');
    const addresses: string[] = [];
    const page = await openForm(context, server, alice, ({ href }) => void addresses.push(href));
    await fill(page, { wanted });
    await go(page);
    await page.reads('Your password is changed.');
    assert.doesNotMatch(page.text(), /All your other devices are logged out/);
    await until(() => page.document.activeElement?.textContent === 'Your password is changed.', 'the focus is there');
    assert.deepEqual(await passwordsOf(alice), [wanted]);
    assert.deepEqual([await isLoggedIn(alice), await isLoggedIn(phone)], [true, true]);
    assert.deepEqual(await typedIn(page), []);
    assert.ok(addresses.some((address) => address.endsWith('/account/password')));
    assert.doesNotMatch([...addresses, page.document.URL].join('\n'), /pass(%20|\+| )phrase|a(%20|\+| )password/);
    await page.press('Change my password …');
    assert.deepEqual(await typedIn(page), ['', '', '']);
  });

  test('other devices are logged out with it if the person wants that, who is told what they lose', async (context) => {
    const alice = await server.registerUser();
    const phone = await addDevice(server, alice, 'Phone');
    const page = await openForm(context, server, alice);
    await page.reads('Phone');
    await page.reads('Devices that are logged out lose the keys to your encrypted messages');
    const box = (await page.part(part)).querySelector('input[type=checkbox]');
    const hint = page.document.getElementById(box?.getAttribute('aria-describedby') ?? '');
    assert.match(hint?.textContent ?? '', /the recovery key of your key backup/);
    await page.tick('Log out all my other devices');
    await fill(page, { wanted });
    await go(page);
    await page.reads('Your password is changed. All your other devices are logged out.');
    assert.deepEqual([await isLoggedIn(alice), await isLoggedIn(phone)], [false, false]);
    await until(() => !page.text().includes('Phone'), 'it is not listed any more');
    await page.reads('This page.');
    assert.deepEqual(await passwordsOf(alice), [wanted]);
  });

  test('a wrong old password is said to be, and has to be typed anew; the new one has not', async (context) => {
    const alice = await server.registerUser();
    const page = await openForm(context, server, alice);
    await fill(page, { wanted, old: 'wrong' });
    await go(page);
    await page.reads('The password is wrong.');
    assert.deepEqual(await typedIn(page), [wanted, wanted, '']);
    assert.deepEqual(focused(page), { label: old, flaw: 'The password is wrong.' });
    assert.deepEqual(await passwordsOf(alice), [password]);
    await page.type(old, password, part);
    await go(page);
    await page.reads('Your password is changed.');
    assert.deepEqual(await passwordsOf(alice), [wanted]);
  });

  test('a new password that was not typed the same twice does not leave the page', async (context) => {
    const alice = await server.registerUser();
    let asked = 0;
    const page = await openForm(context, server, alice, ({ pathname }) => {
      if (pathname.endsWith('/account/password')) asked += 1;
    });
    await fill(page, { wanted, again: `${wanted}!` });
    await go(page);
    await page.reads('The two new passwords are not the same.');
    assert.equal(asked, 0);
    await page.type('The new password again', wanted, part);
    await go(page);
    await page.reads('Your password is changed.');
    assert.equal(asked, 2);
  });

  test('what the server finds wrong with a new password is said in words', async (context) => {
    const alice = await server.registerUser();
    // Only an empty one is too weak, and no browser sends that.
    const page = await openForm(context, server, alice, ({ pathname }, request) => {
      if (!pathname.endsWith('/account/password')) return;
      request.body = (request.body as string).replace('"weak"', '""');
    });
    for (const [refused, flaw] of [
      ['weak', 'The server finds that password too easy to guess. Choose a longer one.'],
      ['x'.repeat(513), 'The server says: The password is too long.'],
    ] as const) {
      await fill(page, { wanted: refused });
      assert.equal(page.document.querySelector('[aria-invalid]'), null, 'nothing is wrong with what is typed anew');
      await go(page);
      await page.reads(flaw);
      assert.deepEqual(await typedIn(page), ['', '', ''], 'what was refused does not stay');
      assert.deepEqual(focused(page), { label: 'New password', flaw });
    }
    assert.deepEqual(await passwordsOf(alice), [password]);
  });

  test('who thinks better of it is back where they began, and what they typed is gone', async (context) => {
    const alice = await server.registerUser();
    const page = await openForm(context, server, alice);
    const button = (await page.part(part)).querySelector('button');
    assert.equal(button?.getAttribute('aria-expanded'), 'true');
    await fill(page, { wanted });
    await page.press('Keep the old one');
    await until(() => button?.getAttribute('aria-expanded') === 'false', 'the form is gone');
    assert.equal(page.document.activeElement, button);
    assert.deepEqual(await typedIn(page), []);
    await page.press('Change my password …');
    assert.deepEqual(await typedIn(page), ['', '', '']);
  });
});

test('who tries too many wrong passwords is told when they may go on', async (context) => {
  const server = await startTestServer({ settings: { RATE_LIMITS_ENABLED: 'true' }, now: () => 1_700_000_000_000 });
  context.after(() => server.close());
  const alice = await server.registerUser();
  const page = await openForm(context, server, alice);
  for (let tries = 1; tries <= 5; tries += 1) {
    await fill(page, { wanted, old: 'wrong' });
    await go(page);
    await until(async () => (await typedIn(page))[2] === '', 'it was tried');
    await page.reads('The password is wrong.');
  }
  await fill(page, { wanted });
  await go(page);
  await page.reads(/That was too much at once\. Try again in \d+ seconds\./);
  assert.deepEqual(await typedIn(page), [wanted, wanted, '']);
});
