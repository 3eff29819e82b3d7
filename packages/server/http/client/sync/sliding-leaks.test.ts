import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { serverOfSuite } from '@portico/testkit/server-of-suite.ts';
import { createSyncClient, type SlidingBody, type SyncClient } from '@portico/testkit/sync-client.ts';

const everything = { timeline_limit: 50, required_state: [['*', '*']] };
const on = { enabled: true };
const extensions = {
  account_data: on,
  receipts: on,
  typing: on,
  e2ee: on,
  to_device: on,
  'org.matrix.msc4354.sticky_events': on,
};

for (const engine of ['sqlite', 'postgres'] as const) {
  describe(`what sliding sync must not tell (${engine})`, () => {
    const server = serverOfSuite({ engine });
    const person = async () => createSyncClient(await server.registerUser());

    /** Things happen in a room that somebody has been put out of. */
    async function goOn(alice: SyncClient, roomId: string): Promise<void> {
      const carol = createSyncClient(await server.registerUser());
      await alice.setState(roomId, 'm.room.name', { name: 'SECRET name' });
      await alice.setState(roomId, 'm.room.avatar', { url: 'mxc://SECRET/a' });
      await alice.setState(roomId, 'm.room.encryption', { algorithm: 'SECRET' });
      await alice.setState(roomId, 'x.state', { SECRET: true }, 'SECRET');
      await carol.join(roomId);
      const eventId = await carol.send(roomId, 'SECRET words');
      await carol.stick(roomId, 'SECRET for a while');
      await alice.http.post(alice.room(roomId, `receipt/m.read/${encodeURIComponent(eventId)}`), {});
      await alice.http.put(alice.room(roomId, `typing/${encodeURIComponent(alice.userId)}`), {
        typing: true,
        timeout: 30_000,
      });
      await alice.setState(roomId, 'm.room.topic', { topic: `SECRET ${carol.userId}` });
    }
    function assertSilent(answer: SlidingBody, roomId: string): void {
      assert.doesNotMatch(JSON.stringify(answer), /SECRET/);
      const { receipts, typing } = answer.extensions;
      assert.deepEqual([receipts?.rooms[roomId], typing?.rooms[roomId]], [undefined, undefined]);
    }
    const body = (roomId: string) => ({
      lists: { all: { ...everything, ranges: [[0, 99]] }, locked: { ...everything, filters: { is_encrypted: true } } },
      room_subscriptions: { [roomId]: everything },
      extensions,
    });

    for (const how of ['leave', 'kick', 'ban'] as const) {
      test(`after ${how}, nothing of what comes then, by whichever way it is asked for`, async () => {
        const [alice, bob] = [await person(), await person()];
        const roomId = await alice.createRoom();
        await bob.join(roomId);
        const request = body(roomId);
        const first = await bob.slide(request);
        assert.equal(first.rooms[roomId]?.initial, true);
        const small = await bob.slide({ conn_id: 'small', lists: { all: { timeline_limit: 1, ranges: [[0, 0]] } } });
        await alice.send(roomId, 'still for bob');
        if (how === 'leave') await bob.leave(roomId);
        else await alice[how](roomId, bob.userId);
        await goOn(alice, roomId);

        const second = await bob.slide(request, { pos: first.pos });
        assertSilent(second, roomId);
        const room = second.rooms[roomId];
        assert.deepEqual(
          room?.timeline?.map((event) => event.type),
          ['m.room.message', 'm.room.member'],
        );
        assert.deepEqual([room.joined_count, room.heroes, room.notification_count], [undefined, undefined, undefined]);
        assert.deepEqual(Object.keys(second.rooms), [roomId]);
        await goOn(alice, roomId);
        const third = await bob.slide(request, { pos: second.pos });
        assertSilent(third, roomId);
        assert.deepEqual(third.rooms, {});

        // With wishes for more than before; and without having had anything.
        assertSilent(await bob.slide({ ...request, conn_id: 'small' }, { pos: small.pos }), roomId);
        const anew = await bob.slide({ ...request, conn_id: 'new' });
        assertSilent(anew, roomId);
        assert.equal(anew.lists['locked']?.count, 0);
        assert.deepEqual(Object.keys(anew.rooms), how === 'leave' ? [] : [roomId]);
        if (how !== 'leave') {
          const own = anew.rooms[roomId]?.required_state?.find((event) => event.state_key === bob.userId);
          assert.equal(own?.content['membership'], how === 'ban' ? 'ban' : 'leave');
          assert.ok(anew.rooms[roomId]?.timeline?.some((event) => event.content['body'] === 'still for bob'));
        }
      });
    }

    test('a room that was forgotten is not shown any more', async () => {
      const [alice, bob] = [await person(), await person()];
      const roomId = await alice.createRoom();
      await bob.join(roomId);
      await alice.kick(roomId, bob.userId);
      assert.equal((await bob.slide(body(roomId))).lists['all']?.count, 1);
      await bob.http.post(bob.room(roomId, 'forget'), {});
      const answer = await bob.slide(body(roomId));
      assert.deepEqual([answer.rooms, answer.lists['all']?.count], [{}, 0]);
    });

    test('who was banned or uninvited without ever being in is shown nothing of the room', async () => {
      const [alice, bob] = [await person(), await person()];
      const roomId = await alice.createRoom({ preset: 'public_chat', name: 'SECRET' });
      await alice.ban(roomId, bob.userId);
      const other = await alice.createRoom({ preset: 'private_chat', name: 'SECRET', invite: [bob.userId] });
      await alice.kick(other, bob.userId);
      const answer = await bob.slide(body(roomId));
      assert.deepEqual([answer.rooms, answer.lists['all']?.count], [{}, 0]);
    });

    test('an invitation that is taken back goes, with nothing but that', async () => {
      const [alice, bob] = [await person(), await person()];
      const roomId = await alice.createRoom({ preset: 'private_chat', invite: [bob.userId] });
      const request = body(roomId);
      const first = await bob.slide(request);
      assert.ok(first.rooms[roomId]?.invite_state);
      await goOn(alice, roomId).catch(() => undefined);
      await alice.kick(roomId, bob.userId);
      const second = await bob.slide(request, { pos: first.pos });
      assertSilent(second, roomId);
      assert.deepEqual(
        second.rooms[roomId]?.timeline?.map((event) => event.type),
        ['m.room.member'],
      );
      assert.deepEqual(
        second.rooms[roomId]?.required_state?.map((event) => event.state_key),
        [bob.userId],
      );
    });

    test('rooms of others cannot be subscribed to, public or not', async () => {
      const [alice, bob] = [await person(), await person()];
      const roomId = await alice.createRoom();
      await alice.setState(roomId, 'm.room.history_visibility', { history_visibility: 'world_readable' });
      const answer = await bob.slide(body(roomId));
      assert.deepEqual(answer.rooms, {});
      assert.deepEqual((await bob.slide(body('!no:where'))).rooms, {});
    });

    test('history from before one was invited stays hidden where the room says so', async () => {
      const [alice, bob] = [await person(), await person()];
      const roomId = await alice.createRoom();
      await alice.setState(roomId, 'm.room.history_visibility', { history_visibility: 'joined' });
      await alice.send(roomId, 'SECRET');
      await bob.join(roomId);
      const first = await bob.slide({ lists: { all: { timeline_limit: 1 } } });
      const second = await bob.slide({ lists: { all: { timeline_limit: 50 } } }, { pos: first.pos });
      assert.equal(second.rooms[roomId]?.unstable_expanded_timeline, true);
      assert.doesNotMatch(JSON.stringify([first, second]), /SECRET/);
    });

    test('what is said while one is away for a moment stays hidden where the room says so', async () => {
      const [alice, bob] = [await person(), await person()];
      const roomId = await alice.createRoom();
      await alice.setState(roomId, 'm.room.history_visibility', { history_visibility: 'joined' });
      await bob.join(roomId);
      const request = body(roomId);
      const first = await bob.slide(request);
      const elsewhere = await bob.slide({ conn_id: 'x', lists: { all: everything } });
      const away = await bob.slide({ conn_id: 'x' }, { pos: elsewhere.pos });
      await bob.leave(roomId);
      await alice.send(roomId, 'SECRET');
      await bob.join(roomId);
      const second = await bob.slide(request, { pos: first.pos });
      assert.equal(second.rooms[roomId]?.initial, true);
      const still = await bob.slide({ conn_id: 'x' }, { pos: away.pos });
      const back = await bob.slide({ conn_id: 'x', lists: { all: everything } }, { pos: still.pos });
      assert.equal(back.rooms[roomId]?.initial, true);
      assert.doesNotMatch(JSON.stringify([second, back]), /SECRET/);
    });

    test('messages of people whom one ignores', async () => {
      const [alice, bob] = [await person(), await person()];
      const roomId = await alice.createRoom();
      await bob.join(roomId);
      await bob.setAccountData('m.ignored_user_list', { ignored_users: { [alice.userId]: {} } });
      const first = await bob.slide(body(roomId));
      await alice.send(roomId, 'SECRET');
      const second = await bob.slide(body(roomId), { pos: first.pos });
      assert.doesNotMatch(JSON.stringify([second, await bob.slide(body(roomId))]), /SECRET/);
    });

    test('a position is good for nobody else, on no other device and for no other connection', async () => {
      const [alice, bob] = [await person(), await person()];
      const roomId = await alice.createRoom();
      const { pos } = await alice.slide(body(roomId));
      const path = `/_matrix/client/unstable/org.matrix.simplified_msc3575/sync?pos=${pos}`;
      const logIn = async (user: string, deviceId: string) => {
        const request = { type: 'm.login.password', user, password: 'a password', device_id: deviceId };
        const { status, body: session } = await server.anonymous.post('/_matrix/client/v3/login', request);
        assert.equal(status, 200);
        return server.as({ userId: user, deviceId, accessToken: String(session['access_token']) });
      };
      for (const [who, more] of [
        [await logIn(bob.userId, alice.http.deviceId), {}],
        [await logIn(alice.userId, 'ANOTHER'), {}],
        [alice.http, { conn_id: 'another' }],
      ] as const) {
        const { status, body: refusal } = await who.post(path, { ...body(roomId), ...more });
        assert.deepEqual([status, refusal['errcode']], [400, 'M_UNKNOWN_POS']);
      }
      await alice.slide(body(roomId), { pos });
    });
  });
}
