import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createPair, serverOfSuite } from '@portico/testkit/server-of-suite.ts';
import { bodies, createSyncClient, stateKeys, type SyncClient } from '@portico/testkit/sync-client.ts';

for (const engine of ['sqlite', 'postgres'] as const) {
  describe(`memberships in /sync (${engine})`, () => {
    const server = serverOfSuite({ engine });

    async function person(): Promise<SyncClient> {
      return createSyncClient(await server.registerUser());
    }

    /** Two people in a public room. */
    const pair = () => createPair(server);

    test('what is new of a room just joined does not go on with what was known of it', async () => {
      const [alice, bob] = [await person(), await person()];
      const roomId = await alice.createRoom({ preset: 'public_chat' });
      const { next_batch: since } = await bob.sync();
      await alice.send(roomId, 'before');
      await bob.join(roomId);
      const joined = (await bob.sync({ since })).rooms?.join?.[roomId];
      assert.deepEqual([joined && bodies(joined.timeline), joined?.timeline.limited], [['before'], true]);
    });

    test('a room that one is banned from comes with the first sync, and one that was left only if wanted', async () => {
      const { alice, bob, roomId: left } = await pair();
      const banned = await alice.createRoom({ preset: 'public_chat' });
      await bob.join(banned);
      await alice.ban(banned, bob.userId);
      await bob.leave(left);
      const first = await bob.sync();
      assert.deepEqual(Object.keys(first.rooms?.leave ?? {}), [banned]);
      assert.equal((await bob.sync({ since: first.next_batch })).rooms, undefined);
      const all = await bob.sync({ filter: { room: { include_leave: true } } });
      assert.deepEqual(Object.keys(all.rooms?.leave ?? {}).toSorted(), [left, banned].toSorted());
    });

    test('an invite shows its stripped state, and a join the room', async () => {
      const [alice, bob] = [await person(), await person()];
      const roomId = await alice.createRoom({ preset: 'private_chat', name: 'Private' });
      const { next_batch: since } = await bob.sync();
      const poll = bob.sync({ since, timeout: 30_000 });
      await alice.invite(roomId, bob.userId);
      const invited = await poll;
      assert.ok(stateKeys(invited.rooms?.invite?.[roomId]?.invite_state).includes('m.room.name '));
      assert.ok((await bob.sync()).rooms?.invite?.[roomId]);
      await bob.join(roomId);
      const joined = await bob.sync({ since: invited.next_batch });
      assert.equal(joined.rooms?.invite, undefined);
      const room = joined.rooms?.join?.[roomId];
      assert.ok(room && stateKeys(room.timeline).includes(`m.room.member ${bob.userId}`));
      assert.equal((await bob.sync({ since: joined.next_batch })).rooms, undefined);
    });

    test('a rejected invite leaves, and shows nothing of the room', async () => {
      const [alice, bob] = [await person(), await person()];
      const roomId = await alice.createRoom({ preset: 'private_chat' });
      await alice.invite(roomId, bob.userId);
      const { next_batch: since } = await bob.sync();
      await bob.leave(roomId);
      await alice.send(roomId, 'secret');
      const body = await bob.sync({ since });
      assert.equal(body.rooms?.invite, undefined);
      const room = body.rooms?.leave?.[roomId];
      assert.deepEqual(room && stateKeys(room.timeline), [`m.room.member ${bob.userId}`]);
      assert.equal(room?.timeline.events[0]?.unsigned['membership'], 'leave');
      assert.deepEqual(room?.state?.events, []);
      assert.equal((await bob.sync({ since: body.next_batch })).rooms, undefined);
      assert.equal((await bob.sync()).rooms, undefined);
    });

    test('what somebody keeps for a room stays theirs when they leave it', async () => {
      const { bob, roomId } = await pair();
      await bob.setAccountData('org.example.before', { kept: 1 }, roomId);
      const { next_batch: since } = await bob.sync();
      await bob.setAccountData('org.example.since', { kept: 2 }, roomId);
      await bob.leave(roomId);
      const kept = async (query: Parameters<typeof bob.sync>[0]) =>
        (await bob.sync(query)).rooms?.leave?.[roomId]?.account_data.events;
      const [before, after] = [
        { type: 'org.example.before', content: { kept: 1 } },
        { type: 'org.example.since', content: { kept: 2 } },
      ];
      assert.deepEqual(await kept({ since }), [after]);
      const room = { include_leave: true };
      assert.deepEqual(await kept({ filter: { room } }), [before, after]);
      const only = { ...room, account_data: { types: ['*.before'] } };
      assert.deepEqual(await kept({ filter: { room: only } }), [before]);
    });

    test('who leaves is told up to then and no further, and can go back', async () => {
      const { alice, bob, roomId } = await pair();
      const { next_batch: since } = await bob.sync();
      await alice.send(roomId, 'before');
      await alice.kick(roomId, bob.userId);
      await alice.send(roomId, 'behind his back');
      const left = await bob.sync({ since });
      assert.equal(left.rooms?.join, undefined);
      const room = left.rooms?.leave?.[roomId];
      assert.deepEqual(room && bodies(room.timeline), ['before']);
      assert.equal(room?.timeline.events.at(-1)?.state_key, bob.userId);
      await alice.send(roomId, 'still away');
      assert.equal((await bob.sync({ since: left.next_batch })).rooms, undefined);

      const archived = await bob.sync({ filter: { room: { include_leave: true, timeline: { limit: 2 } } } });
      const old = archived.rooms?.leave?.[roomId];
      assert.deepEqual(old && bodies(old.timeline), ['before']);
      assert.ok(stateKeys(old?.state).includes('m.room.create '));

      await bob.join(roomId);
      const back = await bob.sync({ since: left.next_batch });
      const again = back.rooms?.join?.[roomId];
      assert.deepEqual(again && bodies(again.timeline), ['before', 'behind his back', 'still away']);
    });

    test('a ban arrives too', async () => {
      const { alice, bob, roomId } = await pair();
      const { next_batch: since } = await bob.sync();
      await alice.ban(roomId, bob.userId);
      const room = (await bob.sync({ since })).rooms?.leave?.[roomId];
      assert.equal(room?.timeline.events.at(-1)?.content['membership'], 'ban');
    });

    test('history that was for members only is not shown to who joins later', async () => {
      const [alice, bob] = [await person(), await person()];
      const roomId = await alice.createRoom();
      await alice.send(roomId, 'open');
      await alice.setState(roomId, 'm.room.history_visibility', { history_visibility: 'joined' });
      await alice.send(roomId, 'closed');
      await bob.join(roomId);
      await alice.send(roomId, 'together');
      const room = (await bob.sync({ filter: { room: { timeline: { limit: 30 } } } })).rooms?.join?.[roomId];
      assert.deepEqual(room && bodies(room.timeline), ['open', 'together']);
    });
  });
}
