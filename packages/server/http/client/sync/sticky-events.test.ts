import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { describe, test } from 'node:test';
import { startTestServer } from '@portico/testkit/server.ts';
import { serverOfSuite } from '@portico/testkit/server-of-suite.ts';
import { createSyncClient, stickyType, type SyncBody, type SyncClient } from '@portico/testkit/sync-client.ts';

const minute = 60_000;
const sticky = (answer: SyncBody, roomId: string) =>
  answer.rooms?.join?.[roomId]?.msc4354_sticky?.events.map((event) => event.event_id) ?? [];
const inTimeline = (answer: SyncBody, roomId: string) =>
  answer.rooms?.join?.[roomId]?.timeline.events
    .filter(({ type }) => type === stickyType)
    .map((event) => event.event_id) ?? [];
const few = { room: { timeline: { limit: 1 } } };

for (const engine of ['sqlite', 'postgres'] as const) {
  describe(`sticky events (${engine})`, () => {
    let ahead = 0;
    const server = serverOfSuite({ engine, now: () => Date.now() + ahead });
    const person = async () => createSyncClient(await server.registerUser());
    async function pair(settings: object = { preset: 'public_chat' }) {
      const [alice, bob] = [await person(), await person()];
      const roomId = await alice.createRoom(settings);
      await bob.join(roomId);
      return { alice, bob, roomId };
    }
    const send = (who: SyncClient, roomId: string, query: string, txnId = 'once') =>
      who.http.put(who.room(roomId, `send/${stickyType}/${txnId}?${query}`), { body: 'here' });
    const param = 'org.matrix.msc4354.sticky_duration_ms';
    async function fill(who: SyncClient, roomId: string, count = 3): Promise<void> {
      for (let index = 0; index < count; index++) await who.send(roomId, `message ${index}`);
    }

    test('an event says for how long it is sticky, and what is left of that', async () => {
      const { alice, bob, roomId } = await pair();
      const eventId = await alice.stick(roomId, 'here', 5 * minute);
      const read = async () => {
        const event = await bob.get(roomId, `event/${encodeURIComponent(eventId)}`);
        return event as { msc4354_sticky?: unknown; unsigned: Record<string, number> };
      };
      const event = await read();
      assert.deepEqual(event.msc4354_sticky, { duration_ms: 5 * minute });
      const left = event.unsigned['msc4354_sticky_duration_ttl_ms'] ?? 0;
      assert.ok(left > 4 * minute && left <= 5 * minute, String(left));
      ahead += 6 * minute;
      const later = await read();
      assert.deepEqual(later.msc4354_sticky, { duration_ms: 5 * minute });
      assert.equal('msc4354_sticky_duration_ttl_ms' in later.unsigned, false);
      const plain = await bob.get(roomId, `event/${encodeURIComponent(await alice.send(roomId, 'plain'))}`);
      assert.equal('msc4354_sticky' in plain, false);
    });

    test('durations are whole milliseconds up to an hour; a transaction sends one event', async () => {
      const { alice, roomId } = await pair();
      for (const wrong of ['-1', '1.5', 'long', '']) {
        const { status, body } = await send(alice, roomId, `${param}=${wrong}`, `wrong${wrong}`);
        assert.deepEqual([status, body['errcode']], [400, 'M_INVALID_PARAM'], wrong);
      }
      const first = await send(alice, roomId, `${param}=7200000`);
      const again = await send(alice, roomId, `${param}=7200000`);
      assert.deepEqual([first.status, again.body], [200, first.body]);
      const event = await alice.get(roomId, `event/${encodeURIComponent(String(first.body['event_id']))}`);
      assert.deepEqual(event['msc4354_sticky'], { duration_ms: 60 * minute });
    });

    test('it comes in the timeline, or beside it where that leaves it out, and once', async () => {
      const { alice, bob, roomId } = await pair();
      const { next_batch: since } = await bob.sync();
      const first = await alice.stick(roomId, 'one');
      const whole = await bob.sync({ since });
      assert.deepEqual([inTimeline(whole, roomId), sticky(whole, roomId)], [[first], []]);
      await fill(alice, roomId);
      const limited = await bob.sync({ since, filter: few });
      assert.deepEqual([inTimeline(limited, roomId), sticky(limited, roomId)], [[], [first]]);
      const [told] = limited.rooms?.join?.[roomId]?.msc4354_sticky?.events ?? [];
      assert.deepEqual(told?.msc4354_sticky, { duration_ms: 300_000 });
      assert.ok(Number(told.unsigned['msc4354_sticky_duration_ttl_ms']) > 0);
      const after = await bob.sync({ since: limited.next_batch, filter: few });
      assert.deepEqual(after.rooms?.join?.[roomId], undefined);
      // "if a sticky event […] is filtered out by the `timeline` filter, the sticky event MUST appear in `sticky.events`"
      const without = { room: { timeline: { not_types: [stickyType] } } };
      const filtered = await bob.sync({ since, filter: without });
      assert.deepEqual([inTimeline(filtered, roomId), sticky(filtered, roomId)], [[], [first]]);
      // Those who have nothing yet get what is sticky still.
      const initial = await bob.sync({ filter: few });
      assert.deepEqual(sticky(initial, roomId), [first]);
      ahead += 6 * minute;
      assert.deepEqual(sticky(await bob.sync({ filter: few }), roomId), []);
    });

    test('it wakes those who wait', async () => {
      const { alice, bob, roomId } = await pair();
      const without = { room: { timeline: { types: [] } } };
      const { next_batch: since } = await bob.sync({ filter: without });
      const waiting = bob.sync({ since, filter: without, timeout: 60_000 });
      const eventId = await alice.stick(roomId, 'here');
      assert.deepEqual(sticky(await waiting, roomId), [eventId]);
    });

    test('who joins a room is told of all that are sticky still, whatever the history visibility; who is out is not', async () => {
      const { alice, bob, roomId } = await pair();
      await alice.setState(roomId, 'm.room.history_visibility', { history_visibility: 'joined' });
      const short = await alice.stick(roomId, 'short', minute);
      const long = await alice.stick(roomId, 'long', 30 * minute);
      const carol = await person();
      const { next_batch: before } = await carol.sync();
      ahead += 2 * minute;
      await carol.join(roomId);
      const joined = await carol.sync({ since: before, filter: few });
      assert.deepEqual([inTimeline(joined, roomId), sticky(joined, roomId)], [[], [long]]);
      const whole = await carol.sync({ since: before });
      assert.deepEqual([inTimeline(whole, roomId), sticky(whole, roomId)], [[long], []]);
      assert.ok(!JSON.stringify(whole).includes(short));
      const read = async (eventId: string) =>
        (await carol.http.get(carol.room(roomId, `event/${encodeURIComponent(eventId)}`))).status;
      assert.deepEqual([await read(long), await read(short)], [200, 404]);
      assert.deepEqual(sticky(await carol.sync({ since: joined.next_batch }), roomId), []);
      // Once more for who comes back.
      await carol.leave(roomId);
      const left = await carol.sync({ since: joined.next_batch });
      const next = await alice.stick(roomId, 'unheard');
      const nothing = await carol.sync({ since: left.next_batch });
      assert.ok(!JSON.stringify(nothing).includes(next));
      assert.ok(!JSON.stringify(await carol.sync()).includes(next));
      assert.equal(await read(next), 404);
      await carol.join(roomId);
      const back = await carol.sync({ since: nothing.next_batch, filter: few });
      assert.deepEqual(sticky(back, roomId), [long, next]);
      // A change of name is no join.
      const { next_batch: since } = await bob.sync();
      await bob.http.put(`/_matrix/client/v3/profile/${encodeURIComponent(bob.userId)}/displayname`, {
        displayname: 'B',
      });
      assert.deepEqual(sticky(await bob.sync({ since, filter: few }), roomId), []);
    });

    test('nobody is told of those whom they ignore, nor of what was redacted', async () => {
      const { alice, bob, roomId } = await pair();
      const { next_batch: since } = await bob.sync();
      const kept = await alice.stick(roomId, 'kept');
      const redacted = await alice.stick(roomId, 'redacted');
      await fill(alice, roomId);
      assert.deepEqual(sticky(await bob.sync({ since, filter: few }), roomId), [kept, redacted]);
      await alice.redact(roomId, redacted);
      assert.deepEqual(sticky(await bob.sync({ since, filter: few }), roomId), [kept]);
      const event = await bob.get(roomId, `event/${encodeURIComponent(redacted)}`);
      assert.equal('msc4354_sticky' in event, false);
      await bob.setAccountData('m.ignored_user_list', { ignored_users: { [alice.userId]: {} } });
      assert.deepEqual(sticky(await bob.sync({ since, filter: few }), roomId), []);
      assert.deepEqual(sticky(await bob.sync({ filter: few }), roomId), []);
    });

    test('many come in portions, each once and in their order', async () => {
      const { alice, bob, roomId } = await pair();
      const sent: string[] = [];
      for (let index = 0; index < 130; index++) sent.push(await alice.stick(roomId, String(index)));
      await fill(alice, roomId);
      const told: string[] = [];
      let answer = await bob.sync({ filter: few });
      told.push(...sticky(answer, roomId));
      assert.equal(told.length, 100);
      // Another room that is joined meanwhile brings its own, behind what was still to come.
      const other = await alice.createRoom();
      const older = await alice.stick(other, 'of another room');
      await fill(alice, other);
      await bob.join(other);
      const newer = await alice.stick(roomId, 'newer');
      await fill(alice, roomId);
      answer = await bob.sync({ since: answer.next_batch, filter: few });
      assert.deepEqual([...told, ...sticky(answer, roomId)], [...sent, newer]);
      assert.deepEqual(sticky(answer, other), [older]);
      answer = await bob.sync({ since: answer.next_batch, filter: few });
      assert.deepEqual([sticky(answer, roomId), sticky(answer, other)], [[], []]);
    });

    test('a restart takes nothing from what is still to come', async () => {
      let own = await startTestServer({ engine });
      const alice = createSyncClient(await own.registerUser());
      let bob = createSyncClient(await own.registerUser());
      const roomId = await alice.createRoom();
      await bob.join(roomId);
      const sent: string[] = [];
      for (let index = 0; index < 103; index++) sent.push(await alice.stick(roomId, String(index)));
      await fill(alice, roomId);
      const begun = await bob.sync({ filter: few });
      const { dataDir, databaseUrl } = own;
      await own.stop();
      own = await startTestServer({ engine, dataDir, databaseUrl });
      try {
        bob = createSyncClient(own.as(bob.http));
        const rest = await bob.sync({ since: begun.next_batch, filter: few });
        assert.deepEqual([...sticky(begun, roomId), ...sticky(rest, roomId)], sent);
      } finally {
        await own.stop();
        rmSync(dataDir, { recursive: true, force: true });
      }
    });

    test('somebody has two hundred in a room at most; the next one may come when one has ended', async () => {
      const { alice, bob, roomId } = await pair();
      await alice.stick(roomId, 'first', 10 * minute);
      for (let index = 1; index < 200; index++) await alice.stick(roomId, String(index), 30 * minute);
      const refused = await send(alice, roomId, `${param}=60000`);
      assert.deepEqual([refused.status, refused.body['errcode']], [429, 'M_LIMIT_EXCEEDED']);
      const wait = Number(refused.body['retry_after_ms']);
      assert.ok(wait > 9 * minute && wait <= 10 * minute, String(wait));
      const state = await alice.http.put(alice.room(roomId, `state/org.example.state/?${param}=60000`), {});
      assert.equal(state.status, 429);
      // Others, and other events, are none the worse for it.
      await bob.stick(roomId, 'mine');
      await alice.send(roomId, 'plain');
      ahead += wait;
      assert.equal((await send(alice, roomId, `${param}=60000`)).status, 200);
    });

    test('state can be sticky, and the same state anew; so can redactions', async () => {
      const { alice, bob, roomId } = await pair();
      const { next_batch: since } = await bob.sync();
      const set = async (query: string) =>
        (await alice.http.put(alice.room(roomId, `state/org.example.state/key${query}`), { on: true })).body[
          'event_id'
        ];
      const [one, same, two] = [await set(`?${param}=300000`), await set(''), await set(`?${param}=300000`)];
      assert.equal(same, one);
      assert.notEqual(two, one);
      const said = await alice.send(roomId, 'to be redacted');
      const content = { redacts: said };
      const redaction = await alice.http.put(alice.room(roomId, `send/m.room.redaction/r?${param}=300000`), content);
      await fill(alice, roomId);
      assert.deepEqual(sticky(await bob.sync({ since, filter: few }), roomId), [one, two, redaction.body['event_id']]);
    });

    test('an event that is sent later is sticky from then on', async () => {
      const { alice, bob, roomId } = await pair();
      const { next_batch: since } = await bob.sync();
      const delay = 'org.matrix.msc4140.delay=600000';
      const message = await send(alice, roomId, `${delay}&${param}=300000`);
      const state = await alice.http.put(alice.room(roomId, `state/m.room.topic/?${delay}&${param}=120000`), {
        topic: 'gone',
      });
      ahead += 6 * minute;
      for (const { body } of [message, state]) {
        const path = `/_matrix/client/unstable/org.matrix.msc4140/delayed_events/${String(body['delay_id'])}/send`;
        assert.equal((await server.anonymous.post(path, {})).status, 200);
      }
      await fill(alice, roomId);
      const [first, second] =
        (await bob.sync({ since, filter: few })).rooms?.join?.[roomId]?.msc4354_sticky?.events ?? [];
      assert.deepEqual([first?.type, first?.msc4354_sticky], [stickyType, { duration_ms: 300_000 }]);
      assert.ok(Number(first?.unsigned['msc4354_sticky_duration_ttl_ms']) > 4 * minute);
      assert.deepEqual([second?.type, second?.msc4354_sticky], ['m.room.topic', { duration_ms: 120_000 }]);
    });
  });
}
