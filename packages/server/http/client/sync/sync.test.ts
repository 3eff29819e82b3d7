import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createPair, serverOfSuite } from '@portico/testkit/server-of-suite.ts';
import { startTestServer } from '@portico/testkit/server.ts';
import { bodies, createSyncClient, stateKeys, type SyncClient } from '@portico/testkit/sync-client.ts';

const lazy = { room: { state: { lazy_load_members: true } } };

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

    test('what is new of a room just joined does not go on with what was known of it', async () => {
      const [alice, bob] = [await person(), await person()];
      const roomId = await alice.createRoom({ preset: 'public_chat' });
      const { next_batch: since } = await bob.sync();
      await alice.send(roomId, 'before');
      await bob.join(roomId);
      const joined = (await bob.sync({ since })).rooms?.join?.[roomId];
      assert.deepEqual([joined && bodies(joined.timeline), joined?.timeline.limited], [['before'], true]);
    });

    test('a room that one is banned from comes with the first sync, and one that was left only if wanted', async () => {
      const { alice, bob, roomId: left } = await pair();
      const banned = await alice.createRoom({ preset: 'public_chat' });
      await bob.join(banned);
      await alice.ban(banned, bob.userId);
      await bob.leave(left);
      const first = await bob.sync();
      assert.deepEqual(Object.keys(first.rooms?.leave ?? {}), [banned]);
      assert.equal((await bob.sync({ since: first.next_batch })).rooms, undefined);
      const all = await bob.sync({ filter: { room: { include_leave: true } } });
      assert.deepEqual(Object.keys(all.rooms?.leave ?? {}).toSorted(), [left, banned].toSorted());
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

    test('an invite shows its stripped state, and a join the room', async () => {
      const [alice, bob] = [await person(), await person()];
      const roomId = await alice.createRoom({ preset: 'private_chat', name: 'Private' });
      const { next_batch: since } = await bob.sync();
      const poll = bob.sync({ since, timeout: 30_000 });
      await alice.invite(roomId, bob.userId);
      const invited = await poll;
      assert.ok(stateKeys(invited.rooms?.invite?.[roomId]?.invite_state).includes('m.room.name '));
      assert.ok((await bob.sync()).rooms?.invite?.[roomId]);
      await bob.join(roomId);
      const joined = await bob.sync({ since: invited.next_batch });
      assert.equal(joined.rooms?.invite, undefined);
      const room = joined.rooms?.join?.[roomId];
      assert.ok(room && stateKeys(room.timeline).includes(`m.room.member ${bob.userId}`));
      assert.equal((await bob.sync({ since: joined.next_batch })).rooms, undefined);
    });

    test('a rejected invite leaves, and shows nothing of the room', async () => {
      const [alice, bob] = [await person(), await person()];
      const roomId = await alice.createRoom({ preset: 'private_chat' });
      await alice.invite(roomId, bob.userId);
      const { next_batch: since } = await bob.sync();
      await bob.leave(roomId);
      await alice.send(roomId, 'secret');
      const body = await bob.sync({ since });
      assert.equal(body.rooms?.invite, undefined);
      const room = body.rooms?.leave?.[roomId];
      assert.deepEqual(room && stateKeys(room.timeline), [`m.room.member ${bob.userId}`]);
      assert.deepEqual(room?.state?.events, []);
      assert.equal((await bob.sync({ since: body.next_batch })).rooms, undefined);
      assert.equal((await bob.sync()).rooms, undefined);
    });

    test('who leaves is told up to then and no further, and can go back', async () => {
      const { alice, bob, roomId } = await pair();
      const { next_batch: since } = await bob.sync();
      await alice.send(roomId, 'before');
      await alice.kick(roomId, bob.userId);
      await alice.send(roomId, 'behind his back');
      const left = await bob.sync({ since });
      assert.equal(left.rooms?.join, undefined);
      const room = left.rooms?.leave?.[roomId];
      assert.deepEqual(room && bodies(room.timeline), ['before']);
      assert.equal(room?.timeline.events.at(-1)?.state_key, bob.userId);
      await alice.send(roomId, 'still away');
      assert.equal((await bob.sync({ since: left.next_batch })).rooms, undefined);

      const archived = await bob.sync({ filter: { room: { include_leave: true, timeline: { limit: 2 } } } });
      const old = archived.rooms?.leave?.[roomId];
      assert.deepEqual(old && bodies(old.timeline), ['before']);
      assert.ok(stateKeys(old?.state).includes('m.room.create '));

      await bob.join(roomId);
      const back = await bob.sync({ since: left.next_batch });
      const again = back.rooms?.join?.[roomId];
      assert.deepEqual(again && bodies(again.timeline), ['before', 'behind his back', 'still away']);
    });

    test('a ban arrives too', async () => {
      const { alice, bob, roomId } = await pair();
      const { next_batch: since } = await bob.sync();
      await alice.ban(roomId, bob.userId);
      const room = (await bob.sync({ since })).rooms?.leave?.[roomId];
      assert.equal(room?.timeline.events.at(-1)?.content['membership'], 'ban');
    });

    test('history that was for members only is not shown to who joins later', async () => {
      const [alice, bob] = [await person(), await person()];
      const roomId = await alice.createRoom();
      await alice.send(roomId, 'open');
      await alice.setState(roomId, 'm.room.history_visibility', { history_visibility: 'joined' });
      await alice.send(roomId, 'closed');
      await bob.join(roomId);
      await alice.send(roomId, 'together');
      const room = (await bob.sync({ filter: { room: { timeline: { limit: 30 } } } })).rooms?.join?.[roomId];
      assert.deepEqual(room && bodies(room.timeline), ['open', 'together']);
    });

    test('events say which transaction made them, to the device that sent them and to no other', async () => {
      const { alice, bob, roomId } = await pair();
      const [a, b] = [await alice.sync(), await bob.sync()];
      await alice.send(roomId, 'mine');
      const eventOf = async (who: SyncClient, since: string) =>
        (await who.sync({ since })).rooms?.join?.[roomId]?.timeline.events[0];
      assert.equal((await eventOf(bob, b.next_batch))?.unsigned['transaction_id'], undefined);
      const mine = await eventOf(alice, a.next_batch);
      assert.equal(mine?.unsigned['transaction_id'], 't1');
      assert.equal(mine.unsigned['membership'], 'join');
      assert.equal(typeof mine.unsigned['age'], 'number');
    });

    test('state events say what they replaced', async () => {
      const { alice, bob, roomId } = await pair();
      const old = await alice.setState(roomId, 'm.room.topic', { topic: 'old' });
      const { next_batch: since } = await bob.sync();
      await alice.setState(roomId, 'm.room.topic', { topic: 'new' });
      const event = (await bob.sync({ since })).rooms?.join?.[roomId]?.timeline.events[0];
      assert.deepEqual(event?.unsigned['prev_content'], { topic: 'old' });
      assert.equal(event.unsigned['prev_sender'], alice.userId);
      assert.equal(event.unsigned['replaces_state'], old);
    });

    test('a redacted event is empty and says why', async () => {
      const { alice, bob, roomId } = await pair();
      const eventId = await alice.send(roomId, 'regrettable');
      const { next_batch: since } = await bob.sync();
      const redaction = await alice.redact(roomId, eventId);
      const news = (await bob.sync({ since })).rooms?.join?.[roomId]?.timeline.events[0];
      assert.equal(news?.event_id, redaction);
      assert.equal((news as { redacts?: string }).redacts, eventId);
      assert.equal(news.content['redacts'], eventId);
      const seen = await bob.get(roomId, `event/${encodeURIComponent(eventId)}`);
      assert.deepEqual(seen['content'], {});
      const unsigned = seen['unsigned'] as { redacted_because: { event_id: string }; redacted_by: string };
      assert.deepEqual([unsigned.redacted_because.event_id, unsigned.redacted_by], [redaction, redaction]);
    });

    test('of lazily loaded members come those who speak, once', async () => {
      const { alice, bob, roomId } = await pair();
      const carol = await person();
      await carol.join(roomId);
      const filter = { room: { ...lazy.room, timeline: { limit: 1 } } };
      await alice.send(roomId, 'x');
      const members = (room: { state?: Parameters<typeof stateKeys>[0] } | undefined) =>
        stateKeys(room?.state).filter((key) => key.startsWith('m.room.member'));
      const first = await bob.sync({ filter });
      // Himself, the sender, and the heroes of a room without a name.
      assert.deepEqual(
        members(first.rooms?.join?.[roomId]),
        [alice, bob, carol].map(({ userId }) => `m.room.member ${userId}`).toSorted(),
      );
      await alice.setState(roomId, 'm.room.name', { name: 'Named' });
      const dave = await person();
      await dave.join(roomId);
      const second = await bob.sync({ filter, since: first.next_batch });
      await dave.send(roomId, 'hello');
      const third = await bob.sync({ filter, since: second.next_batch });
      assert.deepEqual(members(third.rooms?.join?.[roomId]), [], 'his join was in the timeline');
      await alice.send(roomId, 'y');
      const fourth = await bob.sync({ filter, since: third.next_batch });
      assert.deepEqual(members(fourth.rooms?.join?.[roomId]), []);
      const redundant = {
        room: { ...filter.room, state: { lazy_load_members: true, include_redundant_members: true } },
      };
      const again = await bob.sync({ filter: redundant, since: third.next_batch });
      assert.deepEqual(members(again.rooms?.join?.[roomId]), [`m.room.member ${alice.userId}`]);
    });

    test('a member that was sent in an answer which got lost is sent again', async () => {
      const { alice, bob, roomId } = await pair();
      for (let count = 0; count < 5; count++) await (await person()).join(roomId);
      const filter = { room: { ...lazy.room, timeline: { limit: 1 } } };
      const speaker = await person();
      await speaker.join(roomId);
      await alice.send(roomId, 'x');
      const { next_batch: since } = await bob.sync({ filter });
      await speaker.send(roomId, 'hello');
      for (let attempt = 1; attempt <= 2; attempt++) {
        const room = (await bob.sync({ filter, since })).rooms?.join?.[roomId];
        assert.deepEqual(stateKeys(room?.state), [`m.room.member ${speaker.userId}`], `attempt ${attempt}`);
      }
    });

    test('what ignored people write is not shown, what they change is', async () => {
      const { alice, bob, roomId } = await pair();
      const { next_batch: since } = await alice.sync();
      await alice.setAccountData('m.ignored_user_list', { ignored_users: { [bob.userId]: {} } });
      await bob.send(roomId, 'hidden');
      await bob.setState(roomId, 'm.room.member', { membership: 'join', displayname: 'Bob' }, bob.userId);
      await alice.send(roomId, 'shown');
      const room = (await alice.sync({ since })).rooms?.join?.[roomId];
      assert.deepEqual(room && bodies(room.timeline), ['shown']);
      assert.ok(room && stateKeys(room.timeline).includes(`m.room.member ${bob.userId}`));
      const other = await bob.createRoom({ invite: [alice.userId] });
      const body = await alice.sync();
      assert.equal(body.rooms?.invite?.[other], undefined);
      const initial = body.rooms?.join?.[roomId];
      assert.deepEqual(initial && bodies(initial.timeline), ['shown']);
      const chunk = (await alice.get(roomId, 'messages?dir=b&limit=2'))['chunk'] as { sender: string; type: string }[];
      assert.ok(chunk.every((event) => event.sender !== bob.userId || event.type === 'm.room.member'));
    });

    test('account data comes once, global and per room, and again with a room that one rejoins', async () => {
      const { alice, roomId } = await pair();
      const first = await alice.sync();
      await alice.setAccountData('org.example.global', { a: 1 });
      await alice.setAccountData('m.tag', { tags: { 'm.favourite': {} } }, roomId);
      const second = await alice.sync({ since: first.next_batch });
      assert.deepEqual(
        second.account_data?.events.map(({ type, content }) => ({ type, content })),
        [{ type: 'org.example.global', content: { a: 1 } }],
      );
      assert.deepEqual(second.rooms?.join?.[roomId]?.account_data.events[0]?.content, { tags: { 'm.favourite': {} } });
      assert.equal((await alice.sync({ since: second.next_batch })).rooms, undefined);
      const without = await alice.sync({
        filter: { account_data: { types: [] }, room: { account_data: { types: [] } } },
      });
      assert.equal(without.account_data, undefined);
      assert.deepEqual(without.rooms?.join?.[roomId]?.account_data.events, []);
      await alice.leave(roomId);
      const { next_batch: since } = await alice.sync();
      await alice.join(roomId);
      const back = (await alice.sync({ since })).rooms?.join?.[roomId];
      assert.equal(back?.account_data.events[0]?.type, 'm.tag');
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
