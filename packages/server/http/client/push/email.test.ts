import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join as joinPath } from 'node:path';
import { after, describe, test } from 'node:test';
import { openPage } from '@portico/testkit/mail-links.ts';
import { newAddress, startServerWithMail } from '@portico/testkit/mail-person.ts';
import { createRoom, join, must, pathOf, say } from '@portico/testkit/people.ts';
import { openRawDatabase } from '@portico/testkit/raw-database.ts';
import type { TestClient, TestResponse } from '@portico/testkit/test-client.ts';

const v3 = '/_matrix/client/v3';
const minute = 60_000;
const outcome = ({ status, body }: TestResponse): string =>
  status === 200 ? '200' : `${status} ${String(body['errcode'])}`;

for (const engine of ['sqlite', 'postgres'] as const) {
  describe(`email notifications (${engine})`, async () => {
    let ahead = 0;
    const withMail = await startServerWithMail({ engine, now: () => Date.now() + ahead });
    const { server, smtp, addTo } = withMail;
    after(async () => {
      await withMail.close();
      assert.deepEqual(server.errors, []);
    });
    const setEmail = (who: TestClient, pushkey: string, more: object = {}) =>
      who.post(`${v3}/pushers/set`, {
        kind: 'email',
        app_id: 'm.email',
        pushkey,
        app_display_name: 'Email',
        device_display_name: pushkey,
        lang: 'en',
        data: { brand: 'Example' },
        ...more,
      });
    const addresses = async (who: TestClient) =>
      ((await who.get(`${v3}/pushers`)).body['pushers'] as { pushkey: string }[]).map(({ pushkey }) => pushkey);
    const linkOf = (html: string) => {
      const link = /href="([^"]*unsubscribe[^"]*)"/.exec(html)?.[1] ?? '';
      return link.replaceAll('&#38;', '&');
    };

    test('are for addresses of the account, and go with them', async () => {
      const [alice, email] = [await server.registerUser(), newAddress()];
      assert.equal(outcome(await setEmail(alice, email)), '400 M_INVALID_PARAM');
      await addTo(alice, email);
      assert.equal(outcome(await setEmail(alice, email, { app_id: 'org.example' })), '400 M_INVALID_PARAM');
      assert.equal(outcome(await setEmail(alice, 'no address')), '400 M_INVALID_PARAM');
      assert.equal(outcome(await setEmail(alice, email)), '200');
      assert.deepEqual(await addresses(alice), [email]);
      await alice.post(`${v3}/account/3pid/delete`, { medium: 'email', address: email });
      assert.deepEqual(await addresses(alice), []);
    });

    test('say after a while what is unread where, once, until a link ends them', async () => {
      const [alice, bob, email] = [await server.registerUser(), await server.registerUser(), newAddress()];
      await addTo(alice, email);
      await bob.put(`${v3}/profile/${bob.userId}/displayname`, { displayname: 'Bob <b>' });
      const [tea, coffee, juice] = [
        await createRoom(bob, { name: 'Tea' }),
        await createRoom(bob, { name: 'Coffee' }),
        await createRoom(bob, { name: 'Juice' }),
      ];
      for (const roomId of [tea, coffee, juice]) await join(alice, roomId);
      await setEmail(alice, email);
      /** Lets time pass, and something happen, until there is another email. */
      const passUntilMail = async (roomId: string) => {
        const before = smtp.received.length;
        while (smtp.received.length === before) {
          ahead += 11 * minute;
          await say(bob, roomId, 'secret');
        }
        return smtp.next(email);
      };
      await say(bob, tea, 'secret one');
      const read = await say(bob, coffee, 'secret two');
      await must(alice.post(pathOf(coffee, `receipt/m.read/${encodeURIComponent(read)}`), {}));
      await say(bob, tea, 'secret three');
      const first = await passUntilMail(juice);
      assert.match(first.text, /Tea: 2 messages from Bob <b>\./);
      assert.doesNotMatch(first.text + first.html, /Coffee:|secret/);
      assert.doesNotMatch(first.html, /<b>/);
      assert.match(first.headers.get('subject')?.join() ?? '', /Unread messages/);
      const second = await passUntilMail(juice);
      assert.match(second.text, /Juice: \d+ messages? from/);
      // With the colon: the link has random letters, and some of them spell "Tea".
      assert.doesNotMatch(second.text, /Tea:/);

      const url = linkOf(second.html);
      const link = url.slice(url.indexOf('/_portico'));
      assert.equal(second.headers.get('list-unsubscribe')?.join(), `<${url}>`);
      assert.equal(second.headers.get('list-unsubscribe-post')?.join(), 'List-Unsubscribe=One-Click');
      // Not the last character: some of its bits say nothing.
      const sign = link.lastIndexOf('.') + 1;
      const forged = `${link.slice(0, sign)}${link[sign] === 'A' ? 'B' : 'A'}${link.slice(sign + 1)}`;
      const wrong = await openPage(server, forged, 'POST');
      assert.equal(wrong.status, 400);
      const page = await openPage(server, link);
      assert.deepEqual([page.status, page.html.includes('method="post"')], [200, true]);
      assert.deepEqual(await addresses(alice), [email]);
      assert.equal((await openPage(server, link, 'POST')).status, 200);
      assert.deepEqual(await addresses(alice), []);
      assert.equal((await openPage(server, link, 'POST')).status, 200);
    });
  });
}

test('email notifications that are due after the process has died are sent by the next one', async (context) => {
  const first = await startServerWithMail();
  context.after(() => first.close());
  const [alice, bob, email] = [await first.server.registerUser(), await first.server.registerUser(), newAddress()];
  await first.addTo(alice, email);
  const pusher = { kind: 'email', app_id: 'm.email', pushkey: email, app_display_name: 'Email' };
  const described = { ...pusher, device_display_name: email, lang: 'en', data: {} };
  assert.equal(outcome(await alice.post(`${v3}/pushers/set`, described)), '200');
  const roomId = await createRoom(bob, { name: 'Tea' });
  await join(alice, roomId);
  await say(bob, roomId, 'secret');

  const raw = await openRawDatabase(`sqlite:${joinPath(first.server.dataDir, 'portico.db')}`);
  context.after(() => raw.close());
  const isTimed = async () => (await raw.run('select 1 as is_timed from pushers where retry_at > 0')).length > 0;
  while (!(await isTimed())) await new Promise((resolve) => setTimeout(resolve, 20));

  // What is on the disk at this moment is what a kill leaves.
  const dataDir = mkdtempSync(joinPath(tmpdir(), 'portico-mail-'));
  cpSync(first.server.dataDir, dataDir, { recursive: true, filter: (path) => !path.endsWith('.sock') });
  const second = await startServerWithMail({ dataDir, now: () => Date.now() + 11 * minute });
  context.after(async () => {
    await second.close();
    rmSync(dataDir, { recursive: true, force: true });
  });
  assert.match((await second.smtp.next(email)).text, /Tea: 1 message from/);
  assert.equal(first.smtp.received.filter(({ text }) => text.includes('Tea')).length, 0);
});
