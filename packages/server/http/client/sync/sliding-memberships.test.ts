import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createPair, serverOfSuite } from '@portico/testkit/server-of-suite.ts';
import { createSyncClient } from '@portico/testkit/sync-client.ts';

const list = (more: object = {}) => ({ all: { ranges: [[0, 19]], timeline_limit: 10, required_state: [], ...more } });

for (const engine of ['sqlite', 'postgres'] as const) {
  describe(`memberships in sliding sync (${engine})`, () => {
    const server = serverOfSuite({ engine });

    const person = async () => createSyncClient(await server.registerUser());
    const pair = () => createPair(server);

    test('invitations come with what is known of the room, and then the room', async () => {
      const [alice, bob] = [await person(), await person()];
      const roomId = await alice.createRoom({ name: 'Secret', is_direct: true });
      await alice.setState(roomId, 'm.room.avatar', { url: 'mxc://localhost/picture' });
      const body = { lists: list() };
      const before = await bob.slide(body);
      await alice.invite(roomId, bob.userId);
      const first = await bob.slide(body, { pos: before.pos });
      const invite = first.rooms[roomId];
      assert.ok(invite?.invite_state !== undefined);
      assert.ok(invite.invite_state.some((event) => event.type === 'm.room.name'));
      assert.deepEqual([invite.name, invite.avatar], ['Secret', 'mxc://localhost/picture']);
      assert.ok(invite.invite_state.some((event) => event.state_key === bob.userId));
      assert.deepEqual(
        [invite.timeline, invite.required_state, invite.joined_count],
        [undefined, undefined, undefined],
      );
      assert.deepEqual((await bob.slide(body, { pos: first.pos })).rooms, {});
      await bob.join(roomId);
      const second = await bob.slide(body, { pos: first.pos });
      assert.equal(second.rooms[roomId]?.initial, true);
      assert.equal(second.rooms[roomId].name, 'Secret');
    });

    test('knocking shows what is known of the room', async () => {
      const [alice, bob] = [await person(), await person()];
      const roomId = await alice.createRoom();
      await alice.setState(roomId, 'm.room.join_rules', { join_rule: 'knock' });
      await bob.http.post(`/_matrix/client/v3/knock/${encodeURIComponent(roomId)}`, {});
      const { rooms } = await bob.slide({ lists: list() });
      const own = rooms[roomId]?.invite_state?.find((event) => event.state_key === bob.userId);
      assert.equal(own?.content['membership'], 'knock');
    });

    test('invitations by people whom one ignores are not there', async () => {
      const [alice, bob] = [await person(), await person()];
      const roomId = await alice.createRoom();
      await bob.setAccountData('m.ignored_user_list', { ignored_users: { [alice.userId]: {} } });
      await alice.invite(roomId, bob.userId);
      const body = { lists: list(), room_subscriptions: { [roomId]: { timeline_limit: 1, required_state: [] } } };
      const answer = await bob.slide(body);
      assert.deepEqual([answer.rooms, answer.lists], [{}, { all: { count: 0 } }]);
    });

    test('what people say whom one ignores is no live event', async () => {
      const [alice, bob, carol] = [await person(), await person(), await person()];
      const roomId = await alice.createRoom();
      await bob.join(roomId);
      await carol.join(roomId);
      await bob.setAccountData('m.ignored_user_list', { ignored_users: { [carol.userId]: {} } });
      const first = await bob.slide({ lists: list() });
      await carol.send(roomId, 'unheard');
      await alice.send(roomId, 'heard');
      const room = (await bob.slide({ lists: list() }, { pos: first.pos })).rooms[roomId];
      assert.deepEqual([room?.timeline?.length, room?.num_live], [1, 1]);
    });

    test('a room that one leaves oneself is shown once more, and not at all to a new connection', async () => {
      const { bob, roomId } = await pair();
      const body = { lists: list({ required_state: [['m.room.member', '$ME']] }) };
      const first = await bob.slide(body);
      await bob.leave(roomId);
      const second = await bob.slide(body, { pos: first.pos });
      const own = second.rooms[roomId]?.required_state?.find((event) => event.state_key === bob.userId);
      assert.equal(own?.content['membership'], 'leave');
      const third = await bob.slide(body, { pos: second.pos });
      assert.deepEqual([third.rooms, third.lists], [{}, { all: { count: 0 } }]);
      const anew = await bob.slide(body);
      assert.deepEqual([anew.rooms, anew.lists], [{}, { all: { count: 0 } }]);
    });
  });
}
