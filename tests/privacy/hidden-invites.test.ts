import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { startTestServer } from '@portico/testkit/server.ts';
import { createSyncClient, type SyncClient } from '@portico/testkit/sync-client.ts';

const list = { all: { ranges: [[0, 20]], timeline_limit: 5, required_state: [['m.room.member', '$ME']] } };

/** Somebody's two apps, one of either kind, which ask again from where they were. */
async function openApps(who: SyncClient) {
  let since = (await who.sync()).next_batch;
  let { pos } = await who.slide({ lists: list });
  return async () => {
    const synced = await who.sync({ since });
    since = synced.next_batch;
    const slid = await who.slide({ lists: list }, { pos });
    ({ pos } = slid);
    return { synced, slid, text: JSON.stringify([synced, slid]) };
  };
}

type Asked = Awaited<ReturnType<Awaited<ReturnType<typeof openApps>>>>;

/** Both apps hear that they have nothing to do with a room any more. */
function assertGone({ synced, slid }: Asked, roomId: string, who: SyncClient): void {
  const { leave, invite, knock } = synced.rooms ?? {};
  assert.deepEqual(
    [leave, invite, knock].map((section) => section?.[roomId] !== undefined),
    [true, false, false],
    '/sync says that it is over',
  );
  const room = slid.rooms[roomId];
  const own = [...(room?.required_state ?? []), ...(room?.timeline ?? [])].findLast(
    ({ type, state_key: key }) => type === 'm.room.member' && key === who.userId,
  );
  assert.ok(['leave', 'ban'].includes(String(own?.content['membership'])), 'sliding sync says that it is over');
}

for (const engine of ['sqlite', 'postgres'] as const) {
  describe(`invitations that are hidden (${engine})`, async () => {
    const server = await startTestServer({ engine });
    after(async () => {
      await server.close();
      assert.deepEqual(server.errors, []);
    });
    const people = async () => {
      const [alice, bob, carol] = await Promise.all(
        [1, 2, 3].map(async () => createSyncClient(await server.registerUser())),
      );
      assert.ok(alice && bob && carol);
      return { alice, bob, carol };
    };
    const ignore = (who: SyncClient, ...others: readonly SyncClient[]) =>
      who.setAccountData('m.invite_permission_config', { ignored_users: others.map(({ userId }) => userId) });
    const knockable = (who: SyncClient) => {
      const rules = { type: 'm.room.join_rules', state_key: '', content: { join_rule: 'knock' } };
      return who.createRoom({ initial_state: [rules] });
    };

    test('leave nothing behind of a knock that they answered, once they are over', async () => {
      for (const end of ['kick', 'ban'] as const) {
        const { alice, bob } = await people();
        await ignore(bob, alice);
        const roomId = await knockable(alice);
        const ask = await openApps(bob);
        assert.equal((await bob.http.post(`/_matrix/client/v3/knock/${encodeURIComponent(roomId)}`, {})).status, 200);
        assert.ok((await ask()).synced.rooms?.knock?.[roomId]);
        await alice.invite(roomId, bob.userId);
        assert.ok(!(await ask()).text.includes(roomId), 'the invitation is not seen');
        await alice[end](roomId, bob.userId);
        assertGone(await ask(), roomId, bob);
      }
    });

    test('leave nothing behind of an invitation by somebody else', async () => {
      const { alice, bob, carol } = await people();
      await ignore(bob, alice);
      const roomId = await carol.createRoom({
        preset: 'public_chat',
        power_level_content_override: { invite: 0 },
      });
      await alice.join(roomId);
      const ask = await openApps(bob);
      await carol.invite(roomId, bob.userId);
      assert.ok((await ask()).synced.rooms?.invite?.[roomId]);
      await alice.invite(roomId, bob.userId);
      await carol.kick(roomId, bob.userId);
      assertGone(await ask(), roomId, bob);
    });

    test('do not hide that the person was put out of the room before', async () => {
      const { alice, bob } = await people();
      await ignore(bob, alice);
      const roomId = await alice.createRoom();
      await bob.join(roomId);
      const ask = await openApps(bob);
      await alice.kick(roomId, bob.userId);
      await alice.invite(roomId, bob.userId);
      assertGone(await ask(), roomId, bob);
      assert.ok(!(await ask()).text.includes(roomId));
      assert.ok(!JSON.stringify(await bob.sync()).includes(roomId));
    });

    test('are not told of when they end where the person was in the room before', async () => {
      const { alice, bob } = await people();
      await ignore(bob, alice);
      const roomId = await alice.createRoom();
      await bob.join(roomId);
      await bob.leave(roomId);
      const ask = await openApps(bob);
      for (const end of ['kick', 'ban'] as const) {
        await alice.invite(roomId, bob.userId);
        const reason = { user_id: bob.userId, reason: 'what is not to be read' };
        assert.equal((await alice.http.post(alice.room(roomId, end), reason)).status, 200);
        assert.ok(!(await ask()).text.includes(roomId));
        const whole = await bob.sync({ filter: { room: { include_leave: true } } });
        const last = whole.rooms?.leave?.[roomId]?.timeline.events.at(-1);
        assert.deepEqual([last?.sender, last?.content['membership']], [bob.userId, 'leave'], 'it is as they left it');
        const slid = await bob.slide({ conn_id: 'another', lists: list });
        assert.equal(slid.lists['all']?.count, 0);
        const old = await bob.http.get('/_matrix/client/v3/initialSync?archived=true');
        assert.ok(!JSON.stringify([whole, slid, old.body]).includes('not to be read'));
      }
    });

    test('are not told of when they end, although the rules have changed since', async () => {
      const { alice, bob, carol } = await people();
      await ignore(bob, alice);
      const ask = await openApps(bob);
      const roomId = await alice.createRoom();
      await alice.invite(roomId, bob.userId);
      await ignore(bob, alice, carol);
      await bob.setAccountData('m.ignored_user_list', { ignored_users: { [carol.userId]: {} } });
      await ask();
      await alice.kick(roomId, bob.userId);
      assert.ok(!(await ask()).text.includes(roomId));
      await alice.ban(roomId, bob.userId);
      assert.ok(!(await ask()).text.includes(roomId));
    });

    test('are told of when they end, if they could be seen before the rules changed', async () => {
      const { alice, bob, carol } = await people();
      const ask = await openApps(bob);
      const roomId = await alice.createRoom();
      const other = await alice.createRoom();
      for (const each of [roomId, other]) await alice.invite(each, bob.userId);
      assert.ok((await ask()).synced.rooms?.invite?.[roomId]);
      await alice.kick(other, bob.userId);
      await ignore(bob, alice);
      await ignore(bob, alice, carol);
      assertGone(await ask(), other, bob);
      await alice.kick(roomId, bob.userId);
      assertGone(await ask(), roomId, bob);
    });
  });
}
