import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createPair, serverOfSuite } from '@portico/testkit/server-of-suite.ts';
import { createSyncClient, type SlidRoom, type SyncClient } from '@portico/testkit/sync-client.ts';

const on = { enabled: true };
const one = { timeline_limit: 5, required_state: [['m.room.topic', '']] };
const lists = { all: { ...one, ranges: [[0, 99]] } };
const countsOf = (room: SlidRoom | undefined) => [room?.notification_count, room?.highlight_count];

for (const engine of ['sqlite', 'postgres'] as const) {
  describe(`what sliding sync tells of changes (${engine})`, () => {
    const server = serverOfSuite({ engine });
    const person = async () => createSyncClient(await server.registerUser());
    const pair = () => createPair(server);
    const read = (by: SyncClient, roomId: string, eventId: string) =>
      by.http.post(by.room(roomId, `receipt/m.read/${encodeURIComponent(eventId)}`), {});

    test('a room that is forgotten leaves the lists at once', { timeout: 20_000 }, async () => {
      const { alice, bob, roomId } = await pair();
      await alice.kick(roomId, bob.userId);
      const first = await bob.slide({ lists });
      assert.equal(first.lists['all']?.count, 1);
      const waiting = bob.slide({ lists }, { pos: first.pos, timeout: 60_000 });
      await bob.http.post(bob.room(roomId, 'forget'), {});
      const second = await waiting;
      assert.deepEqual([second.rooms, second.lists], [{}, { all: { count: 0 } }]);
    });

    test('a list whose length changes out of its window says so at once', { timeout: 20_000 }, async () => {
      const { alice, bob, roomId } = await pair();
      const other = await alice.createRoom();
      await bob.join(other);
      const window = { all: { ...one, ranges: [[0, 0]] } };
      const first = await bob.slide({ lists: window });
      assert.deepEqual([Object.keys(first.rooms), first.lists['all']?.count], [[other], 2]);
      const waiting = bob.slide({ lists: window }, { pos: first.pos, timeout: 60_000 });
      await bob.leave(roomId);
      assert.deepEqual((await waiting).lists, { all: { count: 1 } });
    });

    test('state that is redacted is told as it is now, and so are name and avatar', async () => {
      for (const limit of [10, 1]) {
        const { alice, bob, roomId } = await pair();
        const named = await alice.setState(roomId, 'm.room.name', { name: 'Tea' });
        const pictured = await alice.setState(roomId, 'm.room.avatar', { url: 'mxc://a/b' });
        const about = await alice.setState(roomId, 'm.room.topic', { topic: 'Cups' });
        const body = { lists: { all: { ...one, timeline_limit: limit } } };
        const first = await bob.slide(body);
        assert.deepEqual([first.rooms[roomId]?.name, first.rooms[roomId]?.avatar], ['Tea', 'mxc://a/b']);
        for (const eventId of [named, pictured, about]) await alice.redact(roomId, eventId);
        const second = await bob.slide(body, { pos: first.pos });
        const room = second.rooms[roomId];
        assert.deepEqual([room?.name, room?.avatar, room?.limited], [null, null, limit === 1]);
        assert.deepEqual(
          room?.heroes?.map((hero) => hero.user_id),
          [alice.userId],
        );
        assert.deepEqual(
          room?.required_state?.map(({ event_id: id, content }) => [id, content]),
          [[about, {}]],
        );
        // Nothing of it is news any more, whatever else is redacted.
        await alice.redact(roomId, await alice.send(roomId, 'oops'));
        const third = (await bob.slide(body, { pos: second.pos })).rooms[roomId];
        assert.deepEqual([third?.name, third?.avatar, third?.required_state], [undefined, undefined, undefined]);
      }
    });

    test('counts are those of the room with its threads, in whatever is said of it', async () => {
      const { alice, bob, roomId } = await pair();
      const root = await alice.send(roomId, 'root');
      const inThread = { msgtype: 'm.text', body: 'x', 'm.relates_to': { rel_type: 'm.thread', event_id: root } };
      await alice.http.put(alice.room(roomId, 'send/m.room.message/thread'), inThread);
      const first = await bob.slide({ lists });
      assert.deepEqual(countsOf(first.rooms[roomId]), [2, 0]);
      await bob.setAccountData('m.direct', { [alice.userId]: [roomId] });
      const second = await bob.slide({ lists }, { pos: first.pos });
      assert.deepEqual([second.rooms[roomId]?.is_dm, ...countsOf(second.rooms[roomId])], [true, 2, 0]);
      // A receipt for the main timeline leaves the thread unread.
      await bob.http.post(bob.room(roomId, `receipt/m.read/${encodeURIComponent(root)}`), { thread_id: 'main' });
      const third = await bob.slide({ lists }, { pos: second.pos });
      assert.deepEqual(countsOf(third.rooms[roomId]), [1, 0]);
    });

    test('of a room that was out of sight, how much was read of it meanwhile', async () => {
      for (const type of ['m.read', 'm.read.private']) {
        const { alice, bob, roomId } = await pair();
        const eventId = await alice.send(roomId, 'one');
        await alice.send(roomId, 'two');
        const body = { room_subscriptions: { [roomId]: one } };
        const first = await bob.slide(body);
        assert.deepEqual(countsOf(first.rooms[roomId]), [2, 0]);
        const second = await bob.slide({}, { pos: first.pos });
        await bob.http.post(bob.room(roomId, `receipt/${type}/${encodeURIComponent(eventId)}`), {});
        const third = await bob.slide({}, { pos: second.pos });
        const fourth = await bob.slide(body, { pos: third.pos });
        assert.deepEqual(fourth.rooms, { [roomId]: { notification_count: 1, highlight_count: 0 } });
        assert.deepEqual((await bob.slide(body, { pos: fourth.pos })).rooms, {});
      }
    });

    test('what ignored people say does not move a room up', async () => {
      const [alice, bob, carol] = [await person(), await person(), await person()];
      const roomId = await alice.createRoom();
      await bob.join(roomId);
      await carol.join(roomId);
      await alice.send(roomId, 'heard');
      const body = { lists: { all: { ...one, timeline_limit: 1 } } };
      const before = await bob.slide(body);
      const stamp = before.rooms[roomId]?.bump_stamp;
      assert.ok(stamp !== undefined && stamp > 0);
      await bob.setAccountData('m.ignored_user_list', { ignored_users: { [carol.userId]: {} } });
      for (const text of ['one', 'two', 'three']) await carol.send(roomId, text);
      const after = await bob.slide(body, { pos: before.pos });
      assert.ok([undefined, stamp].includes(after.rooms[roomId]?.bump_stamp), String(after.rooms[roomId]?.bump_stamp));
      assert.equal((await bob.slide(body)).rooms[roomId]?.bump_stamp, stamp);
      assert.ok(((await alice.slide(body)).rooms[roomId]?.bump_stamp ?? 0) > stamp);
    });

    test('a client that wants to see no events is told all the same that there were some', async () => {
      const { alice, bob, roomId } = await pair();
      const body = { lists: { all: { timeline_limit: 0, required_state: [] } } };
      const first = await bob.slide(body);
      const said = await alice.send(roomId, 'something');
      const second = await bob.slide(body, { pos: first.pos });
      const { bump_stamp: stamp = 0, ...room } = second.rooms[roomId] ?? {};
      assert.ok(stamp > (first.rooms[roomId]?.bump_stamp ?? Infinity));
      assert.deepEqual(room, { notification_count: 1, highlight_count: 0 });
      await alice.http.put(alice.room(roomId, 'send/m.reaction/r'), {
        'm.relates_to': { rel_type: 'm.annotation', event_id: said, key: 'x' },
      });
      const third = await bob.slide(body, { pos: second.pos });
      assert.deepEqual(third.rooms, {});
    });

    test('nobody is shown typing for ever who stopped while the client was not told', async () => {
      const { alice, bob, roomId } = await pair();
      const other = await alice.createRoom();
      await bob.join(other);
      const typing = (isTyping: boolean) =>
        alice.http.put(alice.room(roomId, `typing/${encodeURIComponent(alice.userId)}`), { typing: isTyping });
      const typistsIn = ({ extensions }: Awaited<ReturnType<SyncClient['slide']>>) =>
        extensions.typing?.rooms[roomId]?.content['user_ids'];
      const top = { lists: { top: { ...one, ranges: [[0, 0]] } } };
      const shown = { room_subscriptions: { [roomId]: one } };
      const scoped = (rooms: string[]) => ({ lists, extensions: { typing: { ...on, lists: [], rooms } } });
      const extensions = { typing: on };
      const ways: { name: string; before: object; meanwhile: object; move?: () => Promise<unknown>; after: object }[] =
        [
          { name: 'out of sight', before: shown, meanwhile: {}, after: shown },
          { name: 'out of the window', before: top, meanwhile: top, move: () => alice.send(other, 'up'), after: top },
          { name: 'turned off', before: { lists }, meanwhile: { lists, extensions: {} }, after: { lists } },
          { name: 'out of scope', before: scoped([roomId]), meanwhile: scoped([other]), after: scoped([roomId]) },
          {
            name: 'another scope',
            before: scoped([roomId]),
            meanwhile: scoped([roomId]),
            after: scoped([other, roomId]),
          },
        ];
      for (const { name, before, meanwhile, move, after } of ways) {
        await alice.send(roomId, 'up');
        await typing(true);
        const first = await bob.slide({ extensions, ...before });
        assert.deepEqual(typistsIn(first), [alice.userId], name);
        await move?.();
        const second = await bob.slide({ extensions, ...meanwhile }, { pos: first.pos });
        await typing(false);
        const hears = name === 'another scope';
        const third = hears ? second : await bob.slide({ extensions, ...meanwhile }, { pos: second.pos });
        if (move !== undefined) await alice.send(roomId, 'up again');
        const fourth = await bob.slide({ extensions, ...after }, { pos: third.pos });
        assert.deepEqual(typistsIn(fourth), [], name);
        const fifth = await bob.slide({ extensions, ...after }, { pos: fourth.pos });
        assert.equal(typistsIn(fifth), undefined, name);
      }
      assert.equal(typistsIn(await bob.slide({ lists, extensions })), undefined);
    });

    test('of a room that comes into the scope of an extension, what came while it was not', async () => {
      const { alice, bob, roomId } = await pair();
      const other = await alice.createRoom();
      await bob.join(other);
      const scope = { ...on, lists: ['top'], rooms: [] };
      const body = {
        lists: { top: { ...one, ranges: [[0, 0]] }, rest: { ...one, ranges: [[1, 9]] } },
        extensions: { account_data: scope, receipts: scope, typing: scope },
      };
      const roomsOf = ({ account_data: data, receipts }: Awaited<ReturnType<SyncClient['slide']>>['extensions']) => [
        Object.keys(data?.rooms ?? {}),
        Object.keys(receipts?.rooms ?? {}),
      ];
      await read(alice, roomId, await alice.send(roomId, 'before'));
      await read(alice, other, await alice.send(other, 'top'));
      await alice.send(other, 'not read yet');
      await bob.setAccountData('u.before', { a: 1 }, roomId);
      await bob.setAccountData('u.top', { a: 1 }, other);
      const first = await bob.slide(body);
      assert.deepEqual(roomsOf(first.extensions), [[other], [other]]);
      // Out of the scope from the beginning.
      const eventId = await alice.send(roomId, 'up');
      const second = await bob.slide(body, { pos: first.pos });
      assert.deepEqual(roomsOf(second.extensions), [[roomId], [roomId]]);
      assert.deepEqual(
        second.extensions.account_data?.rooms[roomId]?.map(({ type }) => type),
        ['u.before'],
      );
      // The other one has gone out of it meanwhile.
      await bob.setAccountData('u.later', { a: 2 }, other);
      await read(alice, other, await newest(alice, other));
      await read(alice, roomId, eventId);
      const third = await bob.slide(body, { pos: second.pos });
      assert.deepEqual(roomsOf(third.extensions), [[], [roomId]]);
      // Also if an answer is lost.
      const again = await bob.slide(body, { pos: second.pos });
      await alice.send(other, 'up again');
      const fourth = await bob.slide(body, { pos: again.pos });
      const types = fourth.extensions.account_data?.rooms[other]?.map(({ type }) => type).toSorted();
      assert.deepEqual(types, ['u.later', 'u.top']);
      assert.ok(fourth.extensions.receipts?.rooms[other]);
      assert.equal(fourth.rooms[other]?.initial, undefined);
      const fifth = await bob.slide(body, { pos: fourth.pos });
      assert.deepEqual(roomsOf(fifth.extensions), [[], []]);
    });
  });
}

async function newest(by: SyncClient, roomId: string): Promise<string> {
  const { chunk } = (await by.get(roomId, 'messages?dir=b&limit=1')) as { chunk: { event_id: string }[] };
  return chunk[0]?.event_id ?? '';
}
