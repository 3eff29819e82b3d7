import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { startTestNetwork } from '@portico/testkit/network.ts';
import { createRoom, pathOf } from '@portico/testkit/people.ts';
import type { TestClient, TestResponse } from '@portico/testkit/test-client.ts';
import { until } from '@portico/testkit/until.ts';

const v3 = '/_matrix/client/v3';
const outcome = ({ status, body }: TestResponse) => [status, body['errcode']];
async function setRules(client: TestClient, type: string, content: object): Promise<void> {
  assert.equal((await client.put(`${v3}/user/${client.userId}/account_data/${type}`, content)).status, 200);
}

const invite = (by: TestClient, roomId: string, whom: TestClient) =>
  by.post(pathOf(roomId, 'invite'), { user_id: whom.userId });

async function invitesOf(client: TestClient): Promise<string[]> {
  const rooms = (await client.get(`${v3}/sync`)).body['rooms'] as { invite?: object } | undefined;
  return Object.keys(rooms?.invite ?? {});
}

describe('invite rules across servers', async () => {
  const network = await startTestNetwork(['hs1', 'hs2']);
  after(() => network.close());
  const here = () => network.server('hs1').registerUser();
  const there = () => network.server('hs2').registerUser();

  test('who is blocked is told so, by whichever way they invite', async () => {
    const [alice, bob, carol] = [await here(), await there(), await here()];
    const roomId = await createRoom(bob, { preset: 'private_chat' });
    for (const [type, rules, errcode] of [
      ['m.invite_permission_config', { blocked_servers: ['hs2'] }, 'M_INVITE_BLOCKED'],
      ['m.invite_permission_config', {}, undefined],
      [
        'org.matrix.msc4155.invite_permission_config',
        { blocked_users: [bob.userId] },
        'ORG.MATRIX.MSC4155.M_INVITE_BLOCKED',
      ],
      ['org.matrix.msc4155.invite_permission_config', {}, undefined],
      ['org.matrix.msc4380.invite_permission_config', { default_action: 'block' }, 'M_INVITE_BLOCKED'],
    ] as const) {
      await setRules(alice, type, rules);
      if (errcode === undefined) continue;
      const member = pathOf(roomId, `state/m.room.member/${alice.userId}`);
      assert.deepEqual(outcome(await invite(bob, roomId, alice)), [403, errcode]);
      assert.deepEqual(outcome(await bob.put(member, { membership: 'invite' })), [403, errcode]);
      assert.equal((await bob.get(member)).status, 404);
      const both = { preset: 'private_chat', invite: [alice.userId, carol.userId] };
      assert.deepEqual(outcome(await bob.post(`${v3}/createRoom`, both)), [403, errcode]);
    }
    assert.deepEqual(await invitesOf(alice), []);
    assert.equal((await invitesOf(carol)).length, 3);
    await setRules(alice, 'org.matrix.msc4380.invite_permission_config', {});
    const invited = await bob.put(pathOf(roomId, `state/m.room.member/${alice.userId}`), { membership: 'invite' });
    assert.equal(invited.status, 200);
    assert.match(String(invited.body['event_id']), /^\$/);
    assert.deepEqual(await invitesOf(alice), [roomId]);
  });

  test('who is ignored sees success, and the invitee nothing until they relax their rules', async () => {
    const [alice, bob] = [await here(), await there()];
    await setRules(alice, 'm.invite_permission_config', { ignored_servers: ['hs*'] });
    const roomId = await createRoom(bob, { preset: 'private_chat', invite: [alice.userId] });
    const member = pathOf(roomId, `state/m.room.member/${alice.userId}`);
    assert.equal((await bob.get(member)).body['membership'], 'invite');
    assert.deepEqual(await invitesOf(alice), []);
    await setRules(alice, 'm.invite_permission_config', {});
    assert.deepEqual(await invitesOf(alice), [roomId]);
  });

  test('an ignored invitation to a room that this server is in stays unseen, too', async () => {
    const [alice, bob, carol] = [await here(), await there(), await here()];
    await setRules(alice, 'm.invite_permission_config', { ignored_users: [bob.userId] });
    const roomId = await createRoom(bob);
    const joined = await carol.post(`${v3}/join/${encodeURIComponent(roomId)}?via=hs2`, {});
    assert.equal(joined.status, 200);
    assert.equal((await invite(bob, roomId, alice)).status, 200);
    const member = pathOf(roomId, `state/m.room.member/${alice.userId}`);
    await until(async () => (await carol.get(member)).body['membership'] === 'invite', 'carol sees the invitation');
    assert.deepEqual(await invitesOf(alice), []);
  });

  test('an invitation in the first state of a room goes by way of the server of who is invited', async () => {
    const [alice, bob] = [await here(), await there()];
    const content = { membership: 'invite', reason: 'a party' };
    const member = { type: 'm.room.member', state_key: alice.userId, content };
    const create = () => bob.post(`${v3}/createRoom`, { preset: 'private_chat', initial_state: [member] });
    const { status, body } = await create();
    assert.equal(status, 200);
    const roomId = String(body['room_id']);
    assert.deepEqual(await invitesOf(alice), [roomId]);
    const kept = await bob.get(pathOf(roomId, `state/m.room.member/${alice.userId}`));
    assert.deepEqual([kept.body['membership'], kept.body['reason']], ['invite', 'a party']);

    await setRules(alice, 'm.invite_permission_config', { blocked_servers: ['hs2'] });
    assert.deepEqual(outcome(await create()), [403, 'M_INVITE_BLOCKED']);
    const many = Array.from({ length: 101 }, (_, n) => ({ ...member, state_key: `@user${n}:hs1` }));
    const tooMany = { preset: 'private_chat', initial_state: many };
    assert.deepEqual(outcome(await bob.post(`${v3}/createRoom`, tooMany)), [400, 'M_INVALID_PARAM']);
  });
});
