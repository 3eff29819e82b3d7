import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { after, test } from 'node:test';
import { runInNewContext } from 'node:vm';
import { openPage } from '@portico/testkit/mail-links.ts';
import { startTestServer } from '@portico/testkit/server.ts';

const server = await startTestServer();
after(() => server.close());
const path = '/_matrix/static/client/login/';

/** Runs the script of the page as a browser does, and gives what fills in the form and what the page then says. */
async function open(search: string, matrixLogin?: { onLogin(response: Record<string, unknown>): void }) {
  const page = await openPage(server, path + search);
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
  runInNewContext(script, {
    window: matrixLogin === undefined ? {} : { matrixLogin },
    document: { querySelector: (selector: string) => (selector === 'form' ? form : problem) },
    location: { search },
    URLSearchParams,
    fetch: (to: string, init: RequestInit) => fetch(server.baseUrl + to, init),
  });
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
