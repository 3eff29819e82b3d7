import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { openPage } from '@portico/testkit/mail-links.ts';
import { newAddress, startServerWithMail } from '@portico/testkit/mail-person.ts';
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
    let count = 0;
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
    const createRoom = async (by: TestClient, content: object) =>
      String((await by.post(`${v3}/createRoom`, { preset: 'public_chat', ...content })).body['room_id']);
    const send = async (by: TestClient, roomId: string, body: string) => {
      count += 1;
      const path = `${v3}/rooms/${encodeURIComponent(roomId)}/send/m.room.message/${count}`;
      return String((await by.put(path, { msgtype: 'm.text', body })).body['event_id']);
    };
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
      for (const roomId of [tea, coffee, juice]) await alice.post(`${v3}/join/${encodeURIComponent(roomId)}`, {});
      await setEmail(alice, email);
      /** Lets time pass, and something happen, until there is another email. */
      const passUntilMail = async (roomId: string) => {
        const before = smtp.received.length;
        while (smtp.received.length === before) {
          ahead += 11 * minute;
          await send(bob, roomId, 'secret');
        }
        return smtp.next(email);
      };
      await send(bob, tea, 'secret one');
      const read = await send(bob, coffee, 'secret two');
      await alice.post(`${v3}/rooms/${encodeURIComponent(coffee)}/receipt/m.read/${encodeURIComponent(read)}`, {});
      await send(bob, tea, 'secret three');
      const first = await passUntilMail(juice);
      assert.match(first.text, /Tea: 2 messages from Bob <b>\./);
      assert.doesNotMatch(first.text + first.html, /Coffee|secret/);
      assert.doesNotMatch(first.html, /<b>/);
      assert.match(first.headers.get('subject')?.join() ?? '', /Unread messages/);
      const second = await passUntilMail(juice);
      assert.match(second.text, /Juice: \d+ messages? from/);
      assert.doesNotMatch(second.text, /Tea/);

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

for (const engine of ['sqlite', 'postgres'] as const) {
  describe(`what email notifications keep quiet about (${engine})`, async () => {
    let ahead = 0;
    const withMail = await startServerWithMail({ engine, now: () => Date.now() + ahead });
    const { server, smtp, addTo } = withMail;
    after(async () => {
      await withMail.close();
      assert.deepEqual(server.errors, []);
    });
    let count = 0;
    const room = (roomId: string, rest: string) => `${v3}/rooms/${encodeURIComponent(roomId)}/${rest}`;
    const ok = async (response: Promise<TestResponse>) => {
      const { status, body } = await response;
      assert.equal(status, 200, JSON.stringify(body));
      return body;
    };
    const send = async (by: TestClient, roomId: string, content: object = { msgtype: 'm.text', body: 'secret' }) =>
      String((await ok(by.put(room(roomId, `send/m.room.message/${++count}`), content)))['event_id']);
    const createRoom = async (by: TestClient, content: object, ...others: TestClient[]) => {
      const { room_id: roomId } = await ok(by.post(`${v3}/createRoom`, { preset: 'public_chat', ...content }));
      for (const other of others) await ok(other.post(`${v3}/join/${encodeURIComponent(String(roomId))}`, {}));
      return String(roomId);
    };
    async function personWithMail() {
      const [person, email] = [await server.registerUser(), newAddress()];
      await addTo(person, email);
      const names = { app_display_name: 'Email', device_display_name: email, lang: 'en', data: {} };
      await ok(person.post(`${v3}/pushers/set`, { kind: 'email', app_id: 'm.email', pushkey: email, ...names }));
      return { person, email };
    }
    type Written = Awaited<ReturnType<typeof personWithMail>>;
    /** Lets time pass until somebody is written to. What they do meanwhile makes the server look after them. */
    async function passTime(...people: Written[]) {
      for (const { person, email } of people) {
        const notes = await createRoom(person, { preset: 'private_chat' });
        const before = mailTo(email).length;
        while (mailTo(email).length === before) {
          ahead += 11 * minute;
          await send(person, notes);
        }
      }
    }
    function mailTo(email: string) {
      return smtp.received.filter(({ to, headers }) => to.includes(email) && headers.has('list-unsubscribe'));
    }

    test('names are names, whatever is in them', async () => {
      const one = await personWithMail();
      const { person, email } = one;
      const [eve, mallory] = [await server.registerUser(), await server.registerUser()];
      const injected = 'Bob\r\nBcc: victim@example.org\r\n\r\nFollow this link:\u2028https://evil.example/\u202Egnp';
      await ok(eve.put(`${v3}/profile/${eve.userId}/displayname`, { displayname: injected }));
      await ok(mallory.put(`${v3}/profile/${mallory.userId}/displayname`, { displayname: '\u200B\u3164' }));
      const roomId = await createRoom(
        eve,
        { name: `Tea\n\n<a href="https://evil.example">${'x'.repeat(5000)}` },
        person,
        mallory,
      );
      await send(eve, roomId);
      await send(mallory, roomId);
      await passTime(one);
      const [mail] = mailTo(email);
      assert.ok(mail);
      const { text, html, headers, to } = mail;
      assert.deepEqual([to, headers.get('bcc'), mailTo('victim@example.org')], [[email], undefined, []]);
      const lines = text.trim().split(/(?:\r?\n)+/);
      assert.equal(lines.length, 4, text);
      const [, line = ''] = lines;
      assert.ok(line.includes(mallory.userId), line);
      assert.ok(line.length < 300 && line.startsWith('Tea <a href='), line);
      assert.doesNotMatch(text, /[\u202E\u2028]/);
      assert.doesNotMatch(html, /<a href="https:\/\/evil/);
      assert.equal(html.match(/<a /g)?.length, 1);
    });

    test('rooms that were muted, and people who were ignored, while it was still to be written', async () => {
      const one = await personWithMail();
      const { person, email } = one;
      const [bob, eve, dave] = [await server.registerUser(), await server.registerUser(), await server.registerUser()];
      const muted = await createRoom(bob, { name: 'Muted' }, person);
      const mentions = await createRoom(bob, { name: 'Mentions' }, person);
      const loud = await createRoom(bob, { name: 'Loud' }, person, eve);
      const encrypted = await createRoom(bob, { name: 'Sealed' }, person);
      await send(bob, muted);
      await send(bob, mentions);
      await send(eve, loud);
      await send(person, loud);
      await ok(
        bob.put(room(encrypted, `send/m.room.encrypted/${++count}`), {
          algorithm: 'm.megolm.v1.aes-sha2',
          ciphertext: 'x',
        }),
      );
      await ok(eve.post(`${v3}/createRoom`, { name: 'Ignored', invite: [person.userId] }));
      await ok(dave.post(`${v3}/createRoom`, { name: 'Unwanted', invite: [person.userId] }));
      const inRoom = (roomId: string) => encodeURIComponent(roomId);
      const isRoom = { kind: 'event_match', key: 'room_id', pattern: muted };
      await ok(person.put(`${v3}/pushrules/global/override/${inRoom(muted)}`, { actions: [], conditions: [isRoom] }));
      await ok(person.put(`${v3}/pushrules/global/room/${inRoom(mentions)}`, { actions: [] }));
      const data = `${v3}/user/${person.userId}/account_data/`;
      await ok(person.put(`${data}m.ignored_user_list`, { ignored_users: { [eve.userId]: {} } }));
      await ok(person.put(`${data}m.invite_permission_config`, { ignored_users: [dave.userId] }));
      await passTime(one);
      const [mail, ...more] = mailTo(email);
      assert.match(mail?.text ?? '', /Sealed: 1 message from/);
      assert.doesNotMatch(mail?.text ?? '', /Muted|Mentions|Loud|Ignored|Unwanted/);
      assert.equal(more.length, 0);
      // Who is mentioned wants to know, also where nothing else is of interest.
      const mention = { 'm.mentions': { user_ids: [person.userId] } };
      await send(bob, mentions, { msgtype: 'm.text', body: 'you', ...mention });
      await send(bob, muted, { msgtype: 'm.text', body: 'you', ...mention });
      await passTime(one);
      assert.match(mailTo(email)[1]?.text ?? '', /Mentions: 1 message from/);
      assert.doesNotMatch(mailTo(email)[1]?.text ?? '', /Muted/);
    });

    test('accounts that are no more, addresses that are none of theirs any more', async () => {
      const [gone, moved, erased] = [await personWithMail(), await personWithMail(), await personWithMail()];
      const other = await personWithMail();
      const bob = await server.registerUser();
      const roomId = await createRoom(bob, { name: 'Tea' }, gone.person, moved.person, erased.person, other.person);
      await send(bob, roomId);
      const auth = (who: TestClient) => ({
        type: 'm.login.password',
        identifier: { type: 'm.id.user', user: who.userId },
        password: 'a password',
      });
      await ok(gone.person.post(`${v3}/account/deactivate`, { auth: auth(gone.person) }));
      await ok(erased.person.post(`${v3}/account/deactivate`, { auth: auth(erased.person), erase: true }));
      await ok(moved.person.post(`${v3}/account/3pid/delete`, { medium: 'email', address: moved.email }));
      // Somebody else has it now.
      const heir = await server.registerUser();
      await addTo(heir, moved.email);
      await passTime(other);
      for (const { email } of [gone, moved, erased]) assert.deepEqual(mailTo(email), []);
    });

    test('links end what they are about, and nothing else', async () => {
      const [one, other] = [await personWithMail(), await personWithMail()];
      const bob = await server.registerUser();
      const roomId = await createRoom(bob, { name: 'Tea' }, one.person, other.person);
      await send(bob, roomId);
      await passTime(one, other);
      const linkIn = (email: string) => {
        const url = /<(.*)>/.exec(mailTo(email)[0]?.headers.get('list-unsubscribe')?.join('') ?? '')?.[1] ?? '';
        return url.slice(url.indexOf('/_portico'));
      };
      const pushers = async ({ person }: typeof one) =>
        ((await ok(person.get(`${v3}/pushers`)))['pushers'] as object[]).length;
      const [link, otherLink] = [linkIn(one.email), linkIn(other.email)];
      const [payload, signature] = link.split('token=')[1]?.split('.') ?? [];
      const [otherPayload] = otherLink.split('token=')[1]?.split('.') ?? [];
      const page = (token: string) => `/_portico/client/v1/email/unsubscribe?token=${token}`;
      const ask = (path: string, method: string) => fetch(`${server.baseUrl}${path}`, { method });
      // Scanners of mail follow links, in whatever way.
      for (const method of ['GET', 'HEAD', 'OPTIONS']) assert.ok((await ask(link, method)).ok, method);
      const forgeries = [
        '',
        '.',
        `${payload}.`,
        `.${signature}`,
        `${otherPayload}.${signature}`,
        `${payload}.${signature}x`,
      ];
      for (const token of forgeries) assert.equal((await ask(page(token), 'POST')).status, 400, token);
      assert.deepEqual([await pushers(one), await pushers(other)], [1, 1]);
      // As programs that show mail ask for it: {@link https://www.rfc-editor.org/rfc/rfc8058#section-3.2}
      const oneClick = await fetch(`${server.baseUrl}${link}`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: 'List-Unsubscribe=One-Click',
      });
      assert.equal(oneClick.status, 200);
      assert.deepEqual([await pushers(one), await pushers(other)], [0, 1]);
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
  const { body } = await bob.post(`${v3}/createRoom`, { preset: 'public_chat', name: 'Tea' });
  const roomId = encodeURIComponent(String(body['room_id']));
  await alice.post(`${v3}/join/${roomId}`, {});
  const sent = await bob.put(`${v3}/rooms/${roomId}/send/m.room.message/1`, { msgtype: 'm.text', body: 'secret' });
  assert.equal(outcome(sent), '200');

  const raw = await openRawDatabase(`sqlite:${join(first.server.dataDir, 'portico.db')}`);
  context.after(() => raw.close());
  const isTimed = async () => (await raw.run('select 1 as is_timed from pushers where retry_at > 0')).length > 0;
  while (!(await isTimed())) await new Promise((resolve) => setTimeout(resolve, 20));

  // What is on the disk at this moment is what a kill leaves.
  const dataDir = mkdtempSync(join(tmpdir(), 'portico-mail-'));
  cpSync(first.server.dataDir, dataDir, { recursive: true, filter: (path) => !path.endsWith('.sock') });
  const second = await startServerWithMail({ dataDir, now: () => Date.now() + 11 * minute });
  context.after(async () => {
    await second.close();
    rmSync(dataDir, { recursive: true, force: true });
  });
  assert.match((await second.smtp.next(email)).text, /Tea: 1 message from/);
  assert.equal(first.smtp.received.filter(({ text }) => text.includes('Tea')).length, 0);
});
