import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { registerAdmin } from '@portico/testkit/register-admin.ts';
import { serverOfSuite } from '@portico/testkit/server-of-suite.ts';
import { createSyncClient, type SyncClient } from '@portico/testkit/sync-client.ts';
import { refusalOf, type TestClient } from '@portico/testkit/test-client.ts';
import { until } from '@portico/testkit/until.ts';

const v3 = '/_matrix/client/v3';
const path = '/_synapse/admin/v1/event_reports';
const encoded = encodeURIComponent;
type Report = { id: number; received_ts: number; reason: string; user_id: string; sender: string };

for (const engine of ['sqlite', 'postgres'] as const) {
  describe(`reports for administrators (${engine})`, () => {
    let now = Date.now();
    const server = serverOfSuite({ engine, now: () => (now += 1) });
    let admin: TestClient;
    let alice: SyncClient;
    let bob: SyncClient;
    let roomId: string;
    const events: string[] = [];

    before(async () => {
      admin = await registerAdmin(server, 'admin');
      alice = createSyncClient(await server.registerUser());
      bob = createSyncClient(await server.registerUser());
      roomId = String(
        (await alice.http.post(`${v3}/createRoom`, { preset: 'public_chat', name: 'Garden' })).body['room_id'],
      );
      await bob.join(roomId);
      for (const text of ['one', 'two', 'three']) events.push(await alice.send(roomId, text));
    });
    const room = () => `${v3}/rooms/${encoded(roomId)}`;
    const report = (who: SyncClient, eventId: string, reason: string) =>
      who.http.post(`${room()}/report/${encoded(eventId)}`, { reason });
    async function list(query = ''): Promise<{ reasons: string[]; total: unknown; next: unknown; reports: Report[] }> {
      const { status, body } = await admin.get(`${path}${query}`);
      assert.equal(status, 200);
      const reports = body['event_reports'] as Report[];
      return { reports, reasons: reports.map(({ reason }) => reason), total: body['total'], next: body['next_token'] };
    }

    test('come page by page, in either order, of a reporter, a room or a sender', async () => {
      for (const [index, eventId] of events.entries()) await report(bob, eventId, `bob ${index}`);
      await report(alice, await bob.send(roomId, 'four'), 'alice');
      const [first] = (await list()).reports;
      assert.partialDeepStrictEqual(first, { room_id: roomId, name: 'Garden', canonical_alias: null, score: null });
      assert.partialDeepStrictEqual(first, { user_id: alice.userId, sender: bob.userId, reason: 'alice' });
      assert.deepEqual((await list()).reasons, ['alice', 'bob 2', 'bob 1', 'bob 0']);
      const start = await list('?dir=f&limit=3');
      assert.deepEqual([start.reasons, start.total, start.next], [['bob 0', 'bob 1', 'bob 2'], 4, 3]);
      const end = await list(`?dir=f&limit=3&from=3`);
      assert.deepEqual([end.reasons, end.total, end.next], [['alice'], 4, undefined]);
      // This is how a program waits for the next one.
      assert.deepEqual((await list('?dir=f&from=4')).reasons, []);
      assert.deepEqual((await list(`?user_id=${encoded(bob.userId)}&limit=1`)).total, 3);
      assert.deepEqual((await list(`?event_sender_user_id=${encoded(bob.userId)}`)).reasons, ['alice']);
      assert.deepEqual((await list(`?room_id=${encoded('!elsewhere:localhost')}`)).total, 0);
      assert.deepEqual((await list(`?room_id=${encoded(roomId)}`)).total, 4);
      for (const bad of ['?dir=x', '?from=-1', '?limit=many']) {
        assert.equal(refusalOf(await admin.get(path + bad)), '400 M_INVALID_PARAM');
      }
    });

    test('show the event, and nothing that nobody reported', async () => {
      const id = (await list('?dir=f&limit=1')).reports[0]?.id;
      const { body } = await admin.get(`${path}/${id}`);
      assert.partialDeepStrictEqual(body, { id, event_json: { event_id: events[0], content: { body: 'one' } } });
      const context = (eventId: string) => `/_synapse/admin/v1/rooms/${encoded(roomId)}/context/${encoded(eventId)}`;
      const reported = await admin.get(`${context(events[1] ?? '')}?limit=1`);
      assert.partialDeepStrictEqual(reported.body, { event: { sender: alice.userId, content: { body: 'two' } } });
      assert.deepEqual([reported.body['events_before'], reported.body['events_after']], [[], []]);
      const unreported = await alice.send(roomId, 'private');
      assert.equal(refusalOf(await admin.get(context(unreported))), '404 M_NOT_FOUND');
      const elsewhere = context(events[1] ?? '').replace(encoded(roomId), encoded('!elsewhere:localhost'));
      assert.equal(refusalOf(await admin.get(elsewhere)), '404 M_NOT_FOUND');
    });

    test('show no more of an event than its redaction left, or the erasure of its sender', async () => {
      const carol = createSyncClient(await server.registerUser());
      await carol.join(roomId);
      const [redacted, erased] = [await carol.send(roomId, 'regretted'), await carol.send(roomId, 'left behind')];
      await report(bob, redacted, 'redacted');
      await report(bob, erased, 'erased');
      const shown = async (reason: string) => {
        const { id } = (await list('?limit=2')).reports.find((one) => one.reason === reason) ?? {};
        return ((await admin.get(`${path}/${id}`)).body['event_json'] as { content: object }).content;
      };
      await carol.http.put(`${room()}/redact/${encoded(redacted)}/1`, {});
      assert.deepEqual(await shown('redacted'), {});
      assert.partialDeepStrictEqual(await shown('erased'), { body: 'left behind' });
      const auth = {
        type: 'm.login.password',
        identifier: { type: 'm.id.user', user: carol.userId },
        password: 'a password',
      };
      assert.equal((await carol.http.post(`${v3}/account/deactivate`, { erase: true, auth })).status, 200);
      assert.deepEqual(await shown('erased'), {});
    });

    test('name a user even where the reporter had their account erased', async () => {
      const dave = createSyncClient(await server.registerUser());
      await dave.join(roomId);
      await report(dave, events[0] ?? '', 'dave');
      const auth = {
        type: 'm.login.password',
        identifier: { type: 'm.id.user', user: dave.userId },
        password: 'a password',
      };
      await dave.http.post(`${v3}/account/deactivate`, { erase: true, auth });
      const erasure = `/_portico/admin/v1/erasures/${encoded(dave.userId)}`;
      await until(async () => (await admin.get(erasure)).body['finished_at'] !== null, 'the end of the erasure');
      assert.deepEqual((await list('?limit=1')).reports[0]?.user_id, '@:localhost');
    });

    test('are gone when they are dealt with', async () => {
      const people = '/_synapse/admin/v1/user_reports';
      const rooms = '/_portico/admin/v1/room_reports';
      await bob.http.post(`${v3}/users/${encoded(alice.userId)}/report`, { reason: 'rude' });
      await bob.http.post(`${room()}/report`, { reason: 'loud' });
      const first = async (of: string, name: string) => ((await admin.get(of)).body[name] as Report[])[0];
      const [event, person, place] = [
        await first(path, 'event_reports'),
        await first(`${people}?target_user_id=${encoded(alice.userId)}`, 'user_reports'),
        await first(rooms, 'room_reports'),
      ];
      assert.deepEqual((await admin.get(`${people}/${person?.id}`)).body, person);
      assert.equal(place?.reason, 'loud');
      // The ID of one kind is none of another.
      assert.equal(refusalOf(await admin.delete(`${people}/${event?.id}`)), '404 M_NOT_FOUND');
      for (const one of [`${path}/${event?.id}`, `${people}/${person?.id}`, `${rooms}/${place?.id}`]) {
        assert.equal((await admin.delete(one)).status, 200);
        assert.equal(refusalOf(await admin.delete(one)), '404 M_NOT_FOUND');
      }
      assert.equal(refusalOf(await admin.get(`${path}/${event?.id}`)), '404 M_NOT_FOUND');
      assert.equal(refusalOf(await admin.get(`${path}/first`)), '400 M_INVALID_PARAM');
    });

    test('are for administrators', async () => {
      for (const one of [path, `${path}/1`, '/_synapse/admin/v1/user_reports', '/_portico/admin/v1/room_reports']) {
        assert.equal(refusalOf(await bob.http.get(one)), '403 M_FORBIDDEN');
      }
    });
  });
}
