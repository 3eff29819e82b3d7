import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { createCookieBrowser } from '@portico/testkit/cookie-browser.ts';
import { startOAuthServer } from '@portico/testkit/oauth-server.ts';

/** A phone app, which is led back to by a scheme of its own. */
const app = { uri: 'https://app.test/', redirectUri: 'test.app.phone:/login' };

/** Logs a client of matrix-sdk in with OAuth 2.0, has it refresh its token and sync. */
export async function tryOAuth(program: string): Promise<void> {
  const oauth = await startOAuthServer();
  try {
    const { userId } = await oauth.server.registerUser();
    const child = spawn(program, [oauth.base, app.uri, app.redirectUri], { stdio: ['pipe', 'pipe', 'inherit'] });
    const exit = once(child, 'exit');
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const say = async () => String((await lines.next()).value);

    const browser = createCookieBrowser((url) => url.startsWith(app.redirectUri));
    const led = await oauth.letIn(browser, await say(), userId);
    child.stdin.write(`${led.url}\n`);
    assert.equal(await say(), userId);
    assert.equal(await say(), `${oauth.base}/account`);
    assert.deepEqual(await exit, [0, null]);
    assert.deepEqual(oauth.server.errors, []);
  } finally {
    await oauth.close();
  }
}
