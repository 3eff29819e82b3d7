import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { serverOfSuite } from '@portico/testkit/server-of-suite.ts';
import { createSyncClient, type SyncClient } from '@portico/testkit/sync-client.ts';
import { refusalOf } from '@portico/testkit/test-client.ts';

const v3 = '/_matrix/client/v3';

for (const engine of ['sqlite', 'postgres'] as const) {
  describe(`who is in a room (${engine})`, () => {
    const server = serverOfSuite({ engine });
    let alice: SyncClient;
    let bob: SyncClient;
    before(async () => {
      alice = createSyncClient(await server.registerUser());
      bob = createSyncClient(await server.registerUser());
    });

    const membership = async (roomId: string, who = bob) =>
      (await alice.get(roomId, `state/m.room.member/${who.userId}`))['membership'];
    const act = (who: SyncClient, roomId: string, what: string, target: string) =>
      who.http.post(who.room(roomId, what), { user_id: target });
    const knock = (who: SyncClient, room: string, reason?: string) =>
      who.http.post(`${v3}/knock/${encodeURIComponent(room)}`, reason === undefined ? {} : { reason });

    test('a knock is seen by the knocker and the room, and answered', async () => {
      const roomId = await alice.createRoom({ preset: 'private_chat', name: 'Behind the door' });
      assert.equal(refusalOf(await knock(bob, roomId)), '403 M_FORBIDDEN');
      await alice.setState(roomId, 'm.room.join_rules', { join_rule: 'knock' });
      assert.equal(refusalOf(await bob.http.post(bob.room(roomId, 'join'), {})), '403 M_FORBIDDEN');
      const { status, body } = await knock(bob, roomId, 'Let me in');
      assert.deepEqual([status, body], [200, { room_id: roomId }]);

      const synced = await bob.sync();
      const seen = synced.rooms?.knock?.[roomId]?.knock_state.events ?? [];
      const types = seen.map((event) => event.type);
      assert.deepEqual(types.toSorted(), ['m.room.create', 'm.room.join_rules', 'm.room.member', 'm.room.name']);
      const own = seen.find((event) => event.type === 'm.room.member');
      assert.deepEqual(
        [own?.state_key, own?.content['membership'], own?.content['reason']],
        [bob.userId, 'knock', 'Let me in'],
      );
      assert.equal((await knock(bob, roomId, 'Again')).status, 200);

      await bob.leave(roomId);
      const withdrawn = (await bob.sync({ since: synced.next_batch })).rooms?.leave?.[roomId];
      assert.equal(withdrawn?.timeline.events[0]?.content['membership'], 'leave');
      await knock(bob, roomId);
      assert.equal((await act(alice, roomId, 'kick', bob.userId)).status, 200);
      assert.equal(await membership(roomId), 'leave');
      await knock(bob, roomId);
      await alice.invite(roomId, bob.userId);
      assert.equal(refusalOf(await knock(bob, roomId)), '403 M_FORBIDDEN');
      await bob.join(roomId);
      assert.equal(refusalOf(await knock(bob, roomId)), '403 M_FORBIDDEN');
      await alice.ban(roomId, bob.userId);
      assert.equal(refusalOf(await knock(bob, roomId)), '403 M_FORBIDDEN');
    });

    test('knocking by alias, on nothing, and on rooms that are too old', async () => {
      const alias = `knock-${engine}`;
      const initial_state = [{ type: 'm.room.join_rules', content: { join_rule: 'knock' } }];
      const roomId = await alice.createRoom({ room_alias_name: alias, initial_state });
      assert.deepEqual((await knock(bob, `#${alias}:localhost`)).body, { room_id: roomId });
      assert.equal(refusalOf(await knock(bob, '#nothing:localhost')), '404 M_NOT_FOUND');
      assert.equal(refusalOf(await knock(bob, '!nothing:localhost')), '404 M_NOT_FOUND');
      const old = await alice.createRoom({ room_version: '6', initial_state });
      assert.equal(refusalOf(await knock(bob, old)), '403 M_FORBIDDEN');
    });

    test('the same invitation twice is one', async () => {
      const roomId = await alice.createRoom({ preset: 'private_chat' });
      const invited = async () => {
        const { status } = await act(alice, roomId, 'invite', bob.userId);
        const { body } = await alice.http.get(alice.room(roomId, `state/m.room.member/${bob.userId}?format=event`));
        return [status, body['event_id']];
      };
      const first = await invited();
      assert.deepEqual(await invited(), first);
      await alice.http.post(alice.room(roomId, 'invite'), { user_id: bob.userId, reason: 'Do come' });
      const withReason = await invited();
      assert.notDeepEqual(withReason, first);
      await bob.leave(roomId);
      assert.notDeepEqual(await invited(), withReason);
    });

    const memberEvent = async (roomId: string, userId: string) =>
      (await alice.http.get(alice.room(roomId, `state/m.room.member/${userId}?format=event`))).body['event_id'];

    test('the same knock twice is one', async () => {
      const roomId = await alice.createRoom({ preset: 'private_chat' });
      await alice.setState(roomId, 'm.room.join_rules', { join_rule: 'knock' });
      assert.equal((await knock(bob, roomId)).status, 200);
      const knocked = await memberEvent(roomId, bob.userId);
      assert.equal((await knock(bob, roomId)).status, 200);
      assert.equal(await memberEvent(roomId, bob.userId), knocked);
    });

    test('who sets a membership as any state, and says nothing of a profile, gets that of the person into it', async () => {
      const guest = createSyncClient(await server.registerUser());
      await guest.http.put(`/_matrix/client/v3/profile/${guest.userId}/displayname`, { displayname: 'Guest' });
      const roomId = await alice.createRoom();
      const put = (by: SyncClient, content: object) =>
        by.http.put(by.room(roomId, `state/m.room.member/${guest.userId}`), content);
      const member = () => alice.get(roomId, `state/m.room.member/${guest.userId}`);
      const { body: invited } = await put(alice, { membership: 'invite' });
      assert.deepEqual(await member(), { membership: 'invite', displayname: 'Guest' });
      // What "invite" makes of it is the same.
      await alice.http.post(alice.room(roomId, 'invite'), { user_id: guest.userId });
      assert.equal(await memberEvent(roomId, guest.userId), invited['event_id']);
      assert.equal((await put(guest, { membership: 'join' })).status, 200);
      assert.deepEqual(await member(), { membership: 'join', displayname: 'Guest' });
      const own = { membership: 'join', avatar_url: 'mxc://localhost/here' };
      assert.equal((await put(guest, own)).status, 200);
      assert.deepEqual(await member(), own, 'another profile for the room is theirs to choose');
      assert.equal((await put(alice, { membership: 'leave' })).status, 200);
      assert.deepEqual(await member(), { membership: 'leave' });
    });

    test('the same ban twice is one', async () => {
      const roomId = await alice.createRoom();
      await alice.ban(roomId, bob.userId);
      const banned = await memberEvent(roomId, bob.userId);
      await alice.ban(roomId, bob.userId);
      assert.equal(await memberEvent(roomId, bob.userId), banned);
      await alice.http.post(alice.room(roomId, 'ban'), { user_id: bob.userId, reason: 'Again' });
      assert.notEqual(await memberEvent(roomId, bob.userId), banned);
    });

    test('who was in no room cannot be thrown out of it, and who is in it cannot be invited', async () => {
      const roomId = await alice.createRoom();
      assert.equal(refusalOf(await act(alice, roomId, 'kick', bob.userId)), '403 M_FORBIDDEN');
      await bob.join(roomId);
      assert.equal(refusalOf(await act(alice, roomId, 'invite', bob.userId)), '403 M_FORBIDDEN');
      assert.equal(refusalOf(await act(bob, roomId, 'kick', alice.userId)), '403 M_FORBIDDEN');
      assert.equal(refusalOf(await act(alice, roomId, 'unban', bob.userId)), '403 M_BAD_STATE');
      assert.equal(refusalOf(await act(alice, roomId, 'kick', 'nobody')), '400 M_INVALID_PARAM');
      await bob.leave(roomId);
      assert.equal(refusalOf(await act(alice, roomId, 'kick', bob.userId)), '403 M_FORBIDDEN');
      for (let times = 0; times < 2; times++) assert.equal((await act(alice, roomId, 'ban', bob.userId)).status, 200);
      assert.equal(refusalOf(await act(alice, roomId, 'invite', bob.userId)), '403 M_FORBIDDEN');
      assert.equal(refusalOf(await bob.http.post(bob.room(roomId, 'join'), {})), '403 M_FORBIDDEN');
      assert.equal((await act(alice, roomId, 'unban', bob.userId)).status, 200);
      await bob.join(roomId);
      const stranger = createSyncClient(await server.registerUser());
      assert.equal(refusalOf(await act(stranger, roomId, 'ban', bob.userId)), '403 M_FORBIDDEN');
    });

    test('a room is forgotten once it has been left, and only until one returns', async () => {
      const roomId = await alice.createRoom();
      const forget = (who: SyncClient, id = roomId) => who.http.post(who.room(id, 'forget'), {});
      await bob.join(roomId);
      await alice.send(roomId, 'hello');
      assert.equal(refusalOf(await forget(bob)), '400 M_UNKNOWN');
      const before = await bob.sync();
      await bob.leave(roomId);
      const messages = () => bob.http.get(bob.room(roomId, 'messages?dir=b'));
      assert.equal((await messages()).status, 200);
      assert.equal((await forget(bob)).status, 200);
      assert.equal((await forget(bob)).status, 200);
      assert.equal(refusalOf(await messages()), '403 M_FORBIDDEN');
      const filter = { room: { include_leave: true } };
      assert.equal((await bob.sync({ filter })).rooms?.leave?.[roomId], undefined);
      // Other devices still hear that the room was left.
      assert.ok((await bob.sync({ filter, since: before.next_batch })).rooms?.leave?.[roomId]);
      await bob.join(roomId);
      assert.equal((await messages()).status, 200);
      assert.equal((await forget(bob, '!nowhere:localhost')).status, 200);

      const invited = await alice.createRoom({ preset: 'private_chat', invite: [bob.userId] });
      assert.equal(refusalOf(await forget(bob, invited)), '400 M_UNKNOWN');
      await bob.leave(invited);
      assert.equal((await forget(bob, invited)).status, 200);
    });

    test('a restricted room lets in who is in the room that it names', async () => {
      const space = await alice.createRoom({ creation_content: { type: 'm.space' }, preset: 'public_chat' });
      const allow = [
        { type: 'org.example', room_id: 1 },
        { type: 'm.room_membership', room_id: space },
      ];
      const initial_state = [{ type: 'm.room.join_rules', content: { join_rule: 'restricted', allow } }];
      for (const room_version of ['8', '12']) {
        const roomId = await alice.createRoom({ room_version, initial_state });
        const person = createSyncClient(await server.registerUser());
        const join = () => person.http.post(person.room(roomId, 'join'), {});
        assert.equal(refusalOf(await join()), '403 M_FORBIDDEN');
        await person.join(space);
        assert.equal((await join()).status, 200);
        const member = await alice.get(roomId, `state/m.room.member/${person.userId}`);
        assert.equal(member['join_authorised_via_users_server'], alice.userId);
        await person.leave(roomId);
        await alice.leave(roomId);
        assert.equal(refusalOf(await join()), '400 M_UNABLE_TO_GRANT_JOIN');
      }
    });

    test('what no one may set is a bad request', async () => {
      const roomId = await alice.createRoom();
      const put = (type: string, content: object) => alice.http.put(alice.room(roomId, `state/${type}/`), content);
      assert.equal(refusalOf(await put('m.room.create', { room_version: '12' })), '400 M_BAD_JSON');
      assert.equal(refusalOf(await put('m.room.power_levels', { users: { [alice.userId]: 100 } })), '400 M_BAD_JSON');
      const beyond = { users: { [bob.userId]: 2 ** 53 } };
      assert.equal(refusalOf(await put('m.room.power_levels', beyond)), '400 M_BAD_JSON');
      for (const odd of [{ users_default: '1' }, { events: { x: '1' } }, { users: [] }, { users: { nobody: 1 } }]) {
        assert.equal(refusalOf(await put('m.room.power_levels', odd)), '400 M_BAD_JSON');
      }
      const member = alice.room(roomId, `state/m.room.member/${alice.userId}`);
      for (const odd of [{}, { membership: 'here' }]) {
        assert.equal(refusalOf(await alice.http.put(member, odd)), '400 M_BAD_JSON');
      }
      // The second time it is compared with what is there.
      for (const content of [{ text: 'a\ud800' }, {}, { text: 'a\ud800' }, { [`\ud800`]: 1 }, { text: 2 ** 60 }]) {
        const isLegal = Object.keys(content).length === 0;
        const { status, body } = await put('org.example.odd', content);
        assert.deepEqual([status, body['errcode']], isLegal ? [200, undefined] : [400, 'M_BAD_JSON']);
      }
    });

    test('an invitation says whom: a person, or an address with its identity server', async () => {
      const roomId = await alice.createRoom();
      const invite = async (body?: object) => refusalOf(await alice.http.post(alice.room(roomId, 'invite'), body));
      assert.equal(await invite(), '400 M_NOT_JSON');
      assert.equal(await invite({}), '400 M_MISSING_PARAM');
      assert.equal(await invite({ user_id: null, reason: 'none' }), '400 M_MISSING_PARAM');
      assert.equal(await invite({ medium: 'email', address: 'bob@localhost' }), '400 M_MISSING_PARAM');
      assert.equal(await invite({ user_id: 5 }), '400 M_BAD_JSON');
      assert.equal(await invite({ user_id: bob.userId, medium: null }), '200 undefined');
    });

    test('rooms that cannot be created', async () => {
      const create = (body: object) => alice.http.post(`${v3}/createRoom`, body);
      const tooMany = Array.from({ length: 101 }, (_, index) => `@u${index}:localhost`);
      const taken = `taken-${engine}`;
      await create({ room_alias_name: taken });
      const refusals = [
        [{ room_version: 1 }, '400 M_BAD_JSON'],
        [{ room_version: 'ahfgwjyerhgiuveisbruvybseyrugvi' }, '400 M_UNSUPPORTED_ROOM_VERSION'],
        [{ preset: 'party' }, '400 M_BAD_JSON'],
        [{ visibility: 'hidden' }, '400 M_BAD_JSON'],
        [{ invite: ['nobody'] }, '400 M_INVALID_PARAM'],
        [{ invite: tooMany }, '400 M_INVALID_PARAM'],
        [{ initial_state: [{ type: 'm.room.topic' }] }, '400 M_MISSING_PARAM'],
        [{ initial_state: [{ type: 1, content: {} }] }, '400 M_BAD_JSON'],
        [{ initial_state: [{ type: 'm.room.create', content: {} }] }, '400 M_BAD_JSON'],
        [
          { initial_state: [{ type: 'm.room.tombstone', content: { replacement_room: '#a:b' } }] },
          '400 M_INVALID_PARAM',
        ],
        [{ initial_state: [{ type: 'm.room.member', content: { membership: 'ban' } }] }, '400 M_INVALID_PARAM'],
        [{ creation_content: { 'm.federate': 'no' } }, '400 M_BAD_JSON'],
        [{ creation_content: { additional_creators: 'me' } }, '400 M_BAD_JSON'],
        [{ creation_content: { additional_creators: ['@foo:example.com', 42] } }, '400 M_BAD_JSON'],
        [{ creation_content: { additional_creators: ['@invalid:dom$ain$.com'] } }, '400 M_BAD_JSON'],
        [{ room_alias_name: taken }, '400 M_ROOM_IN_USE'],
        [{ room_alias_name: 'a:b' }, '400 M_INVALID_PARAM'],
        [{ room_version: '11', power_level_content_override: { users: {} } }, '400 M_INVALID_ROOM_STATE'],
        [{ power_level_content_override: { users_default: '1' } }, '400 M_INVALID_ROOM_STATE'],
        [
          { invite_3pid: [{ id_server: 'a', id_access_token: 'b', medium: 'pigeon', address: 'c' }] },
          '400 M_INVALID_PARAM',
        ],
      ] as const;
      for (const [body, expected] of refusals) {
        assert.equal(refusalOf(await create(body)), expected, JSON.stringify(body));
      }
    });

    test('the event closest to a time is found, among those one may see', async () => {
      const roomId = await alice.createRoom({ preset: 'public_chat' });
      const first = await alice.send(roomId, 'first');
      const second = await alice.send(roomId, 'second');
      const at = async (eventId: string) =>
        Number((await alice.get(roomId, `event/${encodeURIComponent(eventId)}`))['origin_server_ts']);
      const find = (who: SyncClient, ts: number, dir: string) =>
        who.http.get(`/_matrix/client/v1/rooms/${encodeURIComponent(roomId)}/timestamp_to_event?ts=${ts}&dir=${dir}`);
      const found = await find(alice, (await at(second)) + 1000, 'b');
      assert.deepEqual(found.body, { event_id: second, origin_server_ts: await at(second) });
      assert.equal((await find(alice, 2 ** 50, 'b')).body['event_id'], second);
      const create = await find(alice, 0, 'f');
      assert.equal(create.body['event_id'], roomId.replace('!', '$'));
      const forwards = await find(alice, await at(first), 'f');
      assert.ok(Number(forwards.body['origin_server_ts']) >= (await at(first)));
      assert.equal(refusalOf(await find(alice, 0, 'b')), '404 M_NOT_FOUND');
      assert.equal(refusalOf(await find(alice, (await at(second)) + 1000, 'f')), '404 M_NOT_FOUND');
      assert.equal(refusalOf(await find(alice, 2 ** 50, 'f')), '404 M_NOT_FOUND');
      assert.equal(refusalOf(await find(bob, 0, 'f')), '403 M_FORBIDDEN');
      assert.equal(refusalOf(await find(alice, 0, 'x')), '400 M_INVALID_PARAM');
      await alice.setState(roomId, 'm.room.history_visibility', { history_visibility: 'joined' });
      const unseen = await alice.send(roomId, 'unseen');
      await bob.join(roomId);
      assert.notEqual((await find(bob, await at(unseen), 'f')).body['event_id'], unseen);
      await alice.send(roomId, 'seen');
      await bob.leave(roomId);
      const hidden = await alice.send(roomId, 'hidden');
      const latest = await find(bob, (await at(hidden)) + 1000, 'b');
      const member = (await bob.sync({ filter: { room: { include_leave: true } } })).rooms?.leave?.[roomId];
      assert.equal(latest.body['event_id'], member?.timeline.events.at(-1)?.event_id);
    });
  });
}
