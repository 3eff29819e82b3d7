import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { serverOfSuite } from '@portico/testkit/server-of-suite.ts';
import { startTestServer } from '@portico/testkit/server.ts';
import { createSyncClient, type SyncBody, type SyncClient } from '@portico/testkit/sync-client.ts';

const sharing = 'm.presence_sharing_config';
const unstableSharing = 'events.matrix-community.presence_sharing_config';

type Seen = Record<string, Record<string, unknown>>;

/** By sender, what a response says of their presence. */
function seen(body: SyncBody): Seen {
  const { events = [] } = (body['presence'] ?? {}) as { events?: { sender: string; content: Seen[string] }[] };
  return Object.fromEntries(events.map(({ sender, content }) => [sender, content]));
}
const stateIn = (body: SyncBody, who: SyncClient) => seen(body)[who.userId]?.['presence'];
const path = (who: SyncClient) => `/_matrix/client/v3/presence/${encodeURIComponent(who.userId)}/status`;

async function set(who: SyncClient, presence: string, more: object = {}): Promise<void> {
  const { status, body } = await who.http.put(path(who), { presence, ...more });
  assert.equal(status, 200, JSON.stringify(body));
}
async function get(by: SyncClient, who: SyncClient): Promise<string> {
  const { status, body } = await by.http.get(path(who));
  return status === 200 ? String(body['presence']) : `${status} ${String(body['errcode'])} ${String(body['error'])}`;
}
const hidden = '403 M_FORBIDDEN You are not allowed to see their presence.';

/** Syncs until there is news of somebody; gives what there is, and the token after that. */
async function next(by: SyncClient, since: string, who: SyncClient): Promise<{ content: object; next_batch: string }> {
  let token = since;
  for (;;) {
    const body = await by.sync({ since: token, timeout: 10_000 });
    token = body.next_batch;
    const content = seen(body)[who.userId];
    if (content !== undefined) return { content, next_batch: token };
    assert.ok(body['presence'] !== undefined || body.rooms !== undefined || body.account_data !== undefined);
  }
}

/** Syncs until somebody is shown so; gives the token after that. */
async function until(by: SyncClient, since: string, who: SyncClient, presence: string): Promise<string> {
  let token = since;
  for (;;) {
    const { content, next_batch } = await next(by, token, who);
    token = next_batch;
    if ((content as { presence?: string }).presence === presence) return token;
  }
}

for (const engine of ['sqlite', 'postgres'] as const) {
  describe(`presence (${engine})`, () => {
    const server = serverOfSuite({ engine });
    const person = async () => createSyncClient(await server.registerUser());
    async function pair() {
      const [alice, bob] = [await person(), await person()];
      const roomId = await alice.createRoom();
      await bob.join(roomId);
      return { alice, bob, roomId };
    }

    test('is set, read back, and shown with its status to who shares a room', async () => {
      const { alice, bob } = await pair();
      await set(alice, 'online', { status_msg: 'at work' });
      const { body } = await bob.http.get(path(alice));
      assert.deepEqual(
        { ...body, last_active_ago: typeof body['last_active_ago'] },
        {
          presence: 'online',
          status_msg: 'at work',
          currently_active: true,
          last_active_ago: 'number',
        },
      );
      assert.equal(stateIn(await bob.sync(), alice), 'online');
      await set(alice, 'unavailable');
      assert.equal((await bob.http.get(path(alice))).body['status_msg'], undefined);
      assert.equal(await get(alice, alice), 'unavailable');
    });

    test('what is no presence is refused, and what is not one’s own', async () => {
      const { alice, bob } = await pair();
      for (const body of [{ presence: 'asleep' }, { presence: 'online', status_msg: 'x'.repeat(1025) }]) {
        const refused = await alice.http.put(path(alice), body);
        assert.deepEqual([refused.status, refused.body['errcode']], [400, 'M_INVALID_PARAM']);
      }
      assert.equal((await alice.http.put(path(alice), {})).status, 400);
      assert.equal((await alice.http.put(path(bob), { presence: 'online' })).status, 403);
    });

    test('wakes who waits; syncing makes online, unavailable or nothing', async () => {
      const { alice, bob } = await pair();
      const { next_batch: start } = await bob.sync();
      const waiting = until(bob, start, alice, 'online');
      await alice.sync();
      const since = await waiting;
      const idle = until(bob, since, alice, 'unavailable');
      await alice.http.get('/_matrix/client/v3/sync?set_presence=unavailable');
      const then = await idle;
      const hiding = await person();
      await hiding.http.get('/_matrix/client/v3/sync?set_presence=offline');
      assert.equal(await get(hiding, hiding), 'offline');
      assert.equal(stateIn(await bob.sync({ since: then }), hiding), undefined);
    });

    test('busy counts most, and sending something ends being unavailable', async () => {
      const { alice, bob, roomId } = await pair();
      await set(alice, 'org.matrix.msc3026.busy');
      await alice.sync();
      assert.equal(await get(bob, alice), 'org.matrix.msc3026.busy');
      await set(alice, 'unavailable');
      await alice.send(roomId, 'back');
      assert.equal(await get(bob, alice), 'online');
    });

    test('who shares no room, and nobody, look the same', async () => {
      const { alice } = await pair();
      const stranger = await person();
      await set(alice, 'online');
      const nobody = { userId: '@nobody:localhost' } as SyncClient;
      assert.deepEqual([await get(stranger, alice), await get(stranger, nobody)], [hidden, hidden]);
      await alice.setAccountData(sharing, { denied_users: ['*'] });
      const { bob } = await pair();
      assert.equal(await get(bob, alice), hidden);
      assert.deepEqual(seen(await stranger.sync())[alice.userId], undefined);
      assert.equal(await get(alice, alice), 'online');
    });

    for (const type of [sharing, unstableSharing]) {
      test(`tightening and loosening are seen at once: ${type}`, async () => {
        const { alice, bob } = await pair();
        const carol = await person();
        await set(alice, 'online', { status_msg: 'secret' });
        const start = (await bob.sync()).next_batch;
        await alice.setAccountData(type, { denied_users: [bob.userId] });
        const last = await next(bob, start, alice);
        assert.deepEqual(last.content, { presence: 'offline' });
        assert.equal(await get(bob, alice), hidden);
        await set(alice, 'unavailable', { status_msg: 'more secret' });
        assert.deepEqual(seen(await bob.sync({ since: last.next_batch }))[alice.userId], undefined);
        assert.deepEqual(seen(await bob.sync())[alice.userId], undefined);

        await carol.sync();
        const { next_batch: carols } = await carol.sync();
        await alice.setAccountData(type, { allowed_users: [carol.userId] });
        await until(bob, last.next_batch, alice, 'unavailable');
        await until(carol, carols, alice, 'unavailable');
        assert.equal(await get(carol, alice), 'unavailable');
        assert.equal(stateIn(await carol.sync(), alice), 'unavailable');
      });
    }

    test('the stable name counts where both are set', async () => {
      const { alice, bob } = await pair();
      await set(alice, 'online');
      await alice.setAccountData(unstableSharing, { denied_users: [bob.userId] });
      assert.equal(await get(bob, alice), hidden);
      await alice.setAccountData(sharing, { denied_users: [] });
      assert.equal(await get(bob, alice), 'online');
      await alice.setAccountData(sharing, { denied_users: null });
      assert.equal(await get(bob, alice), hidden);
    });

    test('what was set and deleted again counts for nothing, as if it had never been set', async () => {
      const { alice, bob } = await pair();
      await set(alice, 'online');
      await alice.setAccountData(unstableSharing, { denied_users: [bob.userId] });
      for (const remove of [
        () =>
          alice.http.delete(`/_matrix/client/unstable/org.matrix.msc3391/user/${alice.userId}/account_data/${sharing}`),
        () => alice.http.put(`/_matrix/client/v3/user/${alice.userId}/account_data/${sharing}`, {}),
      ]) {
        await alice.setAccountData(sharing, { allowed_users: [bob.userId] });
        assert.equal(await get(bob, alice), 'online');
        assert.equal((await remove()).status, 200);
        assert.equal(await get(bob, alice), hidden);
      }
    });

    test('ignored people see nothing, unless they are allowed by name', async () => {
      const { alice, bob } = await pair();
      await set(alice, 'online');
      const { next_batch: since } = await bob.sync();
      await alice.setAccountData('m.ignored_user_list', { ignored_users: { [bob.userId]: {} } });
      await until(bob, since, alice, 'offline');
      assert.equal(await get(bob, alice), hidden);
      await alice.setAccountData(sharing, { allowed_users: [bob.userId] });
      assert.equal(await get(bob, alice), 'online');
    });

    test('joining shows those in the room, and the newcomer to them', async () => {
      const { alice, bob } = await pair();
      const [carol, dan] = [await person(), await person()];
      const roomId = await carol.createRoom();
      await dan.join(roomId);
      await dan.sync();
      const { next_batch: carols } = await carol.sync();
      await alice.sync();
      await bob.sync();
      const { next_batch: alices } = await alice.sync();
      await alice.join(roomId);
      const body = await alice.sync({ since: alices });
      assert.equal(stateIn(body, carol), 'online');
      assert.equal(stateIn(body, dan), 'online');
      await until(carol, carols, alice, 'online');
    });

    test('who comes into a room is shown with it, also to those who see them already', async () => {
      const { alice, bob } = await pair();
      await set(bob, 'online');
      const second = await alice.createRoom();
      let first = await alice.sync();
      while (stateIn(first, bob) !== 'online') first = await alice.sync();
      const { next_batch: start } = first;
      await bob.join(second);
      const { next_batch: then } = await next(alice, start, bob);
      assert.equal(stateIn(await alice.sync({ since: then }), bob), undefined);
      // A new name is no join.
      await bob.http.put(`/_matrix/client/v3/profile/${bob.userId}/displayname`, { displayname: 'Bob' });
      await alice.setAccountData('org.example.mark', {});
      let body = await alice.sync({ since: then });
      while (body.rooms?.join?.[second] === undefined) body = await alice.sync({ since: then });
      assert.notEqual(body.account_data, undefined);
      assert.equal(stateIn(body, bob), undefined);
    });

    for (const how of ['leave', 'kick', 'ban'] as const) {
      test(`whoever loses the last shared room sees no stale presence: ${how}`, async () => {
        const { alice, bob, roomId } = await pair();
        await set(alice, 'online');
        await set(bob, 'online');
        const [alices, bobs] = [(await alice.sync()).next_batch, (await bob.sync()).next_batch];
        if (how === 'leave') await bob.leave(roomId);
        else await alice[how](roomId, bob.userId);
        await until(alice, alices, bob, 'offline');
        await until(bob, bobs, alice, 'offline');
        assert.equal(await get(bob, alice), hidden);
      });
    }

    test('a device that slept through it is told, too', async () => {
      const { alice, bob, roomId } = await pair();
      await set(alice, 'online');
      const { next_batch: old } = await bob.sync();
      const { next_batch: since } = await bob.sync({ since: old });
      await bob.leave(roomId);
      await until(bob, since, alice, 'offline');
      assert.equal(stateIn(await bob.sync({ since: old }), alice), 'offline');
      const elsewhere = old.replace(/_p[^_]*/, '_panother.7');
      assert.notEqual(elsewhere, old);
      assert.equal(stateIn(await bob.sync({ since: elsewhere }), alice), 'offline');
    });

    test('a filter of the sync chooses', async () => {
      const { alice, bob } = await pair();
      await set(alice, 'online');
      for (const presence of [{ not_types: ['m.presence'] }, { types: [] }, { not_senders: [alice.userId] }]) {
        assert.equal(stateIn(await bob.sync({ filter: { presence } }), alice), undefined, JSON.stringify(presence));
      }
      assert.equal(stateIn(await bob.sync({ filter: { presence: { senders: [alice.userId] } } }), alice), 'online');
    });

    test('changes in quick succession are told together', async () => {
      const { alice, bob } = await pair();
      await alice.sync();
      let { next_batch: since } = await bob.sync();
      let answers = 0;
      let state: unknown;
      const watching = (async () => {
        while (state !== 'unavailable') {
          const body = await bob.sync({ since, timeout: 10_000 });
          since = body.next_batch;
          answers += 1;
          state = (seen(body)[alice.userId]?.['status_msg'] === 'end' && stateIn(body, alice)) || state;
        }
      })();
      for (let flip = 0; flip < 20; flip++) await set(alice, 'online', { status_msg: `${flip}` });
      await set(alice, 'unavailable', { status_msg: 'end' });
      await watching;
      assert.ok(answers <= 4, `${answers} answers`);
    });
  });
}

test('a status survives a restart, and so does what people were shown', async () => {
  const first = await startTestServer();
  const accounts = [await first.registerUser('alice'), await first.registerUser('bob')] as const;
  const [alice, bob] = [createSyncClient(accounts[0]), createSyncClient(accounts[1])];
  const roomId = await alice.createRoom();
  await bob.join(roomId);
  await set(alice, 'online', { status_msg: 'still here' });
  const { next_batch: since } = await bob.sync();
  await bob.leave(roomId);
  await first.stop();

  const second = await startTestServer({ dataDir: first.dataDir });
  const [again, bobAgain] = [createSyncClient(second.as(accounts[0])), createSyncClient(second.as(accounts[1]))];
  assert.deepEqual((await again.http.get(path(alice))).body['status_msg'], 'still here');
  assert.deepEqual(seen(await bobAgain.sync({ since }))[alice.userId], { presence: 'offline' });
  await second.stop();
  assert.deepEqual(second.errors, []);
  await first.close();
});

test('where it is turned off, nobody is seen and nobody is told so', async () => {
  const server = await startTestServer({ settings: { PRESENCE_ENABLED: 'false' } });
  const alice = createSyncClient(await server.registerUser());
  assert.equal((await alice.sync())['presence'], undefined);
  assert.equal((await alice.http.put(path(alice), { presence: 'online' })).status, 403);
  assert.equal(await get(alice, alice), hidden);
  await server.close();
});
