import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, describe, test } from 'node:test';
import { startTestServer } from '@portico/testkit/server.ts';
import type { TestClient, TestResponse } from '@portico/testkit/test-client.ts';

const v3 = '/_matrix/client/v3';
const stable = 'm.invite_permission_config';
const unstable = 'org.matrix.msc4155.invite_permission_config';
const outcome = ({ status, body }: TestResponse) => [status, body['errcode']];
const blocked = [403, 'M_INVITE_BLOCKED'];
const unstablyBlocked = [403, 'ORG.MATRIX.MSC4155.M_INVITE_BLOCKED'];
const done = [200, undefined];

const roomPath = (roomId: string) => `${v3}/rooms/${encodeURIComponent(roomId)}`;
const invite = (by: TestClient, roomId: string, whom: TestClient) =>
  by.post(`${roomPath(roomId)}/invite`, { user_id: whom.userId });

async function setRules(client: TestClient, type: string, content: object): Promise<void> {
  const { status } = await client.put(`${v3}/user/${client.userId}/account_data/${type}`, content);
  assert.equal(status, 200);
}

async function createRoom(client: TestClient, settings: object = {}): Promise<string> {
  const { status, body } = await client.post(`${v3}/createRoom`, { preset: 'private_chat', ...settings });
  assert.equal(status, 200, JSON.stringify(body));
  return String(body['room_id']);
}

type Rooms = { readonly [section in 'join' | 'invite' | 'leave']?: { readonly [roomId: string]: unknown } };

/** The rooms of a sync by section, and its token. */
async function sync(client: TestClient, parameters = '') {
  const { status, body } = await client.get(`${v3}/sync?timeout=0${parameters}`);
  assert.equal(status, 200);
  const rooms = (body['rooms'] ?? {}) as Rooms;
  const ids = (section: keyof Rooms) => Object.keys(rooms[section] ?? {});
  return { invite: ids('invite'), leave: ids('leave'), next: `&since=${String(body['next_batch'])}`, body };
}

/** Everything that a new connection of sliding sync gets. */
async function slidingSync(client: TestClient): Promise<string> {
  const path = '/_matrix/client/unstable/org.matrix.simplified_msc3575/sync?timeout=0';
  const lists = { all: { ranges: [[0, 100]], required_state: [['*', '*']], timeline_limit: 10 } };
  const { status, body } = await client.post(path, { conn_id: randomUUID(), lists });
  assert.equal(status, 200, JSON.stringify(body));
  return JSON.stringify(body);
}

for (const engine of ['sqlite', 'postgres'] as const) {
  describe(`invite rules (${engine})`, async () => {
    const server = await startTestServer({ engine });
    after(() => server.close());
    const people = (count: number) => Promise.all(Array.from({ length: count }, () => server.registerUser()));

    test('blocking: refused at every door, under the name that decided', async () => {
      const [alice, bob] = (await people(2)) as [TestClient, TestClient];
      const roomId = await createRoom(bob);
      const memberPath = `${roomPath(roomId)}/state/m.room.member/${alice.userId}`;
      for (const [type, content, refusal] of [
        [unstable, { blocked_users: [bob.userId] }, unstablyBlocked],
        [unstable, {}, undefined],
        [stable, { blocked_servers: ['local*'] }, blocked],
        [stable, {}, undefined],
        ['org.matrix.msc4380.invite_permission_config', { default_action: 'block' }, blocked],
      ] as const) {
        await setRules(alice, type, content);
        if (refusal === undefined) continue;
        assert.deepEqual(outcome(await invite(bob, roomId, alice)), refusal);
        assert.deepEqual(outcome(await bob.put(memberPath, { membership: 'invite' })), refusal);
        assert.equal((await bob.get(memberPath)).status, 404);
        const created = await bob.post(`${v3}/createRoom`, { preset: 'private_chat', invite: [alice.userId] });
        assert.deepEqual(outcome(created), refusal);
      }
      assert.deepEqual((await sync(alice)).invite, []);
      await setRules(alice, 'org.matrix.msc4380.invite_permission_config', {});
      assert.deepEqual(outcome(await invite(bob, roomId, alice)), done);
      assert.deepEqual((await sync(alice)).invite, [roomId]);
    });

    test('blocking: a room is created all the same, and the others are invited', async () => {
      const [alice, bob, carol, dave] = (await people(4)) as [TestClient, TestClient, TestClient, TestClient];
      for (const client of [alice, dave]) await setRules(client, stable, { blocked_users: [bob.userId] });
      const member = { type: 'm.room.member', state_key: dave.userId, content: { membership: 'invite' } };
      const settings = { invite: [alice.userId, carol.userId], name: 'All the same' };
      const before = (await bob.get(`${v3}/joined_rooms`)).body['joined_rooms'] as string[];
      const created = await bob.post(`${v3}/createRoom`, { ...settings, initial_state: [member] });
      assert.deepEqual(outcome(created), blocked);
      const rooms = (await bob.get(`${v3}/joined_rooms`)).body['joined_rooms'] as string[];
      const roomId = rooms.find((id) => !before.includes(id)) ?? '';
      assert.equal((await bob.get(`${roomPath(roomId)}/state/m.room.name/`)).body['name'], 'All the same');
      assert.deepEqual((await sync(carol)).invite, [roomId]);
      for (const client of [alice, dave]) {
        assert.deepEqual((await sync(client)).invite, []);
        assert.equal((await bob.get(`${roomPath(roomId)}/state/m.room.member/${client.userId}`)).status, 404);
      }
    });

    test('ignoring: the inviter sees success, and the invitee nothing, from first to last', async () => {
      for (const [type, rules] of [
        [stable, (bob: TestClient) => ({ ignored_users: [bob.userId] })],
        [unstable, () => ({ ignored_servers: ['localhost'] })],
        ['m.ignored_user_list', (bob: TestClient) => ({ ignored_users: { [bob.userId]: {} } })],
      ] as const) {
        const [alice, bob] = (await people(2)) as [TestClient, TestClient];
        await setRules(alice, type, rules(bob));
        let { next } = await sync(alice);
        const roomId = await createRoom(bob, { invite: [alice.userId] });
        const memberPath = `${roomPath(roomId)}/state/m.room.member/${alice.userId}`;
        assert.equal((await bob.get(memberPath)).body['membership'], 'invite');
        for (const parameters of ['', next, `${next}&full_state=true`]) {
          const { body } = await sync(alice, parameters);
          assert.ok(!JSON.stringify(body).includes(roomId), parameters);
          assert.equal(body['rooms'], undefined, parameters);
        }
        ({ next } = await sync(alice, next));
        assert.ok(!(await slidingSync(alice)).includes(roomId));
        for (const action of ['kick', 'ban']) {
          const ended = await bob.post(`${roomPath(roomId)}/${action}`, { user_id: alice.userId });
          assert.deepEqual(outcome(ended), done);
          assert.ok(!(await slidingSync(alice)).includes(roomId), action);
        }
        const everything = '&filter={"room":{"include_leave":true}}';
        for (const parameters of ['', next, everything]) {
          assert.ok(!JSON.stringify((await sync(alice, parameters)).body).includes(roomId), parameters);
        }
      }
    });

    test('ignoring: who was in the room before, and has perhaps forgotten it, sees nothing either', async () => {
      const everything = '&filter={"room":{"include_leave":true}}';
      for (const isForgotten of [false, true]) {
        const [alice, bob] = (await people(2)) as [TestClient, TestClient];
        const roomId = await createRoom(bob, { invite: [alice.userId] });
        for (const step of ['join', 'leave', ...(isForgotten ? ['forget'] : [])]) {
          assert.deepEqual(outcome(await alice.post(`${roomPath(roomId)}/${step}`, {})), done);
        }
        await setRules(alice, stable, { ignored_users: [bob.userId] });
        const { next, leave } = await sync(alice, everything);
        assert.deepEqual(leave, isForgotten ? [] : [roomId]);
        assert.deepEqual(outcome(await invite(bob, roomId, alice)), done);
        assert.deepEqual(outcome(await bob.post(`${roomPath(roomId)}/kick`, { user_id: alice.userId })), done);
        assert.ok(!(await slidingSync(alice)).includes(roomId));
        assert.ok(!JSON.stringify((await sync(alice, next)).body).includes(roomId));
        assert.deepEqual((await sync(alice, everything)).leave, leave);
      }
    });

    test('ignoring: who asks for the room by its ID is in it as anybody else', async () => {
      const [alice, bob] = (await people(2)) as [TestClient, TestClient];
      await setRules(alice, stable, { ignored_users: [bob.userId] });
      const roomId = await createRoom(bob, { invite: [alice.userId] });
      assert.deepEqual(outcome(await alice.post(`${roomPath(roomId)}/join`, {})), done);
    });

    test('pending invitations vanish when the rules get tighter, and are there again when they are relaxed', async () => {
      const [alice, bob] = (await people(2)) as [TestClient, TestClient];
      const roomId = await createRoom(bob, { invite: [alice.userId] });
      const first = await sync(alice);
      assert.deepEqual(first.invite, [roomId]);
      for (const rules of [
        { ignored_users: [bob.userId] },
        { blocked_users: [bob.userId] },
        { default_action: 'block' },
      ]) {
        await setRules(alice, stable, rules);
        assert.deepEqual((await sync(alice)).invite, []);
      }
      await setRules(alice, stable, { blocked_users: [bob.userId], enabled: false });
      assert.deepEqual((await sync(alice)).invite, [roomId]);
      await setRules(alice, stable, { blocked_users: [bob.userId] });
      // A client that was shown the invitation is told that it is gone.
      await bob.post(`${roomPath(roomId)}/kick`, { user_id: alice.userId });
      assert.deepEqual((await sync(alice, first.next)).leave, [roomId]);
    });

    test('a long poll says nothing of an ignored invitation, and goes on', async () => {
      const [alice, bob, carol] = (await people(3)) as [TestClient, TestClient, TestClient];
      await setRules(alice, stable, { ignored_users: [bob.userId] });
      const { next } = await sync(alice);
      const polling = alice.get(`${v3}/sync?timeout=30000${next}`);
      await createRoom(bob, { invite: [alice.userId] });
      const shown = await createRoom(carol, { invite: [alice.userId] });
      const rooms = (await polling).body['rooms'] as Rooms;
      assert.deepEqual(Object.keys(rooms.invite ?? {}), [shown]);
    });

    test('the capability is said', async () => {
      const features = (await server.anonymous.get('/_matrix/client/versions')).body['unstable_features'];
      for (const flag of ['org.matrix.msc4155', 'org.matrix.msc4380', 'org.matrix.msc4380.stable']) {
        assert.equal((features as Record<string, boolean>)[flag], true);
      }
    });
  });
}

test("invite rules: the server's policy is in front of everyone's own", async () => {
  const server = await startTestServer({
    settings: { PRIVACY_INVITES: JSON.stringify({ blocked_users: ['@spam*'], ignored_users: ['@quiet*'] }) },
  });
  after(() => server.close());
  const [alice, spammer, quiet] = await Promise.all(
    ['alice', 'spammer', 'quiet'].map((name) => server.registerUser(name)),
  );
  assert.ok(alice && spammer && quiet);
  await setRules(alice, stable, { allowed_users: ['@*'] });
  const roomId = await createRoom(spammer);
  assert.deepEqual(outcome(await invite(spammer, roomId, alice)), blocked);
  await createRoom(quiet, { invite: [alice.userId] });
  assert.deepEqual((await sync(alice)).invite, []);
});
