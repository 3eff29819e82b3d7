import assert from 'node:assert/strict';
import { hash, randomBytes } from 'node:crypto';
import { after, test } from 'node:test';
import { runInNewContext } from 'node:vm';
import { createRegistrationTokens } from '@portico/server/services/accounts/registration-tokens.ts';
import { openDatabase } from '@portico/storage';
import { linkIn, openPage } from '@portico/testkit/mail-links.ts';
import { newAddress, startServerWithMail } from '@portico/testkit/mail-person.ts';
import { createTestDatabase } from '@portico/testkit/postgres.ts';

const v3 = '/_matrix/client/v3';
const withMail = await startServerWithMail({
  databaseUrl: await createTestDatabase(),
  settings: { REGISTRATION_MODE: 'token' },
});
const { server, smtp } = withMail;
after(() => withMail.close());

const pathOf = (stage: string, session: unknown) =>
  `${v3}/auth/${encodeURIComponent(stage)}/fallback/web?session=${encodeURIComponent(String(session))}`;

/** Sends a form as a browser does. */
async function submit(path: string, fields: Record<string, string>) {
  const response = await fetch(server.baseUrl + path, { method: 'POST', body: new URLSearchParams(fields) });
  return { status: response.status, html: await response.text(), headers: response.headers };
}

const register = (username: string, auth?: object) =>
  server.anonymous.post(`${v3}/register`, { username, password: 'a password', ...(auth && { auth }) });

async function newToken(): Promise<string> {
  const db = await openDatabase({ url: server.databaseUrl });
  const token = await createRegistrationTokens({ db, now: Date.now, randomBytes }).add({ usesAllowed: 1 });
  await db.close();
  return token;
}

/** The one script of a page, which must be the one that its headers allow. */
function scriptOf({ html, headers }: { html: string; headers: Headers }): string {
  const [, script = ''] = /<script>([^]*)<\/script>/.exec(html) ?? [];
  const policy = headers.get('content-security-policy') ?? '';
  assert.ok(policy.includes(`script-src 'sha256-${hash('sha256', script, 'base64')}'`), policy);
  return script;
}

test('a registration token is given on a page, and the client goes on with the session alone', async () => {
  const name = `page-${randomBytes(4).toString('hex')}`;
  const { session } = (await register(name)).body;
  const path = pathOf('m.login.registration_token', session);
  const page = await openPage(server, path);
  assert.equal(page.status, 200);
  assert.match(page.html, /<input name="token"/);
  assert.doesNotMatch(page.html, /<script/);
  const wrong = await submit(path, { token: '<b>wrong' });
  assert.match(wrong.html, /The registration token is not valid/);
  assert.equal((await register(name, { session })).status, 401);
  const done = await submit(path, { token: await newToken() });
  // As the browser runs it: first for embedded browsers, then for pages that have opened this one.
  const script = (window: object) => runInNewContext(scriptOf(done), { window }) as unknown;
  const told: unknown[] = [];
  script({ onAuthDone: () => told.push('done') });
  script({ opener: { postMessage: (...message: unknown[]) => told.push(message) } });
  script({});
  assert.deepEqual(told, ['done', ['authDone', '*']]);
  assert.match((await submit(path, { token: 'again' })).html, /Thank you/, 'it is passed already');
  const registered = await register(name, { session });
  assert.equal(registered.status, 200, JSON.stringify(registered.body));
});

test('an email address is proved by way of a page', async () => {
  const name = `page-${randomBytes(4).toString('hex')}`;
  const { session } = (await register(name)).body;
  const path = pathOf('m.login.email.identity', session);
  assert.match((await openPage(server, path)).html, /type="email"/);
  assert.match((await submit(path, { email: 'none' })).html, /not a valid email address/);
  const email = newAddress();
  const { html } = await submit(path, { email });
  const valueOf = (field: string) => new RegExp(`name="${field}" value="([^"]*)"`).exec(html)?.[1] ?? '';
  const hidden = { sid: valueOf('sid'), client_secret: valueOf('client_secret') };
  assert.match((await submit(path, hidden)).html, /has not been proved.*name="sid"/s);
  await openPage(server, linkIn(await smtp.next(email)));
  assert.match((await submit(path, hidden)).html, /Thank you/);
  const tokenPath = pathOf('m.login.registration_token', session);
  assert.match((await submit(tokenPath, { token: await newToken() })).html, /Thank you/);
  const { status, body } = await register(name, { session });
  assert.equal(status, 200, JSON.stringify(body));
  const person = server.as({ userId: '', deviceId: '', accessToken: String(body['access_token']) });
  assert.deepEqual(await withMail.addressesOf(person), [email]);
});

test('a password is given on a page, for what it was asked for and by whom', async () => {
  const { body } = await register(`page-${randomBytes(4).toString('hex')}`, {
    type: 'm.login.registration_token',
    token: await newToken(),
  });
  const [userId, accessToken, deviceId] = [body['user_id'], body['access_token'], body['device_id']].map(String);
  const person = server.as({ userId: userId ?? '', accessToken: accessToken ?? '', deviceId: deviceId ?? '' });
  const { session } = (await person.post(`${v3}/delete_devices`, { devices: [deviceId] })).body;
  const path = pathOf('m.login.password', session);
  assert.match((await openPage(server, path)).html, /type="password"/);
  assert.match((await submit(path, { password: 'wrong' })).html, /Wrong user name or password/);
  assert.equal((await person.post(`${v3}/delete_devices`, { devices: [deviceId], auth: { session } })).status, 401);
  assert.match((await submit(path, { password: 'a password' })).html, /Thank you/);
  const other = await person.post(`${v3}/account/deactivate`, { auth: { session } });
  assert.equal(other.status, 403, 'it is good for nothing else');
  assert.equal((await person.post(`${v3}/delete_devices`, { devices: [deviceId], auth: { session } })).status, 200);
});

test('there is no page for a session or a stage that is none, and what is too long is refused', async () => {
  const { session } = (await register('somebody')).body;
  for (const path of [
    pathOf('m.login.registration_token', 'made up'),
    pathOf('m.login.password', session),
    pathOf('m.login.dummy', session),
    pathOf('constructor', session),
    pathOf('<script>', '"><script>'),
    `${v3}/auth/m.login.registration_token/fallback/web`,
  ]) {
    for (const page of [await openPage(server, path), await submit(path, { token: 'x' })]) {
      assert.equal(page.status, 400, path);
      assert.doesNotMatch(page.html, /<script|<form/);
    }
  }
  const path = pathOf('m.login.registration_token', session);
  assert.equal((await submit(path, { token: 'x'.repeat(20_000) })).status, 413);
  assert.deepEqual(server.errors, []);
});
