import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join as joinPath } from 'node:path';
import { before, describe, test } from 'node:test';
import { startTestNetwork } from '@portico/testkit/network.ts';
import { registerAdmin } from '@portico/testkit/register-admin.ts';
import { startTestServer } from '@portico/testkit/server.ts';
import { serverOfSuite } from '@portico/testkit/server-of-suite.ts';
import { refusalOf, type TestClient } from '@portico/testkit/test-client.ts';
import { until } from '@portico/testkit/until.ts';

const v3 = '/_matrix/client/v3';
const encoded = encodeURIComponent;
const room = (roomId: string) => `${v3}/rooms/${encoded(roomId)}`;
const block = (roomId: string) => `/_synapse/admin/v1/rooms/${encoded(roomId)}/block`;
const shutdown = (roomId: string) => `/_synapse/admin/v2/rooms/${encoded(roomId)}`;

const byId = (deleteId: string) => `/_synapse/admin/v2/rooms/delete_status/${encoded(deleteId)}`;

async function createRoom(by: TestClient, settings: object = {}): Promise<string> {
  const { status, body } = await by.post(`${v3}/createRoom`, { preset: 'public_chat', ...settings });
  assert.equal(status, 200);
  return String(body['room_id']);
}

const join = (who: TestClient, roomId: string, query = '') => who.post(`${v3}/join/${encoded(roomId)}${query}`, {});
const invite = (by: TestClient, roomId: string, whom: TestClient) =>
  by.post(`${room(roomId)}/invite`, { user_id: whom.userId });
const membershipIn = async (reader: TestClient, roomId: string, { userId }: TestClient) =>
  (await reader.get(`${room(roomId)}/state/m.room.member/${encoded(userId)}`)).body;

async function isInvited(who: TestClient, roomId: string): Promise<boolean> {
  const { invite: invitations = {} } = ((await who.get(`${v3}/sync?timeout=0`)).body['rooms'] ?? {}) as {
    invite?: object;
  };
  return roomId in invitations;
}

for (const engine of ['sqlite', 'postgres'] as const) {
  describe(`rooms that are blocked (${engine})`, () => {
    const server = serverOfSuite({ engine });
    let admin: TestClient;
    let alice: TestClient;
    let bob: TestClient;
    before(async () => {
      admin = await registerAdmin(server, 'admin');
      [alice, bob] = [await server.registerUser(), await server.registerUser()];
    });

    test('let nobody in by any way, until they are unblocked', async () => {
      const roomId = await createRoom(alice, { initial_state: [] });
      assert.deepEqual((await admin.get(block(roomId))).body, { block: false });
      assert.deepEqual((await admin.put(block(roomId), { block: true })).body, { block: true });
      assert.deepEqual((await admin.get(block(roomId))).body, { block: true, user_id: admin.userId });
      const member = `${room(roomId)}/state/m.room.member`;
      for (const answer of [
        await join(bob, roomId),
        await bob.post(`${room(roomId)}/join`, {}),
        await bob.post(`${v3}/knock/${encoded(roomId)}`, {}),
        await bob.put(`${member}/${encoded(bob.userId)}`, { membership: 'join' }),
        await invite(alice, roomId, bob),
        await alice.put(`${member}/${encoded(bob.userId)}`, { membership: 'invite' }),
      ]) {
        assert.equal(refusalOf(answer), '403 M_FORBIDDEN');
      }
      // Who is there already may go.
      assert.equal((await alice.post(`${room(roomId)}/leave`, {})).status, 200);
      assert.equal((await admin.put(block(roomId), { block: false })).status, 200);
      assert.deepEqual((await admin.get(block(roomId))).body, { block: false });
      assert.notEqual((await join(bob, await createRoom(alice))).status, 403);
    });

    test('are emptied in the background, and leave the directory', async () => {
      const roomId = await createRoom(alice, { visibility: 'public', invite: [admin.userId] });
      await join(bob, roomId);
      const listed = async () =>
        ((await bob.get(`${v3}/publicRooms`)).body['chunk'] as { room_id: string }[]).some(
          (one) => one.room_id === roomId,
        );
      assert.equal(await listed(), true);
      const begun = await admin.delete(shutdown(roomId), { block: true, purge: true, message: 'Against the law' });
      assert.deepEqual([begun.status, begun.body], [200, { delete_id: roomId }]);
      const left = { membership: 'leave', reason: 'Against the law' };
      for (const who of [alice, bob]) {
        await until(
          async () => (await membershipIn(who, roomId, who))['membership'] === 'leave',
          'they are out of the room',
        );
        assert.partialDeepStrictEqual(await membershipIn(who, roomId, who), left);
      }
      await until(async () => !(await isInvited(admin, roomId)), 'the invitation is gone');
      assert.equal(await listed(), false);
      await until(async () => (await admin.get(byId(roomId))).body['status'] === 'complete', 'its end is told');
      const { body } = await admin.get(`${shutdown(roomId)}/delete_status`);
      assert.deepEqual(body, { results: [{ delete_id: roomId, room_id: roomId, status: 'complete' }] });
      assert.equal(refusalOf(await join(alice, roomId)), '403 M_FORBIDDEN');
    });

    test('are blocked before anybody here knows them, and shut down without being blocked', async () => {
      const unknown = '!somewhere:elsewhere.example';
      assert.equal(refusalOf(await admin.delete(shutdown(unknown), {})), '404 M_NOT_FOUND');
      assert.equal(refusalOf(await admin.get(`${shutdown(unknown)}/delete_status`)), '404 M_NOT_FOUND');
      assert.equal((await admin.delete(shutdown(unknown), { block: true })).status, 200);
      assert.equal((await admin.get(`${shutdown(unknown)}/delete_status`)).status, 200);
      assert.equal(refusalOf(await join(bob, unknown)), '403 M_FORBIDDEN');
      const roomId = await createRoom(alice);
      await join(bob, roomId);
      assert.equal((await admin.delete(shutdown(roomId), {})).status, 200);
      await until(
        async () => (await membershipIn(bob, roomId, bob))['membership'] === 'leave',
        'bob is out of the room',
      );
      assert.deepEqual((await admin.get(block(roomId))).body, { block: false });
    });

    test('are told of to every administrator, if they were shut down and not for any other reason', async () => {
      const other = await registerAdmin(server, 'other');
      const roomId = await createRoom(alice);
      await alice.post(`${room(roomId)}/leave`, {});
      await admin.put(block(roomId), { block: true });
      for (const path of [`${shutdown(roomId)}/delete_status`, byId(roomId)]) {
        assert.equal(refusalOf(await admin.get(path)), '404 M_NOT_FOUND', 'nobody is in it, and it is blocked');
      }
      const busy = await createRoom(alice);
      await join(bob, busy);
      await admin.delete(shutdown(busy), {});
      for (const who of [admin, other]) {
        assert.equal((await who.get(byId(busy))).status, 200);
        assert.equal((await who.get(`${shutdown(busy)}/delete_status`)).status, 200);
      }
      await until(async () => (await other.get(byId(busy))).body['status'] === 'complete', 'the other is told, too');
      assert.equal((await join(bob, busy)).status, 200);
      assert.deepEqual((await other.get(byId(busy))).body, { delete_id: busy, room_id: busy, status: 'complete' });
    });

    test('are for administrators', async () => {
      const roomId = await createRoom(alice);
      for (const answer of [
        await alice.get(block(roomId)),
        await alice.put(block(roomId), { block: true }),
        await alice.delete(shutdown(roomId), {}),
        await alice.get(`${shutdown(roomId)}/delete_status`),
        await alice.get(byId(roomId)),
      ]) {
        assert.equal(refusalOf(answer), '403 M_FORBIDDEN');
      }
      assert.equal(refusalOf(await admin.put(block('nowhere'), { block: true })), '400 M_INVALID_PARAM');
      assert.equal(
        refusalOf(await admin.get(`${shutdown(roomId)}/delete_status`)),
        '404 M_NOT_FOUND',
        'nobody shut it down',
      );
    });
  });
}

test('what became of a room that was shut down is told after a restart', async (context) => {
  const dataDir = mkdtempSync(joinPath(tmpdir(), 'portico-shutdown-'));
  context.after(() => rmSync(dataDir, { recursive: true, force: true }));
  const first = await startTestServer({ dataDir });
  const admin = await registerAdmin(first, 'admin');
  const roomId = await createRoom(await first.registerUser());
  await admin.delete(shutdown(roomId), {});
  await first.stop();
  const second = await startTestServer({ dataDir });
  context.after(() => second.close());
  const again = second.as(admin);
  await until(async () => {
    const { status, body } = await again.get(byId(roomId));
    assert.equal(status, 200);
    return body['status'] === 'complete';
  }, 'its end is told');
});

test('a room of another server that is blocked lets nobody in, cannot invite, and hears who left', async (context) => {
  const network = await startTestNetwork(['hs1', 'hs2']);
  context.after(() => network.close());
  const admin = await registerAdmin(network.server('hs1'), 'admin');
  const [alice, invited] = [await network.server('hs1').registerUser(), await network.server('hs1').registerUser()];
  const bob = await network.server('hs2').registerUser();
  const roomId = await createRoom(bob);
  assert.equal((await join(alice, roomId, '?server_name=hs2')).status, 200);
  assert.equal((await invite(bob, roomId, invited)).status, 200);
  await until(() => isInvited(invited, roomId), 'the invitation comes');
  assert.equal((await admin.delete(shutdown(roomId), { block: true })).status, 200);
  for (const who of [alice, invited]) {
    await until(
      async () => (await membershipIn(bob, roomId, who))['membership'] === 'leave',
      `the other server knows that ${who.userId} left`,
    );
  }
  assert.equal(refusalOf(await join(alice, roomId, '?server_name=hs2')), '403 M_FORBIDDEN');
  assert.equal(refusalOf(await invite(bob, roomId, alice)), '403 M_FORBIDDEN');
});
