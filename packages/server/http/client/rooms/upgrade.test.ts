import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { openRawDatabase } from '@portico/testkit/raw-database.ts';
import { serverOfSuite } from '@portico/testkit/server-of-suite.ts';
import { createSyncClient, type SyncClient } from '@portico/testkit/sync-client.ts';
import { refusalOf } from '@portico/testkit/test-client.ts';

const v3 = '/_matrix/client/v3';

for (const engine of ['sqlite', 'postgres'] as const) {
  describe(`room upgrades (${engine})`, () => {
    const server = serverOfSuite({ engine });
    let alice: SyncClient;
    let bob: SyncClient;
    let carol: SyncClient;
    before(async () => {
      const clients = await Promise.all([server.registerUser(), server.registerUser(), server.registerUser()]);
      [alice, bob, carol] = clients.map(createSyncClient) as [SyncClient, SyncClient, SyncClient];
    });

    const tryUpgrade = (who: SyncClient, roomId: string, new_version: string, more: object = {}) =>
      who.http.post(who.room(roomId, 'upgrade'), { new_version, ...more });
    const upgrade = async (who: SyncClient, roomId: string, version: string, more: object = {}) => {
      const { status, body } = await tryUpgrade(who, roomId, version, more);
      assert.equal(status, 200, JSON.stringify(body));
      return String(body['replacement_room']);
    };
    const state = (who: SyncClient, roomId: string, type: string, key = '') =>
      who.get(roomId, `state/${type}/${encodeURIComponent(key)}`);
    const event = async (who: SyncClient, roomId: string, type: string) =>
      (await who.get(roomId, `state/${type}/?format=event`)) as { event_id: string; content: Record<string, unknown> };

    test('everything that makes the room what it is comes along, and the old one falls silent', async () => {
      const alias = `upgrade-${engine}`;
      const carried = {
        'm.room.topic': { topic: 'What for' },
        'm.room.name': { name: 'The room' },
        'm.room.join_rules': { join_rule: 'public' },
        'm.room.guest_access': { guest_access: 'forbidden' },
        'm.room.history_visibility': { history_visibility: 'joined' },
        'm.room.avatar': { url: 'mxc://localhost/picture' },
        'm.room.encryption': { algorithm: 'm.megolm.v1.aes-sha2' },
        'm.room.server_acl': { allow: ['*'], deny: ['evil.example'] },
      };
      const initial_state = Object.entries(carried).map(([type, content]) => ({ type, content }));
      const creation_content = { type: 'm.space', 'm.federate': false };
      const old = await alice.createRoom({
        room_version: '10',
        room_alias_name: alias,
        visibility: 'public',
        initial_state,
        creation_content,
      });
      await bob.join(old);
      await alice.ban(old, carol.userId);
      const child = await alice.createRoom();
      await alice.setState(old, 'm.space.child', { via: ['localhost'] }, child);
      await alice.setState(old, 'm.space.child', {}, '!gone:localhost');
      // What the person who upgrades could not set any more is set all the same.
      const levels = {
        users: { [alice.userId]: 60, '@test:xyz.example': 40 },
        events: { 'm.room.server_acl': 80, 'm.room.name': 80, 'm.room.tombstone': 60 },
        ban: 70,
      };
      await alice.setState(old, 'm.room.power_levels', levels);
      const before = await bob.sync();

      const replaced = await upgrade(alice, old, '11');
      for (const [type, content] of Object.entries(carried)) {
        assert.deepEqual(await state(alice, replaced, type), content, type);
      }
      assert.deepEqual(await state(alice, replaced, 'm.room.power_levels'), levels);
      assert.equal((await state(alice, replaced, 'm.room.member', carol.userId))['membership'], 'ban');
      assert.deepEqual(await state(alice, replaced, 'm.space.child', child), { via: ['localhost'] });
      assert.equal((await alice.http.get(alice.room(replaced, 'state/m.space.child/!gone:localhost'))).status, 404);
      const tombstone = await event(alice, old, 'm.room.tombstone');
      assert.equal(tombstone.content['replacement_room'], replaced);
      assert.deepEqual(await state(alice, replaced, 'm.room.create'), {
        room_version: '11',
        predecessor: { room_id: old, event_id: tombstone.event_id },
        ...creation_content,
      });

      const full = `#${alias}:localhost`;
      const resolved = await alice.http.get(`${v3}/directory/room/${encodeURIComponent(full)}`);
      assert.equal(resolved.body['room_id'], replaced);
      assert.deepEqual(await state(alice, replaced, 'm.room.canonical_alias'), { alias: full });
      assert.deepEqual(await state(alice, old, 'm.room.canonical_alias'), {});
      const listed = async (roomId: string) =>
        (await alice.http.get(`${v3}/directory/list/room/${encodeURIComponent(roomId)}`)).body['visibility'];
      assert.deepEqual([await listed(old), await listed(replaced)], ['private', 'public']);

      const told = (await bob.sync({ since: before.next_batch })).rooms?.join?.[old]?.timeline.events ?? [];
      assert.ok(told.some(({ type }) => type === 'm.room.tombstone'));
      const quiet = await state(bob, old, 'm.room.power_levels');
      assert.deepEqual([quiet['events_default'], quiet['invite']], [50, 50]);
      const sent = await bob.http.put(bob.room(old, 'send/m.room.message/1'), { body: 'Anyone?' });
      assert.equal(refusalOf(sent), '403 M_FORBIDDEN');
    });

    test('the new room says of guests what the old one left unsaid', async () => {
      const old = await alice.createRoom({ preset: 'public_chat', room_version: '11' });
      const replaced = await upgrade(alice, old, '12');
      assert.deepEqual(await state(alice, replaced, 'm.room.guest_access'), { guest_access: 'forbidden' });
    });

    test('creators of a new room of version 12', async () => {
      type Case = readonly [string, SyncClient, Record<string, number>, string[] | undefined, Record<string, number>];
      const cases: readonly Case[] = [
        ['11', bob, { [alice.userId]: 100, [bob.userId]: 100 }, undefined, { [alice.userId]: 100 }],
        [
          '11',
          alice,
          { [alice.userId]: 100, [bob.userId]: 100, [carol.userId]: 50 },
          [bob.userId],
          { [carol.userId]: 50 },
        ],
        ['12', bob, { [bob.userId]: 150, [carol.userId]: 50 }, [carol.userId, bob.userId], {}],
      ];
      for (const [version, upgrader, users, additional, expected] of cases) {
        const old = await alice.createRoom({ preset: 'public_chat', room_version: version });
        await bob.join(old);
        await alice.setState(old, 'm.room.power_levels', { users });
        const replaced = await upgrade(upgrader, old, '12', additional && { additional_creators: additional });
        const create = await state(upgrader, replaced, 'm.room.create');
        const others = additional?.filter((userId) => userId !== upgrader.userId);
        assert.deepEqual(create['additional_creators'], others);
        assert.deepEqual(create['predecessor'], { room_id: old });
        const levels = await state(upgrader, replaced, 'm.room.power_levels');
        assert.deepEqual(levels, { users: expected, events: { 'm.room.tombstone': 150 } });
        assert.equal((await state(alice, old, 'm.room.tombstone'))['replacement_room'], replaced);
      }
    });

    test('creators of version 12 keep power in a room of an earlier version', async () => {
      const old = await alice.createRoom({ creation_content: { additional_creators: [bob.userId] } });
      const replaced = await upgrade(alice, old, '11', { additional_creators: [carol.userId] });
      const levels = await state(alice, replaced, 'm.room.power_levels');
      assert.deepEqual(levels['users'], { [alice.userId]: 100, [bob.userId]: 100 });
      assert.equal((await state(alice, replaced, 'm.room.create'))['additional_creators'], undefined);
      // What only they had the power for, they still have.
      const events = Object.values(levels['events'] as Record<string, number>);
      assert.equal(Math.max(...events), 100);
      await upgrade(alice, replaced, '12');
    });

    test('what the new version cannot have is made into what it can', async () => {
      const join = { join_rule: 'knock_restricted', allow: [] };
      const old = await alice.createRoom({
        room_version: '10',
        initial_state: [{ type: 'm.room.join_rules', content: join }],
      });
      assert.deepEqual(await state(alice, await upgrade(alice, old, '6'), 'm.room.join_rules'), {
        join_rule: 'invite',
      });
      assert.deepEqual(await state(alice, await upgrade(alice, old, '11'), 'm.room.join_rules'), join);
      const texts = await alice.createRoom({ room_version: '9' });
      await alice.setState(texts, 'm.room.power_levels', { users: { [alice.userId]: '100' }, kick: ' 040 ' });
      const levels = await state(alice, await upgrade(alice, texts, '10'), 'm.room.power_levels');
      assert.deepEqual(levels, { users: { [alice.userId]: 100 }, kick: 40 });
    });

    test('who may not, and to what one cannot', async () => {
      const roomId = await alice.createRoom();
      await bob.join(roomId);
      const refusals = [
        [await tryUpgrade(bob, roomId, '12'), '403 M_FORBIDDEN'],
        [await tryUpgrade(carol, roomId, '12'), '403 M_FORBIDDEN'],
        [await tryUpgrade(alice, roomId, 'none'), '400 M_UNSUPPORTED_ROOM_VERSION'],
        [await tryUpgrade(alice, '!nowhere:localhost', '12'), '404 M_NOT_FOUND'],
        [await tryUpgrade(alice, roomId, '12', { additional_creators: ['me'] }), '400 M_BAD_JSON'],
        [await alice.http.post(alice.room(roomId, 'upgrade'), {}), '400 M_MISSING_PARAM'],
      ] as const;
      for (const [response, expected] of refusals) assert.equal(refusalOf(response), expected);
      assert.equal((await alice.http.get(alice.room(roomId, 'state/m.room.tombstone/'))).status, 404);
    });

    test('more bans than fit at once come along, and none of the banned gets in between', async () => {
      const old = await alice.createRoom({ room_version: '11' });
      const banned = Array.from({ length: 120 }, (_, index) => `@banned-${index}:elsewhere.example`);
      await Promise.all(banned.map((userId) => alice.ban(old, userId)));
      for (const version of ['11', '12']) {
        const replaced = await upgrade(alice, old, version);
        const { chunk } = await alice.get(replaced, 'members?membership=ban');
        const found = (chunk as { state_key: string }[]).map((member) => member.state_key);
        assert.deepEqual(found.toSorted(), banned.toSorted());
        await alice.setState(old, 'm.room.power_levels', { users: { [alice.userId]: 100 } });
      }
    });

    test('a tombstone leads to another room, or nowhere', async () => {
      const roomId = await alice.createRoom();
      const bury = (content: object) => alice.http.put(alice.room(roomId, 'state/m.room.tombstone/'), content);
      for (const replacement of ['#alias:localhost', 'nowhere', '', 5, null, roomId]) {
        const tombstone = { body: 'Gone', replacement_room: replacement };
        assert.equal(refusalOf(await bury(tombstone)), '400 M_INVALID_PARAM', String(replacement));
      }
      assert.equal((await bury({ body: 'Gone', replacement_room: '!elsewhere:example.org' })).status, 200);
      assert.equal((await bury({ body: 'Gone' })).status, 200);
    });

    test('a request sent twice makes one room', async () => {
      const roomId = await alice.createRoom();
      const [first, second] = await Promise.all([upgrade(alice, roomId, '12'), upgrade(alice, roomId, '12')]);
      assert.equal(first, second);
    });

    test('what people have set for the old room they have for the new one', async () => {
      const old = await alice.createRoom({ preset: 'public_chat' });
      await bob.join(old);
      const user = (who: SyncClient) => `${v3}/user/${encodeURIComponent(who.userId)}`;
      for (const who of [alice, bob]) {
        const rule = `${v3}/pushrules/global/room/${encodeURIComponent(old)}`;
        assert.equal((await who.http.put(rule, { actions: [] })).status, 200);
        await who.http.put(`${user(who)}/rooms/${encodeURIComponent(old)}/tags/u.work`, { order: 0.5 });
      }
      await bob.setAccountData('m.direct', { [alice.userId]: [old], [carol.userId]: ['!other:localhost'] });
      const replaced = await upgrade(alice, old, '12');
      await bob.join(replaced);
      // Anybody may claim to replace a room: who was not in it brings nothing along.
      await carol.http.put(`${user(carol)}/rooms/${encodeURIComponent(old)}/tags/u.work`, {});
      await carol.join(replaced);
      const none = await carol.http.get(`${user(carol)}/rooms/${encodeURIComponent(replaced)}/tags`);
      assert.deepEqual(none.body, { tags: {} });
      for (const who of [alice, bob]) {
        const { body } = await who.http.get(`${v3}/pushrules/global/room/${encodeURIComponent(replaced)}`);
        assert.deepEqual(body['actions'], [], who.userId);
        const tags = await who.http.get(`${user(who)}/rooms/${encodeURIComponent(replaced)}/tags`);
        assert.deepEqual(tags.body, { tags: { 'u.work': { order: 0.5 } } });
      }
      const direct = await bob.http.get(`${user(bob)}/account_data/m.direct`);
      assert.deepEqual(direct.body, { [alice.userId]: [old, replaced], [carol.userId]: ['!other:localhost'] });
    });

    test('whoever has no place for more settings gets into the new room all the same', async () => {
      const old = await alice.createRoom({ preset: 'public_chat' });
      await carol.join(old);
      const direct = { [alice.userId]: [old], 'org.example.full': '' };
      const left = 1024 * 1024 - Buffer.byteLength(JSON.stringify(direct));
      await carol.setAccountData('m.direct', { ...direct, 'org.example.full': 'x'.repeat(left) });
      const replaced = await upgrade(alice, old, '12');
      await carol.join(replaced);
    });

    test('settings that cannot be carried over keep nobody out of the new room', async () => {
      const old = await alice.createRoom({ preset: 'public_chat' });
      await bob.join(old);
      const user = `${v3}/user/${encodeURIComponent(bob.userId)}`;
      await bob.http.put(`${user}/rooms/${encodeURIComponent(old)}/tags/u.work`, {});
      await bob.http.put(`${v3}/pushrules/global/room/${encodeURIComponent(old)}`, { actions: [] });
      const sqlite = `sqlite:${server.dataDir}/portico.db`;
      const raw = await openRawDatabase(engine === 'sqlite' ? sqlite : server.databaseUrl);
      const write = "update account_data set content = $1 where room_id = $2 and type = 'm.tag'";
      await raw.run(write, ['{', old]);
      const replaced = await upgrade(alice, old, '12');
      await bob.join(replaced);
      await raw.run(write, ['{"tags":{}}', old]);
      await raw.close();
      const { body } = await bob.http.get(`${v3}/pushrules/global/room/${encodeURIComponent(replaced)}`);
      assert.deepEqual(body['actions'], [], 'what follows is carried over all the same');
    });

    test('a room that somebody has muted stays muted', async () => {
      const old = await alice.createRoom({ preset: 'public_chat' });
      await bob.join(old);
      // What clients in use do to mute a room.
      const mute = (roomId: string) => `${v3}/pushrules/global/override/${encodeURIComponent(roomId)}`;
      const conditions = (pattern: string) => [{ kind: 'event_match', key: 'room_id', pattern }];
      await bob.http.put(mute(old), { conditions: conditions(old), actions: [] });
      const replaced = await upgrade(alice, old, '12');
      await bob.join(replaced);
      const { body } = await bob.http.get(mute(replaced));
      assert.deepEqual([body['conditions'], body['actions'], body['enabled']], [conditions(replaced), [], true]);
      const unmuted = await bob.sync({ timeout: 0 });
      await alice.send(replaced, 'Psst');
      const { rooms } = await bob.sync({ timeout: 0, since: unmuted.next_batch });
      assert.equal(rooms?.join?.[replaced]?.unread_notifications?.notification_count, 0);
    });
  });
}
