import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { linkIn } from '@portico/testkit/mail-links.ts';
import { startMailServer } from '@portico/testkit/mail-server.ts';
import { freePort, startServerProcess } from '@portico/testkit/server-process.ts';

test('who asks again after a kill gets the email that the first request did not lead to, and one after an answer none', async (context) => {
  const dataDir = mkdtempSync(join(tmpdir(), 'portico-mail-'));
  const smtp = await startMailServer();
  const port = await freePort();
  context.after(async () => {
    await smtp.close();
    rmSync(dataDir, { recursive: true, force: true });
  });
  const start = async () => {
    const server = await startServerProcess({ dataDir, port, settings: smtp.settings });
    context.after(() => server.signal('SIGKILL'));
    return server;
  };
  const email = 'alice@example.org';
  const ask = async (attempt: number) =>
    fetch(`http://127.0.0.1:${port}/_matrix/client/v3/register/email/requestToken`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ client_secret: 'secret', email, send_attempt: attempt }),
    });

  const first = await start();
  const release = smtp.hold();
  const unanswered = ask(1).then(
    () => 'answered',
    () => 'broken off',
  );
  await smtp.arriving();
  first.signal('SIGKILL');
  await first.ended;
  assert.equal(await unanswered, 'broken off');
  release();

  const second = await start();
  const kept = smtp.received.length;
  assert.equal((await ask(1)).status, 200);
  assert.equal(smtp.received.length, kept + 1);
  second.signal('SIGKILL');
  await second.ended;

  await start();
  assert.equal((await ask(1)).status, 200);
  assert.equal(smtp.received.length, kept + 1, 'what was acknowledged had been sent');
  const mail = smtp.received.at(-1);
  assert.ok(mail);
  const page = await fetch(`http://127.0.0.1:${port}${linkIn(mail)}`);
  assert.equal(page.status, 200, 'the link leads somewhere');
});
