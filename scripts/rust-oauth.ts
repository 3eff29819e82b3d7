import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { createCookieBrowser } from '@portico/testkit/cookie-browser.ts';
import { type OAuthServer, startOAuthServer } from '@portico/testkit/oauth-server.ts';

/** A phone app, which is led back to by a scheme of its own. */
const app = { uri: 'https://app.test/', redirectUri: 'test.app.phone:/login' };

type Going = { readonly oauth: OAuthServer; readonly userId: string; readonly says: () => Promise<string> };

/** Logs a client of matrix-sdk in with OAuth 2.0, has it refresh its token and sync. */
export function tryOAuth(program: string): Promise<void> {
  return run(program, async ({ oauth, userId, says }) => {
    assert.equal(await says(), userId);
    assert.equal(await says(), `${oauth.base}/account`);
  });
}

/** Has a client of matrix-sdk let two more devices in by QR codes, of which one is shown by it and the other one read. */
export function tryQrCodes(program: string): Promise<void> {
  return run(program, async ({ oauth, userId, says }) => {
    for (let device = 0; device < 2; device += 1) await letDeviceIn(oauth, await says(), userId);
    assert.equal(await says(), 'three devices');
  });
}

/** Starts a program that says first where a browser has to go, and logs it in. */
async function run(program: string, follow: (going: Going) => Promise<void>): Promise<void> {
  const oauth = await startOAuthServer();
  try {
    const { userId } = await oauth.server.registerUser();
    const child = spawn(program, [oauth.base, app.uri, app.redirectUri], { stdio: ['pipe', 'pipe', 'inherit'] });
    const exit = once(child, 'exit');
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const says = async () => String((await lines.next()).value);

    const browser = createCookieBrowser((url) => url.startsWith(app.redirectUri));
    const led = await oauth.letIn(browser, await says(), userId);
    child.stdin.write(`${led.url}\n`);
    await follow({ oauth, userId, says });
    assert.deepEqual(await exit, [0, null]);
    assert.deepEqual(oauth.server.errors, []);
  } finally {
    await oauth.close();
  }
}

async function letDeviceIn(oauth: OAuthServer, url: string, user: string): Promise<void> {
  const browser = oauth.newBrowser();
  const page = await browser.open(url);
  const code = /name="user_code" value="([^"]*)"/.exec(page.html)?.[1] ?? '';
  const login = await browser.submit({ ...page, url: page.url.split('?')[0] ?? '' }, { user_code: code });
  const consent = await browser.submit(login, { user, password: 'a password' });
  assert.match((await browser.submit(consent, { answer: 'yes' })).html, /is let in/);
}
