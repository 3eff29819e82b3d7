import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { newAddress, startServerWithMail } from '@portico/testkit/mail-person.ts';
import { createRoom, join, must, pathOf, say } from '@portico/testkit/people.ts';
import type { TestClient } from '@portico/testkit/test-client.ts';

const v3 = '/_matrix/client/v3';
const minute = 60_000;

for (const engine of ['sqlite', 'postgres'] as const) {
  describe(`what email notifications keep quiet about (${engine})`, async () => {
    let ahead = 0;
    const withMail = await startServerWithMail({ engine, now: () => Date.now() + ahead });
    const { server, smtp, addTo } = withMail;
    after(async () => {
      await withMail.close();
      assert.deepEqual(server.errors, []);
    });
    const send = (by: TestClient, roomId: string, more: object = {}) => say(by, roomId, 'secret', more);
    const makeRoom = async (by: TestClient, content: object, ...others: TestClient[]) => {
      const roomId = await createRoom(by, content);
      for (const other of others) await join(other, roomId);
      return roomId;
    };
    async function personWithMail() {
      const [person, email] = [await server.registerUser(), newAddress()];
      await addTo(person, email);
      const names = { app_display_name: 'Email', device_display_name: email, lang: 'en', data: {} };
      await must(person.post(`${v3}/pushers/set`, { kind: 'email', app_id: 'm.email', pushkey: email, ...names }));
      return { person, email };
    }
    type Written = Awaited<ReturnType<typeof personWithMail>>;
    /** Lets time pass until somebody is written to. What they do meanwhile makes the server look after them. */
    async function passTime(...people: Written[]) {
      // Who comes later may be written to while the first are waited for.
      const before = new Map(people.map(({ email }) => [email, mailTo(email).length]));
      for (const { person, email } of people) {
        const notes = await makeRoom(person, { preset: 'private_chat' });
        while (mailTo(email).length === before.get(email)) {
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
      await must(eve.put(`${v3}/profile/${eve.userId}/displayname`, { displayname: injected }));
      await must(mallory.put(`${v3}/profile/${mallory.userId}/displayname`, { displayname: '\u200B\u3164' }));
      const roomId = await makeRoom(
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
      const muted = await makeRoom(bob, { name: 'Muted' }, person);
      const mentions = await makeRoom(bob, { name: 'Mentions' }, person);
      const loud = await makeRoom(bob, { name: 'Loud' }, person, eve);
      const encrypted = await makeRoom(bob, { name: 'Sealed' }, person);
      await send(bob, muted);
      await send(bob, mentions);
      await send(eve, loud);
      await send(person, loud);
      await must(
        bob.put(pathOf(encrypted, 'send/m.room.encrypted/1'), {
          algorithm: 'm.megolm.v1.aes-sha2',
          ciphertext: 'x',
        }),
      );
      await must(eve.post(`${v3}/createRoom`, { name: 'Ignored', invite: [person.userId] }));
      await must(dave.post(`${v3}/createRoom`, { name: 'Unwanted', invite: [person.userId] }));
      const inRoom = (roomId: string) => encodeURIComponent(roomId);
      const isRoom = { kind: 'event_match', key: 'room_id', pattern: muted };
      await must(person.put(`${v3}/pushrules/global/override/${inRoom(muted)}`, { actions: [], conditions: [isRoom] }));
      await must(person.put(`${v3}/pushrules/global/room/${inRoom(mentions)}`, { actions: [] }));
      const data = `${v3}/user/${person.userId}/account_data/`;
      await must(person.put(`${data}m.ignored_user_list`, { ignored_users: { [eve.userId]: {} } }));
      await must(person.put(`${data}m.invite_permission_config`, { ignored_users: [dave.userId] }));
      await passTime(one);
      const [mail, ...more] = mailTo(email);
      assert.match(mail?.text ?? '', /Sealed: 1 message from/);
      assert.doesNotMatch(mail?.text ?? '', /(?:Muted|Mentions|Loud):|Ignored|Unwanted/);
      assert.equal(more.length, 0);
      // Who is mentioned wants to know, also where nothing else is of interest.
      const mention = { 'm.mentions': { user_ids: [person.userId] } };
      await send(bob, mentions, mention);
      await send(bob, muted, mention);
      await passTime(one);
      assert.match(mailTo(email)[1]?.text ?? '', /Mentions: 1 message from/);
      assert.doesNotMatch(mailTo(email)[1]?.text ?? '', /Muted:/);
    });

    test('who had everything erased, also where they have invited somebody', async () => {
      const one = await personWithMail();
      const [bob, zoe] = [await server.registerUser(), await server.registerUser()];
      await must(zoe.put(`${v3}/profile/${zoe.userId}/displayname`, { displayname: 'Zoe Forgotten' }));
      const roomId = await makeRoom(bob, { name: 'Tea' }, one.person, zoe);
      await send(zoe, roomId);
      await must(zoe.post(`${v3}/createRoom`, { name: 'A party', invite: [one.person.userId] }));
      await send(bob, roomId);
      const auth = { type: 'm.login.password', password: 'a password' };
      await must(zoe.post(`${v3}/account/deactivate`, { auth, erase: true }));
      await passTime(one);
      const [mail] = mailTo(one.email);
      assert.match(mail?.text ?? '', /Tea: 1 message from/);
      assert.doesNotMatch(mail?.text ?? '', new RegExp(`Zoe|party|${zoe.userId}`));
    });

    test('accounts that are no more, addresses that are none of theirs any more', async () => {
      const [gone, moved, erased] = [await personWithMail(), await personWithMail(), await personWithMail()];
      const other = await personWithMail();
      const bob = await server.registerUser();
      const roomId = await makeRoom(bob, { name: 'Tea' }, gone.person, moved.person, erased.person, other.person);
      await send(bob, roomId);
      const auth = (who: TestClient) => ({
        type: 'm.login.password',
        identifier: { type: 'm.id.user', user: who.userId },
        password: 'a password',
      });
      await must(gone.person.post(`${v3}/account/deactivate`, { auth: auth(gone.person) }));
      await must(erased.person.post(`${v3}/account/deactivate`, { auth: auth(erased.person), erase: true }));
      await must(moved.person.post(`${v3}/account/3pid/delete`, { medium: 'email', address: moved.email }));
      // Somebody else has it now.
      const heir = await server.registerUser();
      await addTo(heir, moved.email);
      await passTime(other);
      for (const { email } of [gone, moved, erased]) assert.deepEqual(mailTo(email), []);
    });

    test('links end what they are about, and nothing else', async () => {
      const [one, other] = [await personWithMail(), await personWithMail()];
      const bob = await server.registerUser();
      const roomId = await makeRoom(bob, { name: 'Tea' }, one.person, other.person);
      await send(bob, roomId);
      await passTime(one, other);
      const linkIn = (email: string) => {
        const url = /<(.*)>/.exec(mailTo(email)[0]?.headers.get('list-unsubscribe')?.join('') ?? '')?.[1] ?? '';
        return url.slice(url.indexOf('/_portico'));
      };
      const pushers = async ({ person }: typeof one) =>
        ((await must(person.get(`${v3}/pushers`)))['pushers'] as object[]).length;
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
