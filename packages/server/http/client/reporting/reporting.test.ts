import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { openDatabase } from '@portico/storage';
import { findOpenIdOwner } from '@portico/storage/stores/accounts/openid-tokens.ts';
import { hashToken } from '@portico/server/services/accounts/access-tokens.ts';
import { registerAdmin } from '@portico/testkit/register-admin.ts';
import { serverOfSuite } from '@portico/testkit/server-of-suite.ts';
import { createSyncClient, type SyncClient } from '@portico/testkit/sync-client.ts';
import { refusalOf } from '@portico/testkit/test-client.ts';

const v3 = '/_matrix/client/v3';

for (const engine of ['sqlite', 'postgres'] as const) {
  describe(`reports, OpenID tokens and tags (${engine})`, () => {
    const server = serverOfSuite({ engine, now: () => now });
    let alice: SyncClient;
    let bob: SyncClient;
    let now = Date.now();
    before(async () => {
      alice = createSyncClient(await server.registerUser());
      bob = createSyncClient(await server.registerUser());
    });

    test('reports are kept', async () => {
      const roomId = await alice.createRoom();
      const eventId = await alice.send(roomId, 'spam');
      const report = (what: string, body: object) => bob.http.post(`${v3}/${what}`, body);
      const inRoom = `rooms/${encodeURIComponent(roomId)}/report`;
      const aboutEvent = `${inRoom}/${encodeURIComponent(eventId)}`;
      const long = 'x'.repeat(4097);
      const refusals = [
        [await report(aboutEvent, { reason: 'not in the room' }), '404 M_NOT_FOUND'],
        [await report(inRoom, {}), '400 M_MISSING_PARAM'],
        [await report(inRoom, { reason: long }), '413 M_TOO_LARGE'],
        [await report('rooms/!nowhere:localhost/report', { reason: '' }), '404 M_NOT_FOUND'],
        [await report('users/nobody/report', { reason: '' }), '400 M_INVALID_PARAM'],
        [await report(`users/${alice.userId}/report`, {}), '400 M_MISSING_PARAM'],
      ] as const;
      for (const [response, expected] of refusals) assert.equal(refusalOf(response), expected);
      assert.equal((await report(inRoom, { reason: 'the room' })).status, 200);
      await bob.join(roomId);
      assert.equal(refusalOf(await report(`${inRoom}/$nothing`, {})), '404 M_NOT_FOUND');
      const accepted = [
        [aboutEvent, { reason: 'the event', score: -100 }],
        [aboutEvent, {}],
        [`users/${alice.userId}/report`, { reason: 'the person' }],
        ['users/@nobody:localhost/report', { reason: 'nobody' }],
      ] as const;
      for (const [what, body] of accepted) assert.equal((await report(what, body)).status, 200);

      const admin = await registerAdmin(server, 'admin');
      const kept = async (path: string) => (await admin.get(path)).body;
      const ofEvents = (await kept('/_synapse/admin/v1/event_reports'))['event_reports'] as object[];
      assert.partialDeepStrictEqual(ofEvents, [
        { user_id: bob.userId, room_id: roomId, event_id: eventId, reason: '' },
        { user_id: bob.userId, room_id: roomId, event_id: eventId, reason: 'the event' },
      ]);
      const ofPeople = (await kept('/_synapse/admin/v1/user_reports'))['user_reports'] as object[];
      assert.partialDeepStrictEqual(ofPeople, [
        { user_id: bob.userId, target_user_id: alice.userId, reason: 'the person' },
      ]);
      const ofRooms = (await kept('/_portico/admin/v1/room_reports'))['room_reports'] as object[];
      assert.partialDeepStrictEqual(ofRooms, [{ user_id: bob.userId, room_id: roomId, reason: 'the room' }]);
      assert.deepEqual([ofEvents.length, ofPeople.length, ofRooms.length], [2, 1, 1]);
    });

    test('nobody reports what they may not see', async () => {
      const roomId = await alice.createRoom();
      const hidden = { history_visibility: 'joined' };
      const room = `${v3}/rooms/${encodeURIComponent(roomId)}`;
      await alice.http.put(`${room}/state/m.room.history_visibility/`, hidden);
      const before = await alice.send(roomId, 'among ourselves');
      await bob.join(roomId);
      const path = `${room}/report/${encodeURIComponent(before)}`;
      assert.equal(refusalOf(await bob.http.post(path, {})), '404 M_NOT_FOUND');
      assert.equal((await alice.http.post(path, {})).status, 200);
    });

    test('an OpenID token tells who somebody is, for an hour', async (context) => {
      const path = (who: SyncClient) => `${v3}/user/${encodeURIComponent(who.userId)}/openid/request_token`;
      const { status, body } = await alice.http.post(path(alice), {});
      const { access_token: token, ...rest } = body;
      assert.equal(status, 200);
      assert.deepEqual(rest, { token_type: 'Bearer', matrix_server_name: 'localhost', expires_in: 3600 });
      assert.equal(refusalOf(await alice.http.post(path(bob), {})), '403 M_FORBIDDEN');
      assert.equal(refusalOf(await server.anonymous.post(path(bob), {})), '401 M_MISSING_TOKEN');
      // It opens nothing else.
      const asToken = server.as({ userId: alice.userId, deviceId: 'X', accessToken: String(token) });
      assert.equal(refusalOf(await asToken.get(`${v3}/account/whoami`)), '401 M_UNKNOWN_TOKEN');

      const db = await openDatabase({ url: server.databaseUrl, durability: 'relaxed' });
      context.after(() => db.close());
      const hash = hashToken(String(token));
      assert.equal(await findOpenIdOwner(db, hash, now), alice.userId);
      assert.equal(await findOpenIdOwner(db, hashToken('another'), now), undefined);
      now += 3600 * 1000;
      assert.equal(await findOpenIdOwner(db, hash, now), undefined);
      // The next one takes those that are over with it.
      await alice.http.post(path(alice), {});
      assert.equal(await findOpenIdOwner(db, hash, 0), undefined);
    });

    test('tags are set one by one, also at the same moment, and reach the other devices', async () => {
      const roomId = await alice.createRoom();
      const path = (tag = '', who = alice) =>
        `${v3}/user/${encodeURIComponent(who.userId)}/rooms/${encodeURIComponent(roomId)}/tags${tag}`;
      const tags = async () => (await alice.http.get(path())).body['tags'];
      assert.deepEqual(await tags(), {});
      const { next_batch: since } = await alice.sync();
      const set = [
        ['/m.favourite', { order: 0.25, x: 'y' }],
        ['/u.work', {}],
        ['/__proto__', { order: 1 }],
      ] as const;
      const put = await Promise.all(set.map(([tag, body]) => alice.http.put(path(tag), body)));
      assert.deepEqual(
        put.map(({ status }) => status),
        [200, 200, 200],
      );
      const all = JSON.parse('{"m.favourite":{"order":0.25,"x":"y"},"u.work":{},"__proto__":{"order":1}}') as object;
      assert.deepEqual(await tags(), all);
      const synced = (await alice.sync({ since })).rooms?.join?.[roomId]?.account_data.events;
      assert.deepEqual(
        synced?.map(({ type, content }) => [type, content]),
        [['m.tag', { tags: all }]],
      );
      for (const tag of ['/m.favourite', '/__proto__', '/never-there']) {
        assert.equal((await alice.http.delete(path(tag))).status, 200);
      }
      assert.deepEqual(await tags(), { 'u.work': {} });
      const refusals = [
        [await bob.http.get(path()), '403 M_FORBIDDEN'],
        [await bob.http.put(path('/x'), {}), '403 M_FORBIDDEN'],
        [await alice.http.put(path('/x'), { order: 'first' }), '400 M_BAD_JSON'],
        [await alice.http.put(path(`/${'x'.repeat(256)}`), {}), '400 M_INVALID_PARAM'],
      ] as const;
      for (const [response, expected] of refusals) assert.equal(refusalOf(response), expected);
    });
  });
}
