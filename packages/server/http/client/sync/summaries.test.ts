import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createPair, serverOfSuite } from '@portico/testkit/server-of-suite.ts';
import { createSyncClient, stateKeys } from '@portico/testkit/sync-client.ts';

const filter = { room: { state: { lazy_load_members: true }, timeline: { limit: 1 } } };

for (const engine of ['sqlite', 'postgres'] as const) {
  describe(`the summaries of rooms in /sync (${engine})`, () => {
    const server = serverOfSuite({ engine });

    test('a room with a name has no heroes, and brings no members on their account', async () => {
      const { alice, bob, roomId } = await createPair(server);
      const carol = createSyncClient(await server.registerUser());
      await alice.setState(roomId, 'm.room.name', { name: 'Named' });
      await carol.join(roomId);
      await alice.send(roomId, 'x');
      const room = (await bob.sync({ filter })).rooms?.join?.[roomId];
      assert.deepEqual(room?.summary, { 'm.joined_member_count': 3, 'm.invited_member_count': 0 });
      const members = stateKeys(room.state).filter((key) => key.startsWith('m.room.member'));
      assert.deepEqual(members, [alice, bob].map(({ userId }) => `m.room.member ${userId}`).toSorted());
    });

    test('heroes come with the change that leaves a room without a name, and are named', async () => {
      const { alice, bob, roomId } = await createPair(server);
      const carol = createSyncClient(await server.registerUser());
      await alice.setState(roomId, 'm.room.name', { name: 'Named' });
      await carol.join(roomId);
      await alice.send(roomId, 'x');
      const { next_batch: since } = await bob.sync({ filter });
      await alice.setState(roomId, 'm.room.name', { name: '' });
      const room = (await bob.sync({ filter, since })).rooms?.join?.[roomId];
      assert.deepEqual(room?.summary?.['m.heroes'], [alice.userId, carol.userId]);
      assert.deepEqual(stateKeys(room.state), [`m.room.member ${carol.userId}`]);
    });

    test('an address names a room as well, and one that is withdrawn does not', async () => {
      const { alice, bob, roomId } = await createPair(server);
      const alias = `#${engine}:${alice.userId.slice(alice.userId.indexOf(':') + 1)}`;
      await alice.http.put(`/_matrix/client/v3/directory/room/${encodeURIComponent(alias)}`, { room_id: roomId });
      await alice.setState(roomId, 'm.room.canonical_alias', { alias });
      const first = await bob.sync({ filter });
      assert.equal(first.rooms?.join?.[roomId]?.summary?.['m.heroes'], undefined);
      await alice.setState(roomId, 'm.room.canonical_alias', {});
      const second = await bob.sync({ filter, since: first.next_batch });
      assert.deepEqual(second.rooms?.join?.[roomId]?.summary?.['m.heroes'], [alice.userId]);
    });
  });
}
