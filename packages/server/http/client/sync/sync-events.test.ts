import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createPair, serverOfSuite } from '@portico/testkit/server-of-suite.ts';
import { bodies, createSyncClient, stateKeys, type SyncClient } from '@portico/testkit/sync-client.ts';

const lazy = { room: { state: { lazy_load_members: true } } };

for (const engine of ['sqlite', 'postgres'] as const) {
  describe(`events and account data in /sync (${engine})`, () => {
    const server = serverOfSuite({ engine });

    async function person(): Promise<SyncClient> {
      return createSyncClient(await server.registerUser());
    }

    /** Two people in a public room. */
    const pair = () => createPair(server);

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
  });
}
