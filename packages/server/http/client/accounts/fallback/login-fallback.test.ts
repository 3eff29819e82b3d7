import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { after, test } from 'node:test';
import { runInNewContext } from 'node:vm';
import { openPage } from '@portico/testkit/mail-links.ts';
import { startTestServer, type TestServer } from '@portico/testkit/server.ts';
import { newSubject, startSsoServer } from '@portico/testkit/sso-server.ts';
import { until } from '@portico/testkit/until.ts';

const server = await startTestServer();
const sso = await startSsoServer({ providers: [{ id: 'test' }, { id: 'other' }] });
after(async () => {
  await Promise.all([server.close(), sso.close()]);
  assert.deepEqual(sso.server.errors, []);
});
// As the settings have it: the page is where it is trusted.
const there = { ...sso.server, baseUrl: sso.base };
const path = '/_matrix/static/client/login/';

type MatrixLogin = { onLogin(response: Record<string, unknown>): void };
type Link = { readonly dataset: { readonly provider: string }; readonly name: string; href: string };

/** What a window keeps. */
function createMemory() {
  const kept = new Map<string, string>();
  return {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
    removeItem: (key: string) => void kept.delete(key),
  };
}

/** Runs the script of the page as a browser does. */
async function openIn(at: TestServer, search: string, matrixLogin?: MatrixLogin, sessionStorage?: object) {
  const page = await openPage(at, path + search);
  assert.equal(page.status, 200);
  assert.match(page.html, /<form .*name="user".*name="password"/s);
  const [, script = ''] = /<script>([^]*)<\/script>/.exec(page.html) ?? [];
  const policy = page.headers.get('content-security-policy') ?? '';
  assert.ok(policy.includes(`script-src 'sha256-${hash('sha256', script, 'base64')}'; connect-src 'self'`), policy);

  const problem = { textContent: '' };
  const elements = { user: { value: '' }, password: { value: '' } };
  const submitted: ((event: object) => Promise<void>)[] = [];
  const form = {
    elements,
    addEventListener: (_type: string, listener: (typeof submitted)[0]) => submitted.push(listener),
  };
  const links: Link[] = Array.from(
    page.html.matchAll(/<a data-provider="([^"]*)">([^<]*)</g),
    ([, id = '', name = '']) => ({
      dataset: { provider: id },
      name,
      href: '',
    }),
  );
  const shown = { address: at.baseUrl + path + search };
  const asked: Promise<unknown>[] = [];
  runInNewContext(script, {
    window: matrixLogin === undefined ? {} : { matrixLogin },
    document: {
      querySelector: (selector: string) => (selector === 'form' ? form : problem),
      querySelectorAll: () => links,
    },
    location: { href: shown.address },
    history: { replaceState: (_state: unknown, _title: string, address: string) => (shown.address = address) },
    sessionStorage,
    crypto,
    URL,
    URLSearchParams,
    fetch(to: string, init: RequestInit) {
      const answer = fetch(at.baseUrl + to, init);
      asked.push(answer);
      return answer;
    },
  });
  return { form, elements, submitted, problem, links, shown, asked };
}

/** Gives what fills in the form and what the page then says. */
async function open(search: string, matrixLogin?: MatrixLogin) {
  const { elements, submitted, problem, links } = await openIn(server, search, matrixLogin);
  assert.deepEqual(links, []);
  return async (user: string, password: string): Promise<string> => {
    elements.user.value = user;
    elements.password.value = password;
    let isPrevented = false;
    for (const listener of submitted) await listener({ preventDefault: () => (isPrevented = true) });
    assert.ok(isPrevented, 'the password is not sent as a form');
    return problem.textContent;
  };
}

test('the login page logs in, and gives the client what it needs', async () => {
  const alice = await server.registerUser();
  const answers: Record<string, unknown>[] = [];
  const submit = await open('?device_id=GHTYAJCE&refresh_token=true', { onLogin: (answer) => answers.push(answer) });
  assert.equal(await submit(alice.userId, 'wrong'), 'Wrong user name or password.');
  assert.equal(await submit('nobody@example.org', 'wrong'), 'Wrong user name or password.');
  assert.deepEqual(answers, []);
  assert.equal(await submit(` ${alice.userId} `, 'a password'), '');
  const [answer] = answers;
  assert.deepEqual([answers.length, answer?.['user_id'], answer?.['device_id']], [1, alice.userId, 'GHTYAJCE']);
  assert.equal(typeof answer?.['refresh_token'], 'string');
  const session = server.as({ userId: '', deviceId: '', accessToken: String(answer?.['access_token']) });
  assert.equal((await session.get('/_matrix/client/v3/account/whoami')).status, 200);
});

test('where no client waits for it, nobody is logged in', async () => {
  const alice = await server.registerUser();
  const submit = await open('');
  assert.match(await submit(alice.userId, 'a password'), /nobody waits/);
  const { devices } = (await alice.get('/_matrix/client/v3/devices')).body as { devices: unknown[] };
  assert.equal(devices.length, 1);
});

test('the login page leads to the services by way of which people log in, and takes what comes back', async () => {
  const memory = createMemory();
  const answers: Record<string, unknown>[] = [];
  const client = { onLogin: (answer: Record<string, unknown>) => answers.push(answer) };
  const sub = newSubject();
  sso.idp.person = { sub, preferred_username: sub };
  const first = await openIn(there, '?device_id=GHTYAJCE&refresh_token=true#x', client, memory);
  assert.deepEqual(
    first.links.map(({ name }) => name),
    ['Log in with Provider &#60;test&#62;', 'Log in with Provider &#60;other&#62;'],
  );
  const browser = sso.newBrowser((url) => url.startsWith(sso.base + path));
  const back = await browser.open(new URL(first.links[0]?.href ?? '', sso.base).href);
  const url = new URL(back.url);
  assert.equal(url.pathname, path, 'nobody is asked about this server’s own page');
  const second = await openIn(there, url.search, client, memory);
  await until(() => answers.length > 0, 'the client is told');
  assert.deepEqual([answers[0]?.['user_id'], answers[0]?.['device_id']], [`@${sub}:localhost`, 'GHTYAJCE']);
  assert.equal(typeof answers[0]?.['refresh_token'], 'string');
  assert.equal(new URL(second.shown.address).search, '?device_id=GHTYAJCE&refresh_token=true', 'no token stays');
});

test('the login page takes no token that its window has not asked for', async () => {
  const memory = createMemory();
  const answers: unknown[] = [];
  const client = { onLogin: (answer: unknown) => answers.push(answer) };
  await openIn(there, '', client, memory);
  for (const search of ['?loginToken=x', '?loginToken=x&login=guessed', '?loginToken=x&login=']) {
    for (const kept of [memory, createMemory()]) {
      const { problem, asked, shown, links } = await openIn(there, search, client, kept);
      await until(() => problem.textContent !== '', 'it says so');
      assert.match(problem.textContent, /not begun on this page/);
      assert.deepEqual([asked, shown.address], [[], sso.base + path]);
      assert.match(links[0]?.href ?? '', /^\/_matrix\/client\/v3\/login\/sso\/redirect\/test\?redirectUrl=/);
    }
  }
  const without = await openIn(there, '?loginToken=x&login=x', client, undefined);
  assert.match(without.problem.textContent, /only a password will do/);
  assert.deepEqual([without.asked, answers], [[], []]);
});
