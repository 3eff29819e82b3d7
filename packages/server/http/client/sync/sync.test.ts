import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createPair, serverOfSuite } from '@portico/testkit/server-of-suite.ts';
import { startTestServer } from '@portico/testkit/server.ts';
import { bodies, createSyncClient, stateKeys, type SyncClient } from '@portico/testkit/sync-client.ts';

for (const engine of ['sqlite', 'postgres'] as const) {
  describe(`/sync (${engine})`, () => {
    const server = serverOfSuite({ engine });

    async function person(): Promise<SyncClient> {
      return createSyncClient(await server.registerUser());
    }

    /** Two people in a public room. */
    const pair = () => createPair(server);

    test('the first sync has push rules, and the counts of keys that clients look for', async () => {
      const alice = await person();
      const body = await alice.sync();
      assert.deepEqual(
        body.account_data?.events.map((event) => event.type),
        ['m.push_rules'],
      );
      assert.deepEqual(body['device_one_time_keys_count'], { signed_curve25519: 0 });
      assert.deepEqual(body['device_unused_fallback_key_types'], []);
      assert.equal(body.rooms, undefined);
    });

    test('a new room comes whole; then only what is new comes', async () => {
      const { alice, bob, roomId } = await pair();
      const first = await bob.sync();
      const room = first.rooms?.join?.[roomId];
      assert.equal(room?.timeline.limited, false);
      assert.equal(room.timeline.events[0]?.type, 'm.room.create');
      assert.deepEqual(room.state?.events, []);
      assert.deepEqual(room.summary, {
        'm.heroes': [alice.userId],
        'm.joined_member_count': 2,
        'm.invited_member_count': 0,
      });
      await alice.send(roomId, 'one');
      const second = await bob.sync({ since: first.next_batch });
      const delta = second.rooms?.join?.[roomId];
      assert.deepEqual(delta && bodies(delta.timeline), ['one']);
      assert.equal(delta?.timeline.limited, false);
      assert.equal(delta.summary, undefined);
      assert.equal(delta.unread_notifications.notification_count, 1);
      const third = await bob.sync({ since: second.next_batch });
      assert.equal(third.rooms, undefined);
    });

    test('a limited timeline brings the state before it, and a place from which the gap can be read', async () => {
      const { alice, bob, roomId } = await pair();
      const first = await bob.sync();
      await alice.setState(roomId, 'm.room.topic', { topic: 'in the gap' });
      for (const body of ['1', '2', '3', '4']) await alice.send(roomId, body);
      await alice.setState(roomId, 'm.room.name', { name: 'in the timeline' });
      const filter = { room: { timeline: { limit: 3 } } };
      const second = await bob.sync({ since: first.next_batch, filter });
      const room = second.rooms?.join?.[roomId];
      assert.equal(room?.timeline.limited, true);
      assert.deepEqual(bodies(room.timeline), ['3', '4']);
      assert.deepEqual(stateKeys(room.state), ['m.room.topic ']);
      const gap = `messages?dir=b&from=${room.timeline.prev_batch}&to=${first.next_batch}`;
      const page = await bob.get(roomId, gap);
      const chunk = page['chunk'] as { type: string; content: { body?: string } }[];
      assert.deepEqual(
        chunk.map((event) => event.content.body ?? event.type),
        ['2', '1', 'm.room.topic'],
      );
      const initial = (await bob.sync({ filter })).rooms?.join?.[roomId];
      assert.ok(stateKeys(initial?.state).includes('m.room.topic '));
      assert.ok(!stateKeys(initial?.state).includes('m.room.name '));
    });

    test('a limit of 0 brings the whole state, no events, and a place from which they can be read', async () => {
      const { alice, bob, roomId } = await pair();
      const first = await bob.sync();
      await alice.setState(roomId, 'm.room.topic', { topic: 'a topic' });
      const filter = { room: { timeline: { limit: 0 } } };
      for (const request of [{ filter }, { filter, since: first.next_batch }]) {
        const room = (await bob.sync(request)).rooms?.join?.[roomId];
        assert.deepEqual([room?.timeline.events, room?.timeline.limited], [[], true]);
        assert.ok(stateKeys(room?.state).includes('m.room.topic '));
        const { chunk } = await bob.get(roomId, `messages?dir=b&limit=1&from=${room?.timeline.prev_batch}`);
        assert.deepEqual((chunk as { content: object }[])[0]?.content, { topic: 'a topic' });
      }
    });

    test('state at the start of a timeline is what the timeline changes', async () => {
      const { alice, bob, roomId } = await pair();
      for (const topic of ['old', 'newer', 'newest']) await alice.setState(roomId, 'm.room.topic', { topic });
      const topicIn = (events: readonly { type: string; content: object }[] | undefined) =>
        events?.filter((event) => event.type === 'm.room.topic').map((event) => event.content);
      const filter = { room: { timeline: { limit: 2 } } };
      const before = (await bob.sync({ filter })).rooms?.join?.[roomId];
      assert.deepEqual(topicIn(before?.state?.events), [{ topic: 'old' }]);
      const after = (await bob.sync({ filter, use_state_after: true })).rooms?.join?.[roomId];
      assert.deepEqual(topicIn(after?.state_after?.events), [{ topic: 'newest' }]);
      assert.equal(after?.state, undefined);
      const unstable = await bob.sync({ filter, 'org.matrix.msc4222.use_state_after': true });
      const { 'org.matrix.msc4222.state_after': state } = unstable.rooms?.join?.[roomId] ?? {};
      assert.deepEqual(topicIn(state?.events), [{ topic: 'newest' }]);
    });

    test('with use_state_after a change comes in the timeline and in the state, only the last one there', async () => {
      const { alice, bob, roomId } = await pair();
      const { next_batch: since } = await bob.sync({ use_state_after: true });
      await alice.setState(roomId, 'm.room.topic', { topic: 'one' });
      const last = await alice.setState(roomId, 'm.room.topic', { topic: 'two' });
      const room = (await bob.sync({ since, use_state_after: true })).rooms?.join?.[roomId];
      assert.equal(room?.timeline.events.length, 2);
      assert.deepEqual(
        room.state_after?.events.map((event) => event.event_id),
        [last],
      );
    });

    test('a long poll ends with the event that it waits for', async () => {
      const { alice, bob, roomId } = await pair();
      const { next_batch: since } = await bob.sync();
      const polls = [1, 2].map(() => bob.sync({ since, timeout: 30_000 }));
      await alice.send(roomId, 'wake up');
      for (const body of await Promise.all(polls)) {
        const room = body.rooms?.join?.[roomId];
        assert.deepEqual(room && bodies(room.timeline), ['wake up']);
      }
    });

    test('a long poll ends when its time is up, with nothing but a token', async () => {
      const alice = await person();
      const { next_batch: since } = await alice.sync();
      const started = performance.now();
      const body = await alice.sync({ since, timeout: 150 });
      assert.ok(performance.now() - started >= 140);
      assert.equal(body.rooms, undefined);
      assert.equal((await alice.sync({ since: body.next_batch })).rooms, undefined);
    });

    test('what a filter leaves out wakes nobody', async () => {
      const { alice, bob, roomId } = await pair();
      const filter = { room: { timeline: { types: ['m.room.message'] }, state: { types: [] } } };
      const { next_batch: since } = await bob.sync({ filter });
      const poll = bob.sync({ since, filter, timeout: 30_000 });
      await alice.send(roomId, 'not this', 'org.example.other');
      await alice.send(roomId, 'this');
      const room = (await poll).rooms?.join?.[roomId];
      assert.deepEqual(
        room?.timeline.events.map((event) => event.type),
        ['m.room.message'],
      );
    });

    test('a timeline is limited by what passes the filter, and nothing of a room comes when nothing passes', async () => {
      const { alice, bob, roomId } = await pair();
      await alice.send(roomId, 'one');
      for (const body of ['a', 'b', 'c', 'd']) await alice.send(roomId, body, 'org.example.other');
      const filter = { room: { timeline: { types: ['m.room.message'], limit: 1 }, state: { types: ['org.none'] } } };
      const first = await bob.sync({ filter });
      const room = first.rooms?.join?.[roomId];
      assert.deepEqual([room && bodies(room.timeline), room?.timeline.limited], [['one'], false]);
      await alice.send(roomId, 'two');
      const full = { room: { timeline: { ...filter.room.timeline, limit: 2 } } };
      assert.equal((await bob.sync({ filter: full })).rooms?.join?.[roomId]?.timeline.limited, false);
      assert.equal((await bob.sync({ filter })).rooms?.join?.[roomId]?.timeline.limited, true);
      const second = await bob.sync({ filter, since: first.next_batch });
      await alice.setState(roomId, 'm.room.member', { membership: 'join', displayname: 'A' }, alice.userId);
      assert.equal((await bob.sync({ filter, since: second.next_batch })).rooms, undefined);
    });

    test('full_state gives all state again with a timeline that goes on', async () => {
      const { alice, bob, roomId } = await pair();
      const { next_batch: since } = await bob.sync();
      await alice.send(roomId, 'new');
      const room = (await bob.sync({ since, full_state: true, timeout: 60_000 })).rooms?.join?.[roomId];
      assert.deepEqual(room && bodies(room.timeline), ['new']);
      assert.ok(stateKeys(room?.state).includes(`m.room.member ${alice.userId}`));
      const quiet = await bob.sync({ since: (await bob.sync()).next_batch, full_state: true, timeout: 60_000 });
      assert.ok(stateKeys(quiet.rooms?.join?.[roomId]?.state).includes('m.room.create '));
    });

    test('a filter chooses rooms, fields and the federation format', async () => {
      const { alice, bob, roomId } = await pair();
      const other = await alice.createRoom();
      await alice.send(roomId, 'x');
      const chosen = await alice.sync({ filter: { room: { rooms: [other] } } });
      assert.deepEqual(Object.keys(chosen.rooms?.join ?? {}), [other]);
      const excluded = await alice.sync({ filter: { room: { not_rooms: [other] } } });
      assert.deepEqual(Object.keys(excluded.rooms?.join ?? {}), [roomId]);
      const last = { room: { timeline: { limit: 1 } } };
      const picked = await bob.sync({ filter: { ...last, event_fields: ['content.body', 'type'] } });
      assert.deepEqual(picked.rooms?.join?.[roomId]?.timeline.events, [
        { type: 'm.room.message', content: { body: 'x' } },
      ]);
      const raw = await bob.sync({ filter: { ...last, event_format: 'federation' } });
      const event = raw.rooms?.join?.[roomId]?.timeline.events[0] as object;
      assert.ok('auth_events' in event && 'hashes' in event);
    });

    test('a stored filter works by its ID; what is no filter or no token is refused', async () => {
      const { alice, roomId } = await pair();
      const path = `/_matrix/client/v3/user/${encodeURIComponent(alice.userId)}/filter`;
      const { body } = await alice.http.post(path, { room: { timeline: { limit: 1 } } });
      const synced = await alice.sync({ filter: String(body['filter_id']) });
      assert.equal(synced.rooms?.join?.[roomId]?.timeline.events.length, 1);
      for (const query of [
        'filter=99',
        'filter=%7B',
        'filter=%7B%22room%22%3A1%7D',
        'since=nonsense',
        'since=s2_1',
        'timeout=x',
      ]) {
        const refused = await alice.http.get(`/_matrix/client/v3/sync?${query}`);
        assert.equal(refused.status, 400, query);
        assert.equal(refused.body['errcode'], 'M_INVALID_PARAM', query);
      }
    });

    test('a token of the future is taken for that of now', async () => {
      const { alice, bob, roomId } = await pair();
      const waited = bob.sync({ since: 's1_4000000000' });
      await alice.send(roomId, 'x');
      const body = await waited;
      assert.equal(body.rooms, undefined);
      await alice.send(roomId, 'y');
      const room = (await bob.sync({ since: body.next_batch })).rooms?.join?.[roomId];
      assert.deepEqual(room && bodies(room.timeline), ['y']);
    });

    test('receipts reach the others, and reading resets the count', async () => {
      const { alice, bob, roomId } = await pair();
      const eventId = await alice.send(roomId, 'read me');
      const a = await alice.sync();
      const b = await bob.sync();
      assert.equal(b.rooms?.join?.[roomId]?.unread_notifications.notification_count, 1);
      await bob.http.post(bob.room(roomId, `receipt/m.read/${encodeURIComponent(eventId)}`), {});
      const seen = (await alice.sync({ since: a.next_batch })).rooms?.join?.[roomId];
      assert.ok(seen?.ephemeral.events.some((event) => event.type === 'm.receipt' && eventId in event.content));
      assert.deepEqual(seen?.timeline.events, []);
      const own = (await bob.sync({ since: b.next_batch })).rooms?.join?.[roomId];
      assert.equal(own?.unread_notifications.notification_count, 0);
    });
  });
}

test('a token is good after a restart, and a long poll ends with the server', async () => {
  const first = await startTestServer();
  const account = await first.registerUser('alice');
  const alice = createSyncClient(account);
  const roomId = await alice.createRoom();
  const { next_batch: since } = await alice.sync();
  await alice.send(roomId, 'between');
  const latest = await alice.sync({ since });
  const poll = alice.sync({ since: latest.next_batch, timeout: 60_000 });
  const started = performance.now();
  // The request must have come in, or there would be nothing to end.
  await alice.sync();
  await first.stop();
  assert.equal((await poll).rooms, undefined);
  assert.ok(performance.now() - started < 5000);

  const second = await startTestServer({ dataDir: first.dataDir });
  const again = createSyncClient(second.as(account));
  const body = await again.sync({ since });
  assert.deepEqual(body.rooms?.join?.[roomId] && bodies(body.rooms.join[roomId].timeline), ['between']);
  assert.equal((await again.sync({ since: latest.next_batch })).rooms, undefined);
  await second.stop();
  await first.close();
});
