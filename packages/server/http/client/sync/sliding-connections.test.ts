import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { createTestDatabase } from '@portico/testkit';
import { createPair, serverOfSuite } from '@portico/testkit/server-of-suite.ts';
import { startTestServer } from '@portico/testkit/server.ts';
import { createSyncClient, type SyncClient } from '@portico/testkit/sync-client.ts';

const path = '/_matrix/client/unstable/org.matrix.simplified_msc3575/sync';
const one = { timeline_limit: 5, required_state: [['m.room.topic', '']] };
const lists = { all: { ...one, ranges: [[0, 99]] } };
const on = { enabled: true };

for (const engine of ['sqlite', 'postgres'] as const) {
  describe(`connections of sliding sync (${engine})`, () => {
    const server = serverOfSuite({ engine });
    const person = async () => createSyncClient(await server.registerUser());
    const pair = () => createPair(server);
    async function refusal(by: SyncClient, body: object, query = ''): Promise<unknown> {
      const answer = await by.http.post(`${path}${query}`, body);
      return [answer.status, answer.body['errcode']];
    }
    const bodiesIn = ({ rooms }: Awaited<ReturnType<SyncClient['slide']>>, roomId: string) =>
      rooms[roomId]?.timeline?.flatMap((event) => event.content['body'] ?? []);

    test('an answer that was lost is given again, in full', async () => {
      const { alice, bob, roomId } = await pair();
      const other = await bob.createRoom();
      const subscriptions = { [other]: one };
      const first = await bob.slide({ room_subscriptions: subscriptions });
      await alice.send(roomId, 'hello');
      for (const _ of [1, 2, 3]) {
        const lost = await bob.slide({ lists }, { pos: first.pos });
        assert.equal(lost.rooms[roomId]?.initial, true);
        assert.equal(lost.rooms[other], undefined);
      }
      const second = await bob.slide({ lists }, { pos: first.pos });
      assert.deepEqual((await bob.slide({ lists }, { pos: second.pos })).rooms, {});
      await alice.send(roomId, 'again');
      for (const _ of [1, 2]) {
        assert.deepEqual(bodiesIn(await bob.slide({ lists }, { pos: second.pos }), roomId), ['again']);
      }
    });

    test('what came before the last answer that a client has shown is gone', async () => {
      const { bob } = await pair();
      const first = await bob.slide({ lists: { all: { ...one, ranges: [[0, 0]] } } });
      const rooms = [];
      let pos = first.pos;
      for (let count = 0; count < 3; count++) {
        rooms.push(await bob.createRoom());
        ({ pos } = await bob.slide({ lists }, { pos }));
      }
      assert.deepEqual(await refusal(bob, { lists }, `?pos=${first.pos}`), [400, 'M_UNKNOWN_POS']);
      assert.deepEqual((await bob.slide({ lists }, { pos })).rooms, {});
    });

    test('a new connection of the same name takes the place of the old one; others stay', async () => {
      const { bob } = await pair();
      const a = await bob.slide({ conn_id: 'a', lists });
      const b = await bob.slide({ conn_id: 'b', lists });
      const again = await bob.slide({ conn_id: 'a', lists });
      assert.deepEqual(await refusal(bob, { conn_id: 'a', lists }, `?pos=${a.pos}`), [400, 'M_UNKNOWN_POS']);
      for (const [name, { pos }] of [
        ['a', again],
        ['b', b],
      ] as const) {
        assert.deepEqual((await bob.slide({ conn_id: name, lists }, { pos })).rooms, {});
      }
    });

    test('a device has ten connections at most; those that were not used for longest go', async () => {
      const { bob } = await pair();
      const all = [];
      for (let count = 0; count < 11; count++) all.push(await bob.slide({ conn_id: `c${count}`, lists }));
      const ofNobody = await person();
      await ofNobody.slide({ lists });
      const [first, second] = all;
      assert.deepEqual(await refusal(bob, { conn_id: 'c0', lists }, `?pos=${first?.pos}`), [400, 'M_UNKNOWN_POS']);
      await bob.slide({ conn_id: 'c1', lists }, { pos: second?.pos ?? '' });
    });

    test('several first requests at the same moment', async () => {
      const { bob, roomId } = await pair();
      const answers = await Promise.all([1, 2, 3].map(() => bob.http.post(path, { lists })));
      for (const { status, body } of answers) assert.ok(status === 200 || body['errcode'] === 'M_UNKNOWN', `${status}`);
      const { pos } = await bob.slide({ lists });
      assert.equal((await bob.slide({ lists }, { pos })).rooms[roomId], undefined);
    });

    test('positions that are none are refused, as is what is too much or malformed', async () => {
      const bob = await person();
      for (const pos of ['nonsense', 's1_5', 'p1_1_1__s1_1', 'p1_99999999999999_1_a_s1_1', 'p1_1_1_a_s1_-1']) {
        assert.deepEqual(await refusal(bob, { lists }, `?pos=${pos}`), [400, 'M_UNKNOWN_POS'], pos);
      }
      const many = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, n) => [`!${n}:x`, one]));
      assert.deepEqual(await refusal(bob, { lists: many(101) }), [400, 'M_INVALID_PARAM']);
      assert.deepEqual(await refusal(bob, { room_subscriptions: many(101) }), [400, 'M_INVALID_PARAM']);
      assert.equal((await bob.http.post(path, { lists: many(100), room_subscriptions: many(100) })).status, 200);
      const since = { extensions: { to_device: { enabled: true, since: 'x' } } };
      assert.deepEqual(await refusal(bob, since), [400, 'M_INVALID_PARAM']);
      assert.deepEqual(await refusal(bob, { lists: { list: {} } }), [400, 'M_MISSING_PARAM']);
      for (const more of [
        { timeline_limit: -1 },
        { ranges: [[0]] },
        { ranges: [[-1, 2]] },
        { required_state: [['a']] },
      ]) {
        const body = { lists: { list: { ...one, ...more } } };
        assert.deepEqual(await refusal(bob, body), [400, 'M_BAD_JSON'], JSON.stringify(more));
      }
      const backwards = [9, 3];
      assert.deepEqual((await bob.slide({ lists: { odd: { ...one, ranges: [backwards] } } })).rooms, {});
      assert.equal((await server.anonymous.post(path, {})).status, 401);
    });

    test('a long poll waits for what is wanted, and for nothing else', { timeout: 60_000 }, async () => {
      const { alice, bob, roomId } = await pair();
      const elsewhere = await alice.createRoom();
      await bob.join(elsewhere);
      const body = { room_subscriptions: { [roomId]: one }, extensions: { account_data: on } };
      const first = await bob.slide(body);
      const waiting = bob.slide(body, { pos: first.pos, timeout: 15_000 });
      await alice.send(elsewhere, 'not wanted');
      await alice.send(roomId, 'wanted');
      const second = await waiting;
      assert.deepEqual([Object.keys(second.rooms), bodiesIn(second, roomId)], [[roomId], ['wanted']]);
      // What came while nobody looked is not lost.
      const third = await bob.slide({ ...body, room_subscriptions: { [elsewhere]: one } }, { pos: second.pos });
      assert.equal(third.rooms[elsewhere]?.initial, true);
      const before = Date.now();
      const fourth = await bob.slide(body, { pos: third.pos, timeout: 300 });
      assert.ok(Date.now() - before >= 290);
      assert.deepEqual(fourth.rooms, {});
    });

    test('logging out ends the connections of the device', async () => {
      const { bob } = await pair();
      const { pos } = await bob.slide({ lists });
      await bob.http.post('/_matrix/client/v3/logout', {});
      const again = await bob.http.post(`${path}?pos=${pos}`, { lists });
      assert.equal(again.status, 401);
    });

    test('a position is a place to read on from', async () => {
      const { alice, bob, roomId } = await pair();
      const { pos } = await bob.slide({ lists });
      await alice.send(roomId, 'later');
      const { chunk } = (await bob.get(roomId, `messages?dir=f&from=${pos}`)) as {
        chunk: { content: { body?: string } }[];
      };
      assert.deepEqual(
        chunk.map((event) => event.content.body),
        ['later'],
      );
    });
  });

  test(`a connection goes on after a restart (${engine})`, async (context) => {
    const dataDir = mkdtempSync(join(tmpdir(), 'portico-sliding-'));
    context.after(() => rmSync(dataDir, { recursive: true, force: true }));
    const databaseUrl = engine === 'sqlite' ? 'sqlite:portico.db' : await createTestDatabase();
    const start = () => startTestServer({ dataDir, databaseUrl });
    let server = await start();
    const [aliceHttp, bobHttp] = [await server.registerUser(), await server.registerUser()];
    const [alice, bob] = [createSyncClient(aliceHttp), createSyncClient(bobHttp)];
    const rooms: string[] = [];
    for (let count = 0; count < 3; count++) {
      const roomId = await alice.createRoom();
      await bob.join(roomId);
      rooms.push(roomId);
    }
    const [a = '', b = '', c = ''] = rooms;
    const first = await bob.slide({ room_subscriptions: { [a]: one, [b]: { ...one, timeline_limit: 1 } } });
    const second = await bob.slide({ room_subscriptions: { [b]: one } }, { pos: first.pos });
    await alice.send(a, 'missed');
    const third = await bob.slide({ room_subscriptions: { [b]: one } }, { pos: second.pos });
    await server.stop();

    server = await start();
    context.after(() => server.stop());
    const [aliceAgain, bobAgain] = [createSyncClient(server.as(aliceHttp)), createSyncClient(server.as(bobHttp))];
    await aliceAgain.http.put(aliceAgain.room(b, 'send/m.room.message/after'), { msgtype: 'm.text', body: 'after' });
    const subscriptions = { [a]: one, [b]: one, [c]: one };
    for (const _ of [1, 2]) {
      const answer = await bobAgain.slide({ room_subscriptions: subscriptions }, { pos: third.pos });
      const texts = (roomId: string) => answer.rooms[roomId]?.timeline?.flatMap((event) => event.content['body'] ?? []);
      assert.deepEqual([texts(a), answer.rooms[a]?.initial], [['missed'], undefined]);
      assert.deepEqual([texts(b), answer.rooms[b]?.initial], [['after'], undefined]);
      assert.equal(answer.rooms[c]?.initial, true);
    }
    assert.deepEqual(server.errors, []);
  });
}
