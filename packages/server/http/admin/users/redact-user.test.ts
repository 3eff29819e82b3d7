import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { contentOf, createRoom, join, must, pathOf, say } from '@portico/testkit/people.ts';
import { registerAdmin } from '@portico/testkit/register-admin.ts';
import { serverOfSuite } from '@portico/testkit/server-of-suite.ts';
import { refusalOf, type TestClient } from '@portico/testkit/test-client.ts';
import { until } from '@portico/testkit/until.ts';

const encoded = encodeURIComponent;
const redact = (userId: string) => `/_synapse/admin/v1/user/${encoded(userId)}/redact`;
const status = (id: unknown) => `/_synapse/admin/v1/user/redact_status/${String(id)}`;

for (const engine of ['sqlite', 'postgres'] as const) {
  describe(`what somebody said, for administrators (${engine})`, () => {
    const server = serverOfSuite({ engine });
    let admin: TestClient;
    let alice: TestClient;
    let rooms: string[] = [];
    before(async () => {
      admin = await registerAdmin(server, 'admin');
      alice = await server.registerUser('alice');
      rooms = [await createRoom(alice), await createRoom(alice)];
    });

    async function finished(userId: string, body: object = {}) {
      const { redact_id: id } = await must(admin.post(redact(userId), body));
      return until(async () => {
        const answer = await must(admin.get(status(id)));
        return answer['status'] === 'complete' && answer;
      }, 'it is done');
    }
    const isRedacted = async (roomId: string, eventId: string) =>
      JSON.stringify(await contentOf(alice, roomId, eventId)) === '{}';

    test('is redacted wherever they said it, by themselves, and nothing of others', async () => {
      const bob = await server.registerUser();
      const [first = '', second = ''] = rooms;
      for (const roomId of rooms) await join(bob, roomId);
      const said = [];
      for (let n = 0; n < 25; n += 1) said.push(await say(bob, first, `spam ${n}`));
      const there = await say(bob, second, 'more of it');
      const hers = await say(alice, first, 'stop that');
      const answer = await finished(bob.userId, { rooms: [], reason: 'Spam' });
      // With the two joins.
      assert.deepEqual(answer, { status: 'complete', failed_redactions: {}, successful_redactions: 28 });
      for (const eventId of said) assert.ok(await isRedacted(first, eventId));
      assert.ok(await isRedacted(second, there));
      assert.equal(await isRedacted(first, hers), false);
      assert.equal((await finished(bob.userId))['successful_redactions'], 0, 'there is nothing left');
    });

    test('is redacted in some rooms, and the newest only, if that is asked', async () => {
      const bob = await server.registerUser();
      const [first = '', second = ''] = rooms;
      for (const roomId of rooms) await join(bob, roomId);
      const [older, newer, elsewhere] = [
        await say(bob, first, 'one'),
        await say(bob, first, 'two'),
        await say(bob, second, 'three'),
      ];
      assert.equal((await finished(bob.userId, { rooms: [first], limit: 1 }))['successful_redactions'], 1);
      assert.deepEqual(
        [await isRedacted(first, older), await isRedacted(first, newer), await isRedacted(second, elsewhere)],
        [false, true, false],
      );
    });

    test('of those who have left is redacted by the administrator, where they may', async () => {
      const bob = await server.registerUser();
      const [first = '', second = ''] = rooms;
      const said = [];
      for (const roomId of rooms) {
        await join(bob, roomId);
        said.push(await say(bob, roomId, 'and gone'));
        await must(bob.post(pathOf(roomId, 'leave'), {}));
      }
      await join(admin, first);
      const powers = await must(alice.get(pathOf(first, 'state/m.room.power_levels/')));
      const users = { ...(powers['users'] as object), [admin.userId]: 50 };
      await must(alice.put(pathOf(first, 'state/m.room.power_levels/'), { ...powers, users }));
      const { failed_redactions: failed } = await finished(bob.userId);
      assert.ok(await isRedacted(first, said[0] ?? ''));
      assert.equal(await isRedacted(second, said[1] ?? ''), false);
      const reasons = failed as Record<string, string>;
      assert.equal(typeof reasons[said[1] ?? ''], 'string', 'the administrator is not there');
      assert.equal(said[0] !== undefined && said[0] in reasons, false);
    });

    test('is a matter of administrators', async () => {
      assert.equal(refusalOf(await alice.post(redact(alice.userId), {})), '403 M_FORBIDDEN');
      assert.equal(refusalOf(await alice.get(status('x'))), '403 M_FORBIDDEN');
      assert.equal(refusalOf(await admin.get(status('x'))), '404 M_NOT_FOUND');
      assert.equal(refusalOf(await admin.post(redact('bob'), {})), '400 M_INVALID_PARAM');
      const nowhere = { rooms: ['!nowhere:localhost'] };
      assert.equal(refusalOf(await admin.post(redact(alice.userId), nowhere)), '404 M_NOT_FOUND');
    });
  });
}
