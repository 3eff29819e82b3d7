import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { serverOfSuite } from '@portico/testkit/server-of-suite.ts';
import { createSyncClient, type SyncClient } from '@portico/testkit/sync-client.ts';

for (const engine of ['sqlite', 'postgres'] as const) {
  describe(`filters of sliding sync (${engine})`, () => {
    const server = serverOfSuite({ engine });
    let alice: SyncClient;
    let bob: SyncClient;
    let rooms: Record<'plain' | 'encrypted' | 'space' | 'named' | 'invite', string>;
    before(async () => {
      [alice, bob] = [createSyncClient(await server.registerUser()), createSyncClient(await server.registerUser())];
      const encryption = { type: 'm.room.encryption', content: { algorithm: 'm.megolm.v1.aes-sha2' } };
      const create = async (by: SyncClient, body: object) => by.createRoom({ preset: 'public_chat', ...body });
      rooms = {
        plain: await create(bob, {}),
        encrypted: await create(bob, { initial_state: [encryption] }),
        space: await create(bob, { creation_content: { type: 'm.space' } }),
        named: await create(bob, { name: 'Gardening Club' }),
        invite: await create(alice, { name: 'A garden party', invite: [bob.userId], initial_state: [encryption] }),
      };
    });

    async function slide(filters: object): Promise<string[]> {
      const all = { timeline_limit: 0, required_state: [], filters };
      const answer = await bob.slide({ lists: { all } });
      const found = Object.keys(answer.rooms);
      assert.equal(answer.lists['all']?.count, found.length);
      return Object.entries(rooms).flatMap(([name, id]) => (found.includes(id) ? [name] : []));
    }

    test('by encryption, invitation and type', async () => {
      assert.deepEqual(await slide({}), ['plain', 'encrypted', 'space', 'named', 'invite']);
      assert.deepEqual(await slide({ is_encrypted: true }), ['encrypted', 'invite']);
      assert.deepEqual(await slide({ is_encrypted: false }), ['plain', 'space', 'named']);
      assert.deepEqual(await slide({ is_invite: true }), ['invite']);
      assert.deepEqual(await slide({ is_invite: false, is_encrypted: true }), ['encrypted']);
      assert.deepEqual(await slide({ room_types: ['m.space'] }), ['space']);
      assert.deepEqual(await slide({ not_room_types: ['m.space'] }), ['plain', 'encrypted', 'named', 'invite']);
      assert.deepEqual(await slide({ room_types: [null], is_invite: false }), ['plain', 'encrypted', 'named']);
      assert.deepEqual(await slide({ room_types: ['m.space', null], not_room_types: [null] }), ['space']);
    });

    test('by name, whatever its case', async () => {
      assert.deepEqual(await slide({ room_name_like: 'GARDEN' }), ['named', 'invite']);
    });

    test('by direct conversation', async () => {
      await bob.setAccountData('m.direct', { [alice.userId]: [rooms.plain, rooms.invite], '@x:y': 'no list' });
      assert.deepEqual(await slide({ is_dm: true }), ['plain', 'invite']);
      assert.deepEqual(await slide({ is_dm: false }), ['encrypted', 'space', 'named']);
    });

    test('by tag', async () => {
      await bob.setAccountData('m.tag', { tags: { 'm.favourite': {}, 'u.x': {} } }, rooms.named);
      await bob.setAccountData('m.tag', { tags: { 'u.x': {} } }, rooms.plain);
      assert.deepEqual(await slide({ tags: ['u.x'] }), ['plain', 'named']);
      assert.deepEqual(await slide({ tags: ['u.x'], not_tags: ['m.favourite'] }), ['plain']);
      assert.deepEqual(await slide({ not_tags: ['m.favourite'] }), ['plain', 'encrypted', 'space', 'invite']);
    });

    test('by the spaces one is in, as they are', async () => {
      assert.deepEqual(await slide({ spaces: [rooms.space] }), []);
      await bob.setState(rooms.space, 'm.space.child', { via: ['localhost'] }, rooms.named);
      await bob.setState(rooms.space, 'm.space.child', { via: [] }, rooms.plain);
      assert.deepEqual(await slide({ spaces: [rooms.space, '!unknown:localhost'] }), ['named']);
      const notIn = await alice.createRoom({ preset: 'public_chat', creation_content: { type: 'm.space' } });
      await alice.setState(notIn, 'm.space.child', { via: ['localhost'] }, rooms.plain);
      assert.deepEqual(await slide({ spaces: [notIn] }), []);
    });

    test('a room that passes only now is news', async () => {
      const roomId = await bob.createRoom();
      const lists = { all: { timeline_limit: 0, required_state: [], filters: { is_encrypted: true } } };
      const first = await bob.slide({ lists });
      assert.equal(roomId in first.rooms, false);
      await bob.setState(roomId, 'm.room.encryption', { algorithm: 'm.megolm.v1.aes-sha2' });
      const second = await bob.slide({ lists }, { pos: first.pos });
      assert.deepEqual(Object.keys(second.rooms), [roomId]);
      assert.equal(second.lists['all']?.count, (first.lists['all']?.count ?? 0) + 1);
    });
  });
}
