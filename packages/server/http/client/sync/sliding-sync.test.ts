import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createPair, serverOfSuite } from '@portico/testkit/server-of-suite.ts';
import { createSyncClient, type SlidRoom } from '@portico/testkit/sync-client.ts';

const list = (more: object = {}) => ({ all: { ranges: [[0, 19]], timeline_limit: 10, required_state: [], ...more } });
const said = (room: SlidRoom | undefined) =>
  (room?.timeline ?? []).filter((event) => event.type === 'm.room.message').map((event) => event.content['body']);
const stateOf = (room: SlidRoom | undefined) =>
  (room?.required_state ?? []).map((event) => `${event.type} ${event.state_key ?? '-'}`).toSorted();

for (const engine of ['sqlite', 'postgres'] as const) {
  describe(`sliding sync (${engine})`, () => {
    const server = serverOfSuite({ engine });

    const person = async () => createSyncClient(await server.registerUser());
    const pair = () => createPair(server);

    test('a room comes whole at first, and then what is new in it', async () => {
      const { alice, bob, roomId } = await pair();
      await alice.send(roomId, 'one');
      const body = { lists: list({ required_state: [['m.room.create', '']] }) };
      const first = await bob.slide(body);
      assert.deepEqual(first.lists, { all: { count: 1 } });
      const room = first.rooms[roomId];
      assert.equal(room?.initial, true);
      assert.deepEqual(said(room), ['one']);
      assert.deepEqual(stateOf(room), ['m.room.create ']);
      const displayname = alice.userId.slice(1, alice.userId.indexOf(':'));
      assert.deepEqual(room.heroes, [{ user_id: alice.userId, displayname }]);
      assert.deepEqual([room.joined_count, room.invited_count, room.limited, room.num_live], [2, 0, false, 0]);
      assert.equal(room.notification_count, 1);
      await alice.send(roomId, 'two');
      const second = await bob.slide(body, { pos: first.pos });
      const delta = second.rooms[roomId];
      assert.deepEqual(said(delta), ['two']);
      assert.deepEqual(
        [delta?.initial, delta?.limited, delta?.num_live, delta?.notification_count],
        [undefined, false, 1, 2],
      );
      assert.equal(delta?.joined_count, undefined);
      assert.ok((delta?.bump_stamp ?? 0) > (room.bump_stamp ?? Infinity));
      const third = await bob.slide(body, { pos: second.pos });
      assert.deepEqual([third.rooms, third.lists], [{}, { all: { count: 1 } }]);
    });

    test('lists are windows on the most active rooms, and grow', async () => {
      const alice = await person();
      const rooms = [];
      for (let count = 0; count < 5; count++) rooms.push(await alice.createRoom());
      const first = await alice.slide({ lists: list({ ranges: [[0, 1]] }) });
      assert.deepEqual(Object.keys(first.rooms).toSorted(), rooms.slice(3).toSorted());
      assert.deepEqual(first.lists, { all: { count: 5 } });
      const second = await alice.slide({ lists: list({ ranges: [[0, 3]] }) }, { pos: first.pos });
      assert.deepEqual(Object.keys(second.rooms).toSorted(), rooms.slice(1, 3).toSorted());
      const [oldest = ''] = rooms;
      await alice.send(oldest, 'up');
      const third = await alice.slide({ lists: list({ ranges: [[0, 0]] }) }, { pos: second.pos });
      assert.deepEqual(Object.keys(third.rooms), [oldest]);
      assert.equal(third.rooms[oldest]?.initial, true);
      assert.equal(third.rooms[oldest].num_live, 1);
    });

    test('of a room that was out of all windows for a while, what it missed comes when it is back', async () => {
      const { alice, bob, roomId } = await pair();
      const other = await bob.createRoom();
      const body = { room_subscriptions: { [roomId]: { timeline_limit: 5, required_state: [['m.room.topic', '']] } } };
      const first = await bob.slide(body);
      assert.equal(first.rooms[roomId]?.initial, true);
      await alice.send(roomId, 'missed');
      await alice.setState(roomId, 'm.room.topic', { topic: 'missed too' });
      const elsewhere = { room_subscriptions: { [other]: { timeline_limit: 1, required_state: [] } } };
      const second = await bob.slide(elsewhere, { pos: first.pos });
      assert.deepEqual(Object.keys(second.rooms), [other]);
      await alice.send(roomId, 'missed as well');
      const third = await bob.slide(elsewhere, { pos: second.pos });
      assert.deepEqual(third.rooms, {});
      const fourth = await bob.slide(body, { pos: third.pos });
      const room = fourth.rooms[roomId];
      assert.deepEqual(said(room), ['missed', 'missed as well']);
      assert.deepEqual(stateOf(room), ['m.room.topic ']);
      assert.deepEqual([room?.initial, room?.limited], [undefined, false]);
      assert.deepEqual((await bob.slide(body, { pos: fourth.pos })).rooms, {});
    });

    test('a larger timeline limit brings more of the past at once', async () => {
      const { alice, bob, roomId } = await pair();
      for (const body of ['1', '2', '3', '4']) await alice.send(roomId, body);
      const small = { lists: list({ timeline_limit: 1 }) };
      const first = await bob.slide(small);
      assert.deepEqual(said(first.rooms[roomId]), ['4']);
      assert.equal(first.rooms[roomId]?.limited, true);
      const large = { ...small, room_subscriptions: { [roomId]: { timeline_limit: 3, required_state: [] } } };
      const second = await bob.slide(large, { pos: first.pos });
      const room = second.rooms[roomId];
      assert.deepEqual(said(room), ['2', '3', '4']);
      assert.deepEqual(
        [room?.unstable_expanded_timeline, room?.initial, room?.num_live, room?.limited],
        [true, undefined, 0, true],
      );
      // Back to less and to more again: nothing is missing.
      const third = await bob.slide(small, { pos: second.pos });
      await alice.send(roomId, '5');
      const fourth = await bob.slide(small, { pos: third.pos });
      assert.deepEqual(said(fourth.rooms[roomId]), ['5']);
      const fifth = await bob.slide(large, { pos: fourth.pos });
      assert.deepEqual(fifth.rooms, {});
      // After a gap there is.
      for (const body of ['6', '7']) await alice.send(roomId, body);
      const sixth = await bob.slide(small, { pos: fifth.pos });
      assert.deepEqual([said(sixth.rooms[roomId]), sixth.rooms[roomId]?.limited], [['7'], true]);
      const seventh = await bob.slide(large, { pos: sixth.pos });
      assert.deepEqual(said(seventh.rooms[roomId]), ['5', '6', '7']);
    });

    test('more required state is sent at once, without what the client has', async () => {
      const { alice, bob, roomId } = await pair();
      await alice.setState(roomId, 'm.room.topic', { topic: 'first' });
      await alice.setState(roomId, 'm.room.pinned_events', { pinned: [] });
      const topic = { lists: list({ required_state: [['m.room.topic', '']], timeline_limit: 0 }) };
      const both = {
        lists: list({
          required_state: [
            ['m.room.topic', ''],
            ['m.room.pinned_events', ''],
          ],
          timeline_limit: 0,
        }),
      };
      const first = await bob.slide(topic);
      assert.deepEqual(stateOf(first.rooms[roomId]), ['m.room.topic ']);
      assert.equal(first.rooms[roomId]?.timeline, undefined);
      const second = await bob.slide(both, { pos: first.pos });
      assert.deepEqual(stateOf(second.rooms[roomId]), ['m.room.pinned_events ']);
      assert.equal(second.rooms[roomId]?.initial, undefined);
      // Less, and more again: only if it has changed meanwhile.
      const third = await bob.slide(topic, { pos: second.pos });
      const fourth = await bob.slide(both, { pos: third.pos });
      assert.deepEqual(fourth.rooms, {});
      const fifth = await bob.slide(topic, { pos: fourth.pos });
      await alice.setState(roomId, 'm.room.pinned_events', { pinned: ['$a'] });
      const sixth = await bob.slide(topic, { pos: fifth.pos });
      assert.deepEqual(stateOf(sixth.rooms[roomId]), []);
      const seventh = await bob.slide(both, { pos: sixth.pos });
      assert.deepEqual(stateOf(seventh.rooms[roomId]), ['m.room.pinned_events ']);
    });

    test('required state: wildcards, the person themselves, and members as they speak', async () => {
      const { alice, bob, roomId } = await pair();
      const carol = await person();
      await carol.join(roomId);
      await alice.setState(roomId, 'm.space.child', { via: ['a'] }, '!a:b');
      await alice.setState(roomId, 'm.space.child', { via: ['a'] }, '!c:d');
      await alice.send(roomId, 'hello');
      const slide = async (required: string[][], limit = 1) =>
        stateOf((await bob.slide({ lists: list({ required_state: required, timeline_limit: limit }) })).rooms[roomId]);
      assert.deepEqual(await slide([['m.space.child', '*']]), ['m.space.child !a:b', 'm.space.child !c:d']);
      assert.deepEqual(await slide([['m.room.member', '$ME']]), [`m.room.member ${bob.userId}`]);
      assert.deepEqual(await slide([['m.room.member', '$LAZY']]), [`m.room.member ${alice.userId}`]);
      assert.deepEqual(await slide([['*', '!a:b']]), ['m.space.child !a:b']);
      const members = [alice, bob, carol].map(({ userId }) => `m.room.member ${userId}`).toSorted();
      assert.deepEqual(await slide([['m.room.member', '*']]), members);
      const lazily = await slide([
        ['*', '*'],
        ['m.room.member', '$LAZY'],
      ]);
      assert.ok(lazily.includes('m.room.create ') && lazily.includes('m.room.join_rules '));
      assert.deepEqual(
        lazily.filter((key) => key.startsWith('m.room.member')),
        [`m.room.member ${alice.userId}`],
      );
      const everything = await slide([['*', '*']]);
      assert.deepEqual(
        everything.filter((key) => key.startsWith('m.room.member')),
        members,
      );
    });

    test('a member who speaks is told once, until there is a gap', async () => {
      const { alice, bob, roomId } = await pair();
      const carol = await person();
      await carol.join(roomId);
      const body = { lists: list({ required_state: [['m.room.member', '$LAZY']], timeline_limit: 2 }) };
      let { pos } = await bob.slide(body);
      async function next(): Promise<string[]> {
        const answer = await bob.slide(body, { pos });
        ({ pos } = answer);
        return stateOf(answer.rooms[roomId]);
      }
      await next();
      await alice.send(roomId, 'one');
      assert.deepEqual(await next(), [`m.room.member ${alice.userId}`]);
      await alice.send(roomId, 'two');
      assert.deepEqual(await next(), []);
      for (const text of ['three', 'four', 'five']) await alice.send(roomId, text);
      assert.deepEqual(await next(), [`m.room.member ${alice.userId}`]);
      await alice.http.put(alice.room(roomId, `state/m.room.member/${encodeURIComponent(alice.userId)}`), {
        membership: 'join',
        displayname: 'Alice in Chains',
      });
      assert.deepEqual(await next(), [`m.room.member ${alice.userId}`]);
    });

    test('names and avatars come when they change, heroes where there is no name', async () => {
      const { alice, bob, roomId } = await pair();
      const body = { lists: list() };
      const first = await bob.slide(body);
      assert.deepEqual([first.rooms[roomId]?.name, first.rooms[roomId]?.heroes?.length], [undefined, 1]);
      await alice.setState(roomId, 'm.room.name', { name: 'Tea' });
      await alice.setState(roomId, 'm.room.avatar', { url: 'mxc://a/b' });
      const second = await bob.slide(body, { pos: first.pos });
      assert.deepEqual([second.rooms[roomId]?.name, second.rooms[roomId]?.avatar], ['Tea', 'mxc://a/b']);
      assert.equal(second.rooms[roomId]?.heroes, undefined);
      await alice.setState(roomId, 'm.room.name', {});
      const third = await bob.slide(body, { pos: second.pos });
      assert.deepEqual([third.rooms[roomId]?.name, third.rooms[roomId]?.avatar], [null, undefined]);
      assert.deepEqual(
        third.rooms[roomId]?.heroes?.map((hero) => hero.user_id),
        [alice.userId],
      );
      assert.equal((await bob.slide(body)).rooms[roomId]?.avatar, 'mxc://a/b');
    });

    test('what is no activity leaves the bump stamp alone, and whatever is moves it', async () => {
      const { alice, bob, roomId } = await pair();
      await alice.send(roomId, 'activity');
      const body = { lists: list({ timeline_limit: 1 }) };
      const first = await bob.slide(body);
      const stamp = first.rooms[roomId]?.bump_stamp ?? 0;
      assert.ok(stamp > 0);
      await alice.setState(roomId, 'm.room.topic', { topic: 'none' });
      const second = await bob.slide(body, { pos: first.pos });
      assert.equal(second.rooms[roomId]?.bump_stamp, undefined);
      assert.equal((await bob.slide(body)).rooms[roomId]?.bump_stamp, stamp);

      let last = stamp;
      for (const [type, isActivity] of [
        ['m.room.message', true],
        ['m.room.encrypted', true],
        ['m.sticker', true],
        ['m.reaction', false],
        ['m.call.invite', true],
        ['m.call.answer', false],
        ['m.poll.start', true],
        ['org.matrix.msc3381.poll.start', true],
        ['m.poll.response', false],
        ['m.beacon_info', true],
        ['org.matrix.msc3672.beacon_info', true],
      ] as const) {
        await alice.send(roomId, 'text', type);
        const now = (await bob.slide(body)).rooms[roomId]?.bump_stamp ?? 0;
        assert.equal(now > last, isActivity, type);
        last = now;
      }
    });

    test('direct conversations are flagged, also when they become that', async () => {
      const { alice, bob, roomId } = await pair();
      const body = { lists: list() };
      const first = await bob.slide(body);
      assert.equal(first.rooms[roomId]?.is_dm, undefined);
      await bob.setAccountData('m.direct', { [alice.userId]: [roomId] });
      const second = await bob.slide(body, { pos: first.pos });
      assert.deepEqual(second.rooms, { [roomId]: { is_dm: true, notification_count: 0, highlight_count: 0 } });
      await bob.setAccountData('m.direct', {});
      const third = await bob.slide(body, { pos: second.pos });
      assert.deepEqual(third.rooms, { [roomId]: { is_dm: false, notification_count: 0, highlight_count: 0 } });
    });

    test('reading makes the counts others, and says so', async () => {
      const { alice, bob, roomId } = await pair();
      const eventId = await alice.send(roomId, 'read me');
      const body = { lists: list() };
      const first = await bob.slide(body);
      assert.equal(first.rooms[roomId]?.notification_count, 1);
      for (const type of ['m.read.private', 'm.read']) {
        await bob.http.post(bob.room(roomId, `receipt/${type}/${encodeURIComponent(eventId)}`), {});
        const second = await bob.slide(body, { pos: first.pos });
        assert.deepEqual(second.rooms[roomId], { notification_count: 0, highlight_count: 0 });
      }
    });
  });
}
