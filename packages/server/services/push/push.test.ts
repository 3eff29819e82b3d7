import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { after, describe, test } from 'node:test';
import { type Notification, startTestGateway } from '@portico/testkit/push-gateway.ts';
import { startTestServer, type TestServer } from '@portico/testkit/server.ts';
import type { TestClient } from '@portico/testkit/test-client.ts';

const v3 = '/_matrix/client/v3';
const text = (body: string, more: object = {}) => ({ msgtype: 'm.text', body, ...more });
const sound = { sound: 'default' };

for (const engine of ['sqlite', 'postgres'] as const) {
  describe(`push (${engine})`, async () => {
    const gateway = await startTestGateway();
    const options = { engine, settings: gateway.settings };
    let server: TestServer = await startTestServer(options);
    const { dataDir, databaseUrl } = server;
    after(async () => {
      await server.stop();
      await gateway.close();
      rmSync(dataDir, { recursive: true, force: true });
      assert.deepEqual(server.errors, []);
    });
    let transactions = 0;

    const setPusher = async (who: TestClient, pushkey: string, data: object = {}) => {
      const names = { app_display_name: 'App', device_display_name: 'Phone', lang: 'en' };
      const pusher = { kind: 'http', app_id: 'org.example', pushkey, ...names, data: { url: gateway.url, ...data } };
      assert.equal((await who.post(`${v3}/pushers/set`, pusher)).status, 200);
    };
    const createRoom = async (by: TestClient, content: object = {}) =>
      String((await by.post(`${v3}/createRoom`, { preset: 'public_chat', ...content })).body['room_id']);
    const roomWith = async (by: TestClient, others: readonly TestClient[], content: object = {}) => {
      const roomId = await createRoom(by, content);
      for (const other of others) await other.post(`${v3}/join/${encodeURIComponent(roomId)}`, {});
      return roomId;
    };
    const send = async (by: TestClient, roomId: string, content: object, type = 'm.room.message') => {
      transactions += 1;
      const path = `${v3}/rooms/${encodeURIComponent(roomId)}/send/${type}/${transactions}`;
      const { status, body } = await server.as(by).put(path, content);
      assert.equal(status, 200, JSON.stringify(body));
      return String(body['event_id']);
    };
    const read = (who: TestClient, roomId: string, eventId: string, type = 'm.read') =>
      server
        .as(who)
        .post(`${v3}/rooms/${encodeURIComponent(roomId)}/receipt/${type}/${encodeURIComponent(eventId)}`, {});
    const sentTo = (pushkey: string): Notification[] =>
      gateway.notifications.filter(({ devices }) => devices.some((device) => device.pushkey === pushkey));
    const received = async (pushkey: string, count: number): Promise<Notification[]> => {
      await gateway.until(() => sentTo(pushkey).length >= count);
      return sentTo(pushkey);
    };
    /** Whether a device got nothing but this, told by what it gets next. */
    const receivedOnly = async (pushkey: string, eventIds: readonly string[]) => {
      const last = eventIds.at(-1);
      await gateway.until(() => sentTo(pushkey).some(({ event_id: eventId }) => eventId === last));
      assert.deepEqual(
        sentTo(pushkey).map(({ event_id: eventId }) => eventId),
        eventIds,
      );
    };
    const people = async (...names: string[]) => Promise.all(names.map(() => server.registerUser()));

    test('a device is told of a message with all there is to say about it', async () => {
      const [alice, bob, carol] = (await people('a', 'b', 'c')) as [TestClient, TestClient, TestClient];
      await bob.put(`${v3}/profile/${bob.userId}/displayname`, { displayname: 'Bob' });
      const alias = `room-${engine}-${transactions}`;
      const roomId = await roomWith(bob, [alice, carol], { name: 'Tea', room_alias_name: alias });
      await setPusher(alice, 'full', { extra: [1] });
      await setPusher(alice, 'sparse', { format: 'event_id_only', extra: [1] });
      const content = text('hello');
      const eventId = await send(bob, roomId, content);
      const [full] = await received('full', 1);
      const [sparse] = await received('sparse', 1);
      const ts = full?.devices[0]?.pushkey_ts ?? 0;
      assert.ok(Math.abs(ts - Date.now() / 1000) < 600);
      const device = { app_id: 'org.example', pushkey_ts: ts, data: { extra: [1] } };
      const common = { event_id: eventId, room_id: roomId, prio: 'low', counts: { unread: 1 } };
      assert.deepEqual(full, {
        ...common,
        id: eventId,
        type: 'm.room.message',
        sender: bob.userId,
        sender_display_name: 'Bob',
        room_name: 'Tea',
        room_alias: `#${alias}:localhost`,
        user_is_target: false,
        content,
        devices: [{ ...device, pushkey: 'full', tweaks: {} }],
      });
      assert.deepEqual(sparse, {
        ...common,
        devices: [
          {
            ...device,
            pushkey_ts: sparse?.devices[0]?.pushkey_ts,
            pushkey: 'sparse',
            data: { format: 'event_id_only', extra: [1] },
          },
        ],
      });

      const mention = await send(bob, roomId, text('Alice!', { 'm.mentions': { user_ids: [alice.userId] } }));
      const loud = (await received('full', 2))[1];
      assert.deepEqual([loud?.event_id, loud?.['prio'], loud?.counts], [mention, 'high', { unread: 2 }]);
      assert.deepEqual(loud?.devices[0]?.tweaks, { ...sound, highlight: true });
      const encrypted = await send(carol, roomId, { algorithm: 'm.megolm.v1.aes-sha2' }, 'm.room.encrypted');
      const secret = (await received('full', 3))[2];
      assert.deepEqual([secret?.event_id, secret?.['prio'], secret?.['type']], [encrypted, 'high', 'm.room.encrypted']);
    });

    test('reading says how much is left, and what is read is not told', async () => {
      const [alice, bob] = (await people('a', 'b')) as [TestClient, TestClient];
      const roomId = await roomWith(bob, [alice]);
      const other = await roomWith(bob, [alice]);
      await setPusher(alice, 'reader');
      await send(bob, roomId, text('one'));
      await received('reader', 1);
      const two = await send(bob, other, text('two'));
      await received('reader', 2);
      const three = await send(bob, roomId, text('three'));
      await received('reader', 3);
      assert.deepEqual(
        sentTo('reader').map(({ counts }) => counts.unread),
        [1, 2, 3],
      );
      await read(alice, roomId, three);
      const left = (await received('reader', 4))[3];
      const device = left?.devices[0];
      assert.deepEqual(left, { counts: { unread: 1 }, devices: [device] });
      assert.deepEqual([device?.pushkey, device?.tweaks], ['reader', undefined]);
      await read(alice, other, two, 'm.read.private');
      assert.deepEqual((await received('reader', 5))[4]?.counts, { unread: 0 });

      // An answer is a sign of having read, too.
      await send(bob, roomId, text('four'));
      await received('reader', 6);
      await send(alice, roomId, text('five'));
      assert.deepEqual((await received('reader', 7))[6]?.counts, { unread: 0 });
      assert.equal(sentTo('reader').length, 7);
    });

    test('what is redacted before it was read counts no more on devices that show it', async () => {
      const [alice, bob] = (await people('a', 'b')) as [TestClient, TestClient];
      const roomId = await roomWith(bob, [alice]);
      await setPusher(alice, 'redacted');
      const redact = async (eventId: string) => {
        transactions += 1;
        const path = `${v3}/rooms/${encodeURIComponent(roomId)}/redact/${encodeURIComponent(eventId)}/r${transactions}`;
        assert.equal((await bob.put(path, {})).status, 200);
      };
      const countsSent = () => sentTo('redacted').map(({ event_id: id, counts }) => [id, counts.unread]);
      const one = await send(bob, roomId, text('one'));
      await received('redacted', 1);
      const two = await send(bob, roomId, text('two'));
      await received('redacted', 2);
      const relation = { rel_type: 'm.annotation', event_id: one, key: '+' };
      const reaction = await send(bob, roomId, { 'm.relates_to': relation }, 'm.reaction');
      await redact(reaction);
      await redact(one);
      await received('redacted', 3);
      await redact(two);
      await received('redacted', 4);
      const [none, all] = [undefined, [one, 1]];
      assert.deepEqual(countsSent(), [all, [two, 2], [none, 1], [none, 0]]);
    });

    test('what was read, redacted or left while the gateway was busy is not told', async () => {
      const [alice, bob] = (await people('a', 'b')) as [TestClient, TestClient];
      const [roomId, second, third] = [
        await roomWith(bob, [alice]),
        await roomWith(bob, [alice]),
        await roomWith(bob, [alice]),
      ];
      await setPusher(alice, 'busy');
      let release = (): void => undefined;
      const held = new Promise<void>((resolve) => (release = resolve));
      gateway.answerWith(async ({ devices }) => {
        if (devices[0]?.pushkey === 'busy') await held;
        return {};
      });
      const first = await send(bob, roomId, text('first'));
      await received('busy', 1);
      const readMeanwhile = await send(bob, second, text('read'));
      const redacted = await send(bob, roomId, text('redacted'));
      await send(bob, third, text('left'));
      await read(alice, second, readMeanwhile);
      await bob.put(
        `${v3}/rooms/${encodeURIComponent(roomId)}/redact/${encodeURIComponent(redacted)}/r${transactions}`,
        {},
      );
      await alice.post(`${v3}/rooms/${encodeURIComponent(third)}/leave`, {});
      const last = await send(bob, roomId, text('last'));
      gateway.answerWith();
      release();
      await receivedOnly('busy', [first, last]);
      assert.deepEqual(sentTo('busy').at(-1)?.counts, { unread: 2 });
    });

    test('nobody is told of their own messages, muted rooms, or whom they ignore', async () => {
      const [alice, bob, eve] = (await people('a', 'b', 'e')) as [TestClient, TestClient, TestClient];
      const roomId = await roomWith(bob, [alice, eve]);
      const muted = await roomWith(bob, [alice]);
      await setPusher(alice, 'quiet');
      const rule = { actions: [], conditions: [{ kind: 'event_match', key: 'room_id', pattern: muted }] };
      await alice.put(`${v3}/pushrules/global/override/${encodeURIComponent(muted)}`, rule);
      await alice.put(`${v3}/user/${alice.userId}/account_data/m.ignored_user_list`, {
        ignored_users: { [eve.userId]: {} },
      });
      await send(alice, roomId, text('mine'));
      await send(bob, muted, text('muted'));
      await send(eve, roomId, text('ignored', { 'm.mentions': { user_ids: [alice.userId] } }));
      const heard = await send(bob, roomId, text('heard'));
      await receivedOnly('quiet', [heard]);

      // Another sound is heard at once.
      const actions = ['notify', { set_tweak: 'sound', value: 'gong' }];
      await alice.put(`${v3}/pushrules/global/underride/.m.rule.message/actions`, { actions });
      await send(bob, roomId, text('gong'));
      assert.deepEqual((await received('quiet', 2))[1]?.devices[0]?.tweaks, { sound: 'gong' });
    });

    test('who has turned that on is told of threads that they have subscribed to', async () => {
      const [alice, bob] = (await people('a', 'b')) as [TestClient, TestClient];
      const roomId = await roomWith(bob, [alice]);
      const [followed, other] = [await send(bob, roomId, text('a')), await send(bob, roomId, text('b'))];
      await setPusher(alice, 'threads');
      for (const which of ['subscribed', 'unsubscribed']) {
        const path = `${v3}/pushrules/global/postcontent/.io.element.msc4306.rule.${which}_thread/enabled`;
        assert.equal((await alice.put(path, { enabled: true })).status, 200);
      }
      const unstable = '/_matrix/client/unstable/io.element.msc4306/rooms';
      const thread = `${unstable}/${encodeURIComponent(roomId)}/thread/${encodeURIComponent(followed)}/subscription`;
      const answer = (rootId: string) =>
        send(bob, roomId, text('answer', { 'm.relates_to': { rel_type: 'm.thread', event_id: rootId } }));
      await answer(followed);
      assert.equal((await alice.put(thread, {})).status, 200);
      await answer(other);
      const heard = await answer(followed);
      await receivedOnly('threads', [heard]);
      assert.deepEqual(sentTo('threads')[0]?.devices[0]?.tweaks, sound);
      assert.deepEqual(sentTo('threads')[0]?.counts, { unread: 3 });
      const listed = (await alice.get(`${v3}/notifications`)).body['notifications'] as {
        event: { event_id: string };
      }[];
      const ids = listed.map(({ event }) => event.event_id);
      assert.ok(ids.includes(heard));
      assert.equal(ids.length, 4);
      assert.equal((await alice.delete(thread)).status, 200);
      await answer(followed);
      const last = await send(bob, roomId, text('outside'));
      await receivedOnly('threads', [heard, last]);
    });

    test('an invitation is told unless it is ignored, blocked, or withdrawn by then', async () => {
      const [alice, bob, eve] = (await people('a', 'b', 'e')) as [TestClient, TestClient, TestClient];
      const shared = await roomWith(bob, [alice]);
      await setPusher(alice, 'guest');
      await bob.put(`${v3}/profile/${bob.userId}/displayname`, { displayname: 'Bob' });
      const config = { ignored_users: [eve.userId] };
      await alice.put(`${v3}/user/${alice.userId}/account_data/m.invite_permission_config`, config);
      await createRoom(eve, { invite: [alice.userId], name: 'Spam' });
      const roomId = await createRoom(bob, { invite: [alice.userId], name: 'Party' });
      const [told] = await received('guest', 1);
      assert.equal(sentTo('guest').length, 1);
      assert.deepEqual(
        [told?.room_id, told?.['type'], told?.['room_name'], told?.['sender_display_name'], told?.['user_is_target']],
        [roomId, 'm.room.member', 'Party', 'Bob', true],
      );
      assert.deepEqual([told?.['prio'], told?.devices[0]?.tweaks, told?.counts], ['high', sound, { unread: 0 }]);
      const { content } = told as { content?: { membership?: string } };
      assert.deepEqual([content?.membership, told?.['membership']], ['invite', 'invite']);

      await alice.put(`${v3}/user/${alice.userId}/account_data/m.invite_permission_config`, {
        blocked_users: [eve.userId],
      });
      await createRoom(eve, { invite: [alice.userId] });
      const disabled = { enabled: false };
      await alice.put(`${v3}/pushrules/global/override/.m.rule.invite_for_me/enabled`, disabled);
      await createRoom(bob, { invite: [alice.userId] });
      // They are looked at when it is their turn, so that has to come before the rules change again.
      await send(bob, shared, text('next'));
      assert.equal((await received('guest', 2)).at(-1)?.room_id, shared);
      await alice.put(`${v3}/pushrules/global/override/.m.rule.invite_for_me/enabled`, { enabled: true });
      const next = await createRoom(bob, { invite: [alice.userId] });
      assert.equal((await received('guest', 3)).at(-1)?.room_id, next);
      assert.equal(sentTo('guest').length, 3);
    });

    test('a device that the gateway rejects is told nothing more', async () => {
      const [alice, bob] = (await people('a', 'b')) as [TestClient, TestClient];
      const roomId = await roomWith(bob, [alice]);
      await setPusher(alice, 'gone');
      await setPusher(alice, 'here');
      gateway.answerWith(({ devices }) => ({
        body: { rejected: devices.flatMap(({ pushkey }) => (pushkey === 'gone' ? ['gone'] : [])) },
      }));
      await send(bob, roomId, text('one'));
      await received('here', 1);
      for (;;) {
        const { pushers } = (await alice.get(`${v3}/pushers`)).body as { pushers: { pushkey: string }[] };
        if (pushers.length === 1 && pushers[0]?.pushkey === 'here') break;
      }
      gateway.answerWith();
      await send(bob, roomId, text('two'));
      await received('here', 2);
      assert.equal(sentTo('gone').length, 1);
    });

    test('who joins later, and who comes back, is told from then on', async () => {
      const [alice, bob] = (await people('a', 'b')) as [TestClient, TestClient];
      await setPusher(alice, 'late');
      const roomId = await roomWith(bob, []);
      await send(bob, roomId, text('before'));
      const join = () => alice.post(`${v3}/join/${encodeURIComponent(roomId)}`, {});
      await join();
      const first = await send(bob, roomId, text('first'));
      await received('late', 1);
      await alice.post(`${v3}/rooms/${encodeURIComponent(roomId)}/leave`, {});
      await send(bob, roomId, text('away'));
      await join();
      const second = await send(bob, roomId, text('second'));
      await gateway.until(() => sentTo('late').some(({ event_id: eventId }) => eventId === second));
      const events = sentTo('late').flatMap(({ event_id: eventId }) => eventId ?? []);
      assert.deepEqual(events, [first, second]);
    });

    test('a restart neither loses nor repeats anything', async () => {
      const [alice, bob] = (await people('a', 'b')) as [TestClient, TestClient];
      const roomId = await roomWith(bob, [alice]);
      await setPusher(alice, 'restart');
      const one = await send(bob, roomId, text('one'));
      await received('restart', 1);
      gateway.answerWith(() => ({ status: 503 }));
      const two = await send(bob, roomId, text('two'));
      await received('restart', 2);
      await server.stop();
      assert.deepEqual(server.errors, []);
      gateway.answerWith();
      gateway.clear();
      server = await startTestServer({ ...options, dataDir, databaseUrl });
      const three = await send(bob, roomId, text('three'));
      await receivedOnly('restart', [two, three]);
      assert.notEqual(one, two);
    });
  });
}
