import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { startTestServer, type TestServer } from '@portico/testkit/server.ts';
import { createSyncClient, type SyncClient } from '@portico/testkit/sync-client.ts';

const path = '/_portico/client/v1/privacy/presence';
const sharing = 'm.presence_sharing_config';

type Entry = { readonly user_id: string; readonly allowed: boolean; readonly rule: string; readonly by?: string };

for (const engine of ['sqlite', 'postgres'] as const) {
  describe(`who can see one's presence (${engine})`, () => {
    let server: TestServer;
    before(async () => {
      const overrides = JSON.stringify({ denied_users: ['@barred-*:localhost'] });
      server = await startTestServer({ engine, settings: { PRIVACY_PRESENCE_OVERRIDES: overrides } });
    });
    after(async () => {
      await server.close();
      assert.deepEqual(server.errors, []);
    });
    const person = async (name?: string) => createSyncClient(await server.registerUser(name));

    async function list(by: SyncClient, limit: number): Promise<Entry[]> {
      const users: Entry[] = [];
      for (let from = ''; ;) {
        const { status, body } = await by.http.get(`${path}?limit=${limit}${from}`);
        assert.equal(status, 200, JSON.stringify(body));
        users.push(...(body['users'] as Entry[]));
        assert.ok((body['users'] as Entry[]).length <= limit);
        if (typeof body['next_batch'] !== 'string') return users;
        from = `&from=${encodeURIComponent(body['next_batch'])}`;
      }
    }
    const rules = (entries: readonly Entry[]) =>
      entries.map(({ user_id: user, allowed, rule, by }) => [user, allowed, rule, by]);

    test('everyone is listed once, with the rule that decides', async () => {
      const [alice, bob, carol, dan, barred] = [
        await person(),
        await person(`bob-${engine}`),
        await person(`carol-${engine}`),
        await person(`dan-${engine}`),
        await person(`barred-${engine}`),
      ];
      const one = await alice.createRoom();
      const two = await alice.createRoom();
      for (const other of [bob, carol, barred]) await other.join(one);
      for (const other of [carol, dan]) await other.join(two);
      const stranger = '@stranger:elsewhere.example';
      await alice.setAccountData(sharing, {
        allowed_users: [dan.userId, stranger, '@friend*:*', '@*:friends.example', barred.userId],
        denied_users: [one, '@nobody:elsewhere.example'],
      });
      const expected = [
        [barred.userId, false, 'override.denied_user', '@barred-*:localhost'],
        [bob.userId, false, 'denied_rooms', one],
        [carol.userId, true, 'shared_room', two],
        [dan.userId, true, 'allowed_user', dan.userId],
        ['@nobody:elsewhere.example', false, 'denied_user', '@nobody:elsewhere.example'],
        [stranger, true, 'allowed_user', stranger],
      ];
      for (const limit of [1, 2, 3, 50, 1000]) assert.deepEqual(rules(await list(alice, limit)), expected, `${limit}`);
      const { body } = await alice.http.get(path);
      const { users, ...rest } = body;
      assert.equal((users as Entry[]).length, 6);
      assert.deepEqual(rest, {
        source: 'own',
        malformed: false,
        overridden: true,
        patterns: ['@friend*:*', '@*:friends.example'],
        patterns_total: 2,
      });
      // What is said here is so.
      await alice.http.put(`/_matrix/client/v3/presence/${encodeURIComponent(alice.userId)}/status`, {
        presence: 'online',
      });
      for (const other of [bob, carol, dan, barred]) {
        const { status } = await other.http.get(
          `/_matrix/client/v3/presence/${encodeURIComponent(alice.userId)}/status`,
        );
        const isAllowed = expected.find(([user]) => user === other.userId)?.[1];
        assert.equal(status === 200, isAllowed, other.userId);
      }
    });

    test('a single person can be asked about, whoever they are', async () => {
      const alice = await person();
      const ask = async (who: string) =>
        (await alice.http.get(`${path}/decision?user_id=${encodeURIComponent(who)}`)).body as unknown as Entry;
      assert.deepEqual(await ask('@x:elsewhere.example'), {
        user_id: '@x:elsewhere.example',
        allowed: false,
        rule: 'no_shared_room',
        reason: 'They share no room with the person, and are not allowed by name or pattern.',
      });
      await alice.setAccountData(sharing, { allowed_users: ['@?:elsewhere.example'] });
      assert.deepEqual(rules([await ask('@x:elsewhere.example')])[0]?.slice(1), [
        true,
        'allowed_user',
        '@?:elsewhere.example',
      ]);
      assert.deepEqual(rules([await ask(alice.userId)])[0]?.slice(1), [true, 'self', undefined]);
      const { status, body } = await alice.http.get(`${path}/decision?user_id=nobody`);
      assert.deepEqual([status, body['errcode']], [400, 'M_INVALID_PARAM']);
      await alice.setAccountData(sharing, { denied_users: null });
      assert.equal((await alice.http.get(path)).body['malformed'], true);
      assert.equal((await ask('@x:elsewhere.example')).rule, 'config.malformed');
    });

    test('what another setting would change is told beforehand, and nothing changes', async () => {
      const [alice, bob, carol, dan, barred] = [
        await person(),
        await person(),
        await person(),
        await person(),
        await person(`barred-too-${engine}`),
      ];
      const one = await alice.createRoom();
      const two = await alice.createRoom();
      for (const other of [bob, carol, barred]) await other.join(one);
      for (const other of [carol, dan]) await other.join(two);
      await alice.setAccountData(sharing, { denied_users: [dan.userId] });
      const content = { allowed_users: [dan.userId, '@new:elsewhere.example', barred.userId], denied_users: [one] };

      const seen = new Map<string, unknown>();
      let examined = 0;
      for (let from = ''; ;) {
        const { status, body } = await alice.http.post(`${path}/preview?limit=2${from}`, { content });
        assert.equal(status, 200, JSON.stringify(body));
        assert.equal(body['malformed'], false);
        examined += Number(body['examined']);
        for (const { before, after } of body['changes'] as { before: Entry; after: Entry }[]) {
          seen.set(before.user_id, [before.rule, after.rule, after.allowed]);
        }
        if (typeof body['next_batch'] !== 'string') break;
        from = `&from=${encodeURIComponent(body['next_batch'])}`;
      }
      assert.deepEqual(
        seen,
        new Map<string, unknown>([
          [bob.userId, ['shared_room', 'denied_rooms', false]],
          [dan.userId, ['denied_user', 'allowed_user', true]],
          ['@new:elsewhere.example', ['no_shared_room', 'allowed_user', true]],
        ]),
      );
      assert.equal(examined, 5);
      assert.deepEqual(
        rules(await list(alice, 50))
          .find(([user]) => user === bob.userId)
          ?.slice(1),
        [true, 'shared_room', one],
      );

      const broken = await alice.http.post(`${path}/preview`, { content: { denied_users: 'all' } });
      assert.equal(broken.body['malformed'], true);
      const losing = (broken.body['changes'] as { before: Entry }[]).map(({ before }) => before.user_id);
      assert.deepEqual(losing.toSorted(), [bob.userId, carol.userId].toSorted());
      assert.equal((await alice.http.post(`${path}/preview`, { content: [] })).status, 400);
      assert.equal((await alice.http.post(`${path}/preview`, {})).status, 400);

      // What was foretold comes true.
      await alice.setAccountData(sharing, content);
      const again = await alice.http.post(`${path}/preview`, { content });
      assert.deepEqual(again.body['changes'], []);
      assert.equal((await list(alice, 50)).find(({ user_id: user }) => user === bob.userId)?.rule, 'denied_rooms');
    });

    test('the largest settings are answered in pages', async () => {
      const alice = await person();
      const names = Array.from({ length: 20_000 }, (_, index) => `@n${(index * 7919) % 20_000}:elsewhere.example`);
      await alice.setAccountData(sharing, { allowed_users: names });
      const { body } = await alice.http.get(`${path}?limit=100000`);
      const sorted = names.toSorted();
      assert.deepEqual(
        (body['users'] as Entry[]).map(({ user_id: user }) => user),
        sorted.slice(0, 200),
      );
      assert.equal(body['next_batch'], sorted[199]);
    });
  });
}

test('where presence is turned off, it says so', async () => {
  const server = await startTestServer({ settings: { PRESENCE_ENABLED: 'false' } });
  const alice = await server.registerUser();
  for (const rest of ['', '/decision?user_id=@x:localhost']) {
    assert.equal((await alice.get(`${path}${rest}`)).status, 403);
  }
  assert.equal((await alice.post(`${path}/preview`, { content: {} })).status, 403);
  await server.close();
});
