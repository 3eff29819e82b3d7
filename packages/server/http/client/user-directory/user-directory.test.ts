import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';
import { serverOfSuite } from '@portico/testkit/server-of-suite.ts';
import { createSyncClient, type SyncClient } from '@portico/testkit/sync-client.ts';

type Results = {
  readonly limited: boolean;
  readonly results: readonly {
    readonly user_id: string;
    readonly display_name?: string;
    readonly avatar_url?: string;
  }[];
};

for (const engine of ['sqlite', 'postgres'] as const) {
  describe(`the user directory (${engine})`, () => {
    const server = serverOfSuite({ engine });

    const person = async (name?: string) =>
      createSyncClient(await server.registerUser(name && `${name}${randomBytes(3).toString('hex')}`));
    async function called(name: string, displayName: string): Promise<SyncClient> {
      const who = await person(name);
      await setName(who, displayName);
      return who;
    }
    async function setName(who: SyncClient, displayname: string): Promise<void> {
      const path = `/_matrix/client/v3/profile/${encodeURIComponent(who.userId)}/displayname`;
      assert.equal((await who.http.put(path, { displayname })).status, 200);
    }
    async function search(by: SyncClient, search_term: string, limit?: number): Promise<Results> {
      const { status, body } = await by.http.post('/_matrix/client/v3/user_directory/search', { search_term, limit });
      assert.equal(status, 200, JSON.stringify(body));
      return body as unknown as Results;
    }
    const find = async (by: SyncClient, term: string) => (await search(by, term)).results.map((user) => user.user_id);

    test('finds people by the beginnings of the words of their names, or by their IDs', async () => {
      const ann = await called('ann', 'Ännë-Marie O’Hara 山田');
      const bob = await person('bob');
      await bob.join(await ann.createRoom());
      for (const term of ['ann', 'ANNE', 'marie', 'o’hara', 'hara', '山田', '田', 'mar anne', ann.userId]) {
        assert.deepEqual(await find(bob, term), [ann.userId], term);
      }
      assert.deepEqual(await find(bob, ann.userId.slice(0, 5)), [ann.userId]);
      for (const term of ['nne', 'anne bob', '', ' @ ', '%', 'an_e', 'a*']) {
        assert.deepEqual(await find(bob, term), [], term);
      }
      assert.deepEqual((await search(bob, 'marie')).results, [
        { user_id: ann.userId, display_name: 'Ännë-Marie O’Hara 山田' },
      ]);
    });

    test('finds somebody who never said what they are called, once', async () => {
      const [ann, bob] = [await person('nameless'), await person()];
      await bob.join(await ann.createRoom());
      const displayName = ann.userId.slice(1, ann.userId.indexOf(':'));
      for (const term of ['nameless', displayName, ann.userId]) {
        const expected = [{ user_id: ann.userId, display_name: displayName }];
        assert.deepEqual((await search(bob, term)).results, expected, term);
      }
    });

    test('finds only those whom one may know of', async () => {
      const [hidden, open, listed] = [
        await called('h', 'Quincy Hidden'),
        await called('o', 'Quincy Open'),
        await called('l', 'Quincy Listed'),
      ];
      const [seeker, friend] = [await person(), await person()];
      const secret = await hidden.createRoom({ preset: 'private_chat' });
      await open.createRoom({ preset: 'public_chat' });
      await listed.createRoom({ preset: 'private_chat', visibility: 'public' });
      assert.deepEqual((await find(seeker, 'quincy')).toSorted(), [listed.userId, open.userId].toSorted());
      assert.deepEqual(await find(open, 'quincy open'), [open.userId], 'everybody sees whether they can be found');
      assert.deepEqual(await find(hidden, 'quincy hidden'), []);
      await hidden.invite(secret, friend.userId);
      assert.equal((await find(friend, 'quincy hidden')).length, 0, 'an invite is not enough');
      await friend.join(secret);
      assert.deepEqual(await find(friend, 'quincy hidden'), [hidden.userId]);
      assert.deepEqual(await find(seeker, 'quincy hidden'), []);
      await friend.leave(secret);
      assert.deepEqual(await find(friend, 'quincy hidden'), []);
    });

    test('a room that is no longer open shows nobody any more', async () => {
      const ann = await called('ann', 'Wilhelmina');
      const seeker = await person();
      const roomId = await ann.createRoom({ preset: 'public_chat' });
      assert.deepEqual(await find(seeker, 'wilhelmina'), [ann.userId]);
      await ann.setState(roomId, 'm.room.join_rules', { join_rule: 'invite' });
      assert.deepEqual(await find(seeker, 'wilhelmina'), []);
    });

    test('finds who is in a room that everybody may read, as long as that is so', async () => {
      const ann = await called('ann', 'Hildegard');
      const seeker = await person();
      const roomId = await ann.createRoom({ preset: 'private_chat' });
      const show = (to: string) => ann.setState(roomId, 'm.room.history_visibility', { history_visibility: to });
      assert.deepEqual(await find(seeker, 'hildegard'), []);
      await show('world_readable');
      assert.deepEqual(await find(seeker, 'hildegard'), [ann.userId]);
      await ann.setState(roomId, 'm.room.join_rules', { join_rule: 'public' });
      await ann.setState(roomId, 'm.room.join_rules', { join_rule: 'invite' });
      assert.deepEqual(await find(seeker, 'hildegard'), [ann.userId], 'it can be read still');
      await ann.setState(roomId, 'm.room.join_rules', { join_rule: 'public' });
      await show('shared');
      assert.deepEqual(await find(seeker, 'hildegard'), [ann.userId], 'it can be joined still');
      await ann.setState(roomId, 'm.room.join_rules', { join_rule: 'invite' });
      assert.deepEqual(await find(seeker, 'hildegard'), []);
    });

    test('a new name counts at once, and a name in one room never', async () => {
      const ann = await called('ann', 'Theodora');
      const seeker = await person();
      const roomId = await ann.createRoom();
      assert.deepEqual(await find(seeker, 'theodora'), [ann.userId]);
      await setName(ann, 'Josephine');
      assert.deepEqual(await find(seeker, 'josephine'), [ann.userId]);
      assert.deepEqual(await find(seeker, 'theodora'), []);
      await ann.setState(roomId, 'm.room.member', { membership: 'join', displayname: 'Clandestine' }, ann.userId);
      assert.deepEqual(await find(seeker, 'clandestine'), []);
      await ann.leave(roomId);
      assert.deepEqual(await find(seeker, 'josephine'), [], 'who is in no room is not listed');
    });

    test('says when there are more', async () => {
      const seeker = await person();
      const people = [
        await called('x', 'Rosalind A'),
        await called('x', 'Rosalind B'),
        await called('x', 'Rosalind C'),
      ];
      const roomId = await seeker.createRoom({ preset: 'public_chat' });
      for (const who of people) await who.join(roomId);
      const some = await search(seeker, 'rosalind', 2);
      assert.deepEqual([some.results.length, some.limited], [2, true]);
      const all = await search(seeker, 'rosalind', 3);
      assert.deepEqual([all.results.length, all.limited], [3, false]);
    });
  });
}
