import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { type CookieBrowser, createCookieBrowser, type Shown } from '@portico/testkit/cookie-browser.ts';
import { startTestServer } from '@portico/testkit/server.ts';
import { clientAddress, isCallback, newSubject, type SsoServer, startSsoServer } from '@portico/testkit/sso-server.ts';

const v3 = '/_matrix/client/v3';

/** As a load balancer sends the same browser elsewhere. */
async function goOnAt(
  sso: SsoServer,
  at: string,
  browser: CookieBrowser,
  url: string,
): Promise<[CookieBrowser, Shown]> {
  const there = createCookieBrowser((next) => !next.startsWith(at));
  const jar = browser.cookies.get(sso.base) ?? new Map<string, string>();
  there.keep(at, new Headers([...jar].map(([name, value]) => ['set-cookie', `${name}=${value}`])));
  return [there, await there.open(url.replace(sso.base, at))];
}

test('each step of a login may be in another process, which knows when one is over', async (context) => {
  const sso = await startSsoServer({ engine: 'postgres' });
  // They share the key of the server, and each has a folder of its own.
  const dataDir = mkdtempSync(join(tmpdir(), 'portico-server-'));
  for (const file of ['signing.key', 'server_name']) copyFileSync(join(sso.server.dataDir, file), join(dataDir, file));
  const other = await startTestServer({
    engine: 'postgres',
    databaseUrl: sso.server.databaseUrl,
    dataDir,
    settings: { ...sso.settings, LISTENERS: JSON.stringify([{ address: '127.0.0.1', port: 0, serve: ['client'] }]) },
  });
  context.after(async () => {
    await other.close();
    rmSync(dataDir, { recursive: true });
    await sso.close();
    assert.deepEqual([...sso.server.errors, ...other.errors], []);
  });
  const sub = newSubject();
  sso.idp.person = { sub, preferred_username: sub };
  const browser = sso.newBrowser(isCallback);
  const back = await browser.open(sso.redirectOf(clientAddress));
  const [there, asked] = await goOnAt(sso, other.baseUrl, browser, back.url);
  assert.equal(asked.status, 200, asked.html);
  assert.match((await goOnAt(sso, sso.base, browser, back.url))[1].html, /This login is over/);
  const [here, again] = await goOnAt(sso, sso.base, browser, asked.url.replace(other.baseUrl, sso.base));
  const client = await sso.logInByToken(sso.tokenIn(await here.submit(again)));
  assert.equal(client.userId, `@${sub}:localhost`);
  assert.match((await there.submit(asked)).html, /This login is over/);

  const { session } = (await client.post(`${v3}/delete_devices`, { devices: ['x'] })).body;
  const confirm = `${sso.base}/_portico/client/v1/sso/confirm/test?session=${String(session)}`;
  const confirming = await browser.open(confirm);
  const [, question] = await goOnAt(sso, other.baseUrl, browser, confirming.url);
  const [asking, shown] = await goOnAt(sso, sso.base, browser, question.url.replace(other.baseUrl, sso.base));
  assert.match((await asking.submit(shown)).html, /window\.onAuthDone/);
  const done = await other.as(client).post(`${v3}/delete_devices`, { devices: ['x'], auth: { session } });
  assert.equal(done.status, 200);
});

/** Stops the server, and starts it again with what was changed in its settings. */
function restarting(context: TestContext, sso: SsoServer): (changed?: Record<string, string>) => Promise<void> {
  let running = sso.server;
  context.after(async () => {
    await running.stop();
    await sso.idp.close();
    rmSync(sso.server.dataDir, { recursive: true });
    assert.deepEqual(running.errors, []);
  });
  return async (changed) => {
    await running.stop();
    running = await startTestServer({ dataDir: sso.server.dataDir, settings: { ...sso.settings, ...changed } });
  };
}

test('a login goes on where the server has been started anew', async (context) => {
  const sso = await startSsoServer();
  const restart = restarting(context, sso);
  const sub = newSubject();
  sso.idp.person = { sub, preferred_username: sub };
  const browser = sso.newBrowser(isCallback);
  const back = await browser.open(sso.redirectOf(clientAddress));
  await restart();
  const [there, asked] = await goOnAt(sso, sso.base, browser, back.url);
  assert.equal(asked.status, 200, asked.html);
  await restart();
  assert.match(sso.tokenIn(await there.submit(asked)), /^[\w-]{43}$/);
});

test('what the operator changes meanwhile counts', async (context) => {
  const sso = await startSsoServer();
  const restart = restarting(context, sso);
  const taken = newSubject();
  await sso.server.registerUser(taken);
  sso.idp.person = { sub: newSubject(), preferred_username: taken };
  const browser = sso.newBrowser();
  const asked = await browser.open(sso.redirectOf(clientAddress));
  assert.match(asked.html, /What do you want to be called/);
  const providers = sso.settings['SINGLE_SIGN_ON_PROVIDERS'] ?? '';
  await restart({ SINGLE_SIGN_ON_PROVIDERS: providers.replace('"everybody"', '"nobody"') });
  assert.match((await browser.submit(asked, { username: newSubject() })).html, /none is made/);
  await restart({ SINGLE_SIGN_ON_PROVIDERS: providers.replace('"id":"test"', '"id":"another"') });
  assert.match((await browser.submit(asked, { username: newSubject() })).html, /does not know the service/);
});
