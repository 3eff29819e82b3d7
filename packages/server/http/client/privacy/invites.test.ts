import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { startTestServer } from '@portico/testkit/server.ts';
import type { TestClient, TestResponse } from '@portico/testkit/test-client.ts';

const v3 = '/_matrix/client/v3';
const privacy = '/_portico/client/v1/privacy/invites';
const stable = 'm.invite_permission_config';
const unstable = 'org.matrix.msc4155.invite_permission_config';
const outcome = ({ status, body }: TestResponse) => [status, body['errcode']];

type Pending = { readonly room_id: string; readonly inviter: string; readonly decision: { readonly action: string } };

for (const engine of ['sqlite', 'postgres'] as const) {
  describe(`control over invitations (${engine})`, async () => {
    const policy = { blocked_servers: ['evil.example'] };
    const server = await startTestServer({ engine, settings: { PRIVACY_INVITES: JSON.stringify(policy) } });
    after(() => server.close());

    const setRules = (by: TestClient, type: string, content: object) =>
      by.put(`${v3}/user/${by.userId}/account_data/${type}`, content);
    async function inviteTo(by: TestClient, whom: TestClient): Promise<string> {
      const { status, body } = await by.post(`${v3}/createRoom`, { invite: [whom.userId] });
      assert.equal(status, 200);
      return String(body['room_id']);
    }
    async function pendingOf(by: TestClient): Promise<Pending[]> {
      const found: Pending[] = [];
      for (let from = ''; ;) {
        const { status, body } = await by.get(`${privacy}/pending?limit=2${from}`);
        assert.equal(status, 200);
        found.push(...(body['invites'] as Pending[]));
        if (typeof body['next_batch'] !== 'string') return found;
        from = `&from=${body['next_batch']}`;
      }
    }
    async function reject(by: TestClient, choice: object): Promise<string[]> {
      assert.equal((await by.post(`${privacy}/reject`, choice)).status, 200);
      while ((await by.get(`${privacy}/pending`)).body['rejecting'] === true) await pause(10);
      return (await pendingOf(by)).map(({ room_id: roomId }) => roomId);
    }

    test('what was set can be read back, with what is wrong with it', async () => {
      const alice = await server.registerUser();
      await setRules(alice, stable, { enabled: false, blocked_users: ['@a:b'] });
      await setRules(alice, unstable, { blocked_users: ['@a:b'], allowed_servers: 'everyone' });
      await setRules(alice, 'm.ignored_user_list', { ignored_users: { '@c:d': {} } });
      const { status, body } = await alice.get(privacy);
      assert.equal(status, 200);
      assert.deepEqual(body, {
        server_policy: policy,
        ignored_users: ['@c:d'],
        events: [
          { type: stable, content: { enabled: false, blocked_users: ['@a:b'] }, lists: 'disabled' },
          {
            type: unstable,
            content: { blocked_users: ['@a:b'], allowed_servers: 'everyone' },
            lists: 'malformed',
            malformed_list: 'allowed_servers',
          },
        ],
      });
      assert.deepEqual(outcome(await server.anonymous.get(privacy)), [401, 'M_MISSING_TOKEN']);
    });

    test('an address can be tried against the rules, and it is said which decides', async () => {
      const alice = await server.registerUser();
      await setRules(alice, stable, { ignored_users: ['@spam*:*'], default_action: 'block' });
      const decide = async (userId: string) =>
        (await alice.get(`${privacy}/decision?user_id=${encodeURIComponent(userId)}`)).body;
      assert.deepEqual(await decide('@spammer:x.example'), {
        action: 'ignore',
        rule: 'invite.ignored_users',
        source: stable,
        entry: '@spam*:*',
      });
      assert.deepEqual(await decide('@carol:x.example'), {
        action: 'block',
        rule: 'invite.default_action',
        source: stable,
      });
      assert.deepEqual(await decide('@spammer:evil.example'), {
        action: 'block',
        rule: 'invite.blocked_servers',
        source: 'server_policy',
        entry: 'evil.example',
      });
      await setRules(alice, stable, {});
      assert.deepEqual(await decide('@carol:x.example'), { action: 'allow', rule: 'invite.no_rule' });
      assert.deepEqual(outcome(await alice.get(`${privacy}/decision?user_id=carol`)), [400, 'M_INVALID_PARAM']);
    });

    test('pending invitations are listed, hidden ones too, and declined by choice', async () => {
      const [alice, bob, carol, dave] = await Promise.all([1, 2, 3, 4].map(() => server.registerUser()));
      assert.ok(alice && bob && carol && dave);
      await setRules(alice, stable, { ignored_users: [dave.userId] });
      const [ofBob, second, ofCarol, ofDave] = [
        await inviteTo(bob, alice),
        await inviteTo(bob, alice),
        await inviteTo(carol, alice),
        await inviteTo(dave, alice),
      ];
      assert.deepEqual(
        (await pendingOf(alice)).map((invite) => [invite.room_id, invite.inviter, invite.decision.action]),
        [
          [ofDave, dave.userId, 'ignore'],
          [ofCarol, carol.userId, 'allow'],
          [second, bob.userId, 'allow'],
          [ofBob, bob.userId, 'allow'],
        ],
      );
      assert.deepEqual(await reject(alice, { room_ids: [second], users: ['@nobody:*'] }), [
        ofDave,
        ofCarol,
        second,
        ofBob,
      ]);
      assert.deepEqual(await reject(alice, { room_ids: [second] }), [ofDave, ofCarol, ofBob]);
      assert.deepEqual(await reject(alice, { users: [`${bob.userId.slice(0, -3)}*`] }), [ofDave, ofCarol]);
      const memberOf = async (roomId: string, by: TestClient) =>
        (await by.get(`${v3}/rooms/${encodeURIComponent(roomId)}/state/m.room.member/${alice.userId}`)).body;
      assert.deepEqual(await memberOf(ofBob, bob), { membership: 'leave' });
      // Who is ignored hears nothing of it, unless that is wanted.
      assert.deepEqual(await reject(alice, {}), [ofDave]);
      assert.equal((await memberOf(ofDave, dave))['membership'], 'invite');
      assert.deepEqual(await reject(alice, { servers: ['LOCAL*'], include_hidden: true }), []);
      assert.equal((await memberOf(ofDave, dave))['membership'], 'leave');
    });

    test('requests that make no sense are refused', async () => {
      const alice = await server.registerUser();
      assert.deepEqual(outcome(await alice.get(`${privacy}/pending?from=nowhere`)), [400, 'M_INVALID_PARAM']);
      assert.deepEqual(outcome(await alice.post(`${privacy}/reject`, { users: '*' })), [400, 'M_BAD_JSON']);
      const many = { users: Array.from({ length: 1001 }, (_, index) => `@${index}:*`) };
      assert.deepEqual(outcome(await alice.post(`${privacy}/reject`, many)), [413, 'M_TOO_LARGE']);
    });
  });
}
