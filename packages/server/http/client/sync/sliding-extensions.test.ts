import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createPair, serverOfSuite } from '@portico/testkit/server-of-suite.ts';
import { createSyncClient, type SyncClient } from '@portico/testkit/sync-client.ts';

const one = { timeline_limit: 5, required_state: [['m.room.topic', '']] };
const lists = { all: { ...one, ranges: [[0, 99]] } };
const on = { enabled: true };

for (const engine of ['sqlite', 'postgres'] as const) {
  describe(`extensions of sliding sync (${engine})`, () => {
    const server = serverOfSuite({ engine });
    const person = async () => createSyncClient(await server.registerUser());
    const pair = () => createPair(server);

    test('account data of rooms, receipts and typing come for the rooms in their scope', async () => {
      const { alice, bob, roomId } = await pair();
      const other = await alice.createRoom();
      await bob.join(other);
      await bob.setAccountData('u.x', { of: 'room' }, roomId);
      await bob.setAccountData('u.x', { of: 'other' }, other);
      const read = async (room: string) => {
        const id = await alice.send(room, 'x');
        await alice.http.post(alice.room(room, `receipt/m.read/${encodeURIComponent(id)}`), {});
        await alice.http.put(alice.room(room, `typing/${encodeURIComponent(alice.userId)}`), { typing: true });
      };
      await read(roomId);
      await read(other);
      const request = (scope: object, more: object = {}) => ({
        lists: { a: { ...one, ranges: [[0, 0]] }, b: { ...one, ranges: [[1, 1]] } },
        extensions: { account_data: { ...on, ...scope }, receipts: { ...on, ...scope }, typing: { ...on, ...scope } },
        ...more,
      });
      const roomsOf = async (body: object) => {
        const { account_data: data, receipts, typing } = (await bob.slide(body)).extensions;
        const found = [data, receipts, typing].map((part) => Object.keys(part?.rooms ?? {}).toSorted());
        assert.deepEqual(found[0], found[1]);
        assert.deepEqual(found[0], found[2]);
        assert.ok(data?.global.some((event) => event.type === 'm.push_rules'));
        return found[0];
      };
      const both = [roomId, other].toSorted();
      assert.deepEqual(await roomsOf(request({})), both);
      assert.deepEqual(await roomsOf(request({ lists: ['*'] })), both);
      assert.deepEqual(await roomsOf(request({ lists: ['a'] })), [other]);
      assert.deepEqual(await roomsOf(request({ lists: ['a', 'unknown'] })), [other]);
      assert.deepEqual(await roomsOf(request({ lists: [] })), []);
      const subscribed = { lists: {}, room_subscriptions: { [roomId]: one, [other]: one } };
      assert.deepEqual(await roomsOf(request({ rooms: [roomId] }, subscribed)), [roomId]);
      assert.deepEqual(await roomsOf(request({ lists: [] }, subscribed)), both);
      assert.deepEqual(await roomsOf(request({ rooms: [] }, subscribed)), []);
    });

    test('of a room that an extension is for only now, what came before comes too', async () => {
      const { alice, bob, roomId } = await pair();
      const other = await alice.createRoom();
      await bob.join(other);
      const request = (rooms: readonly string[]) => {
        const scope = { ...on, lists: [], rooms };
        return { lists, extensions: { account_data: scope, receipts: scope, typing: scope } };
      };
      const first = await bob.slide(request([roomId]));
      const eventId = await alice.send(other, 'read');
      await alice.http.post(alice.room(other, `receipt/m.read/${encodeURIComponent(eventId)}`), {});
      await bob.setAccountData('u.x', { of: 'other' }, other);
      const second = await bob.slide(request([roomId]), { pos: first.pos });
      assert.deepEqual([second.extensions.account_data, second.extensions.receipts], [undefined, undefined]);
      const third = await bob.slide(request([roomId, other]), { pos: second.pos });
      const { account_data: data, receipts } = third.extensions;
      assert.deepEqual(
        data?.rooms[other]?.map(({ content }) => content),
        [{ of: 'other' }],
      );
      assert.deepEqual(data?.global, []);
      assert.ok(receipts?.rooms[other]?.content[eventId]);
      const fourth = await bob.slide(request([other, roomId]), { pos: third.pos });
      assert.deepEqual(fourth.extensions, {});
    });

    test('what lies beside the timelines comes as it changes, also after a room was out of sight', async () => {
      const { alice, bob, roomId } = await pair();
      const other = await alice.createRoom();
      await bob.join(other);
      const extensions = { account_data: on, receipts: on, typing: on };
      const body = { room_subscriptions: { [roomId]: one }, extensions };
      const first = await bob.slide(body);
      await bob.setAccountData('u.global', { a: 1 });
      await bob.setAccountData('u.x', { a: 1 }, roomId);
      const second = await bob.slide(body, { pos: first.pos });
      const { account_data: data } = second.extensions;
      assert.deepEqual(
        data?.global.map((event) => event.type),
        ['u.global'],
      );
      assert.deepEqual(
        data.rooms[roomId]?.map((event) => event.type),
        ['u.x'],
      );
      assert.deepEqual(second.rooms, {});
      const elsewhere = { room_subscriptions: { [other]: one }, extensions };
      const third = await bob.slide(elsewhere, { pos: second.pos });
      await bob.setAccountData('u.y', { a: 2 }, roomId);
      const fourth = await bob.slide(elsewhere, { pos: third.pos });
      assert.equal(fourth.extensions.account_data?.rooms[roomId], undefined);
      const fifth = await bob.slide(body, { pos: fourth.pos });
      const types = fifth.extensions.account_data?.rooms[roomId]?.map((event) => event.type) ?? [];
      assert.ok(types.includes('u.y'));
      // An extension that is switched on later starts from the beginning.
      const { pos } = await bob.slide({ ...body, extensions: {} }, { pos: fifth.pos });
      const sixth = await bob.slide({ ...body, extensions: { account_data: on } }, { pos });
      assert.ok(sixth.extensions.account_data?.global.some((event) => event.type === 'm.push_rules'));
      assert.equal(sixth.extensions.account_data?.rooms[roomId]?.length, 2);
    });

    test('to-device messages come by a token of their own, until they are acknowledged', async () => {
      const { alice, bob } = await pair();
      let sent = 0;
      const send = (text: string) =>
        alice.http.put(`/_matrix/client/v3/sendToDevice/x.y/t${++sent}`, {
          messages: { [bob.userId]: { '*': { text } } },
        });
      const request = (since?: string, limit?: number) => ({
        conn_id: 'encryption',
        extensions: { to_device: { ...on, ...(since && { since }), ...(limit && { limit }) }, e2ee: on },
      });
      const textsOf = ({ extensions }: Awaited<ReturnType<SyncClient['slide']>>) =>
        extensions.to_device?.events.map((event) => event.content['text']);
      for (const text of ['a', 'b', 'c']) await send(text);
      const first = await bob.slide(request(undefined, 2));
      assert.deepEqual(textsOf(first), ['a', 'b']);
      assert.deepEqual(first.extensions.e2ee?.['device_one_time_keys_count'], { signed_curve25519: 0 });
      const next = first.extensions.to_device?.next_batch;
      const second = await bob.slide(request(next), { pos: first.pos });
      assert.deepEqual(textsOf(second), ['c']);
      const waiting = bob.slide(request(second.extensions.to_device?.next_batch), { pos: second.pos, timeout: 15_000 });
      await send('d');
      assert.deepEqual(textsOf(await waiting), ['d']);
      // The last one was not acknowledged, the others were.
      assert.deepEqual(textsOf(await bob.slide(request())), ['d']);
    });

    test('changed devices come with the extension for encryption', async () => {
      const { alice, bob } = await pair();
      const body = { conn_id: 'encryption', extensions: { e2ee: on } };
      const first = await bob.slide(body);
      assert.equal(first.extensions.e2ee?.device_lists, undefined);
      const keys = { user_id: alice.userId, device_id: alice.http.deviceId, algorithms: ['m.olm'], keys: {} };
      const { status, body: said } = await alice.http.post('/_matrix/client/v3/keys/upload', { device_keys: keys });
      if (status !== 200) {
        const roomId = await alice.createRoom();
        await bob.join(roomId);
        assert.ok(said['errcode']);
      }
      const newcomer = await person();
      const roomId = await newcomer.createRoom();
      await bob.join(roomId);
      const second = await bob.slide(body, { pos: first.pos });
      assert.ok(second.extensions.e2ee?.device_lists?.changed.includes(newcomer.userId));
    });
  });
}
