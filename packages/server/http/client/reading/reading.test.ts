import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { serverOfSuite } from '@portico/testkit/server-of-suite.ts';
import { createSyncClient, type SeenEvent, type SyncClient } from '@portico/testkit/sync-client.ts';

type Page = {
  readonly start: string;
  readonly end?: string;
  readonly chunk: readonly SeenEvent[];
  readonly state?: readonly SeenEvent[];
};

const textsOf = (events: readonly SeenEvent[]) =>
  events.filter((event) => event.type === 'm.room.message').map((event) => event.content['body']);

for (const engine of ['sqlite', 'postgres'] as const) {
  describe(`reading rooms (${engine})`, () => {
    const server = serverOfSuite({ engine });

    const person = async () => createSyncClient(await server.registerUser());
    const messages = async (who: SyncClient, roomId: string, query: string) =>
      (await who.get(roomId, `messages?${query}`)) as unknown as Page;
    const refusal = async (who: SyncClient, roomId: string, rest: string) => {
      const { status, body } = await who.http.get(who.room(roomId, rest));
      return `${status} ${String(body['errcode'])}`;
    };

    test('a history visibility with a state key of its own opens nothing', async () => {
      const [alice, bob] = [await person(), await person()];
      const roomId = await alice.createRoom();
      await alice.setState(roomId, 'm.room.history_visibility', { history_visibility: 'joined' });
      await alice.send(roomId, 'before');
      await alice.setState(roomId, 'm.room.history_visibility', { history_visibility: 'world_readable' }, 'other');
      await alice.send(roomId, 'secret');
      await bob.join(roomId);
      await alice.send(roomId, 'after');
      for (const dir of ['b', 'f']) {
        const { chunk } = await messages(bob, roomId, `dir=${dir}&limit=100`);
        assert.deepEqual(textsOf(chunk), ['after']);
        assert.ok(chunk.every(({ state_key: key }) => key !== 'other'));
      }
    });

    test('messages go back and forth in pages that fit together, and end', async () => {
      const alice = await person();
      const roomId = await alice.createRoom();
      const sent = Array.from({ length: 7 }, (_, index) => String(index));
      for (const body of sent) await alice.send(roomId, body);
      for (const [direction, expected] of [
        ['b', sent.toReversed()],
        ['f', sent],
      ] as const) {
        const seen: unknown[] = [];
        const ids = new Set<string>();
        let from: string | undefined;
        for (let pages = 0; ; pages++) {
          assert.ok(pages < 20);
          const page = await messages(
            alice,
            roomId,
            `dir=${direction}&limit=3${from === undefined ? '' : `&from=${from}`}`,
          );
          if (from !== undefined) assert.equal(page.start, from);
          assert.ok(page.chunk.length <= 3);
          seen.push(...textsOf(page.chunk));
          for (const event of page.chunk) ids.add(event.event_id);
          assert.equal(page.end === undefined, page.chunk.length === 0, 'only the empty page has nothing behind it');
          if (page.end === undefined) break;
          from = page.end;
        }
        assert.deepEqual(seen, expected);
        const state = (await alice.get(roomId, 'state')) as unknown as readonly SeenEvent[];
        assert.equal(ids.size, sent.length + state.length);
      }
    });

    test('who reads forwards to the newest event goes on from there with what is said later', async () => {
      const [alice, bob] = [await person(), await person()];
      const roomId = await alice.createRoom({ preset: 'public_chat' });
      await bob.join(roomId);
      await alice.send(roomId, 'now');
      const page = await messages(alice, roomId, 'dir=f&limit=100');
      assert.equal(textsOf(page.chunk).at(-1), 'now');
      assert.ok(page.end);
      const nothing = await messages(alice, roomId, `dir=f&from=${page.end}`);
      assert.deepEqual([nothing.chunk, nothing.end], [[], undefined]);
      const { end: bound } = await messages(alice, roomId, `dir=f&limit=100&to=${page.end}`);
      const beyond = await messages(alice, roomId, `dir=f&from=${bound}&to=${page.end}`);
      assert.deepEqual([beyond.chunk, beyond.end], [[], undefined], 'nothing more before the end that was asked for');
      await bob.leave(roomId);
      await alice.send(roomId, 'later');
      assert.deepEqual(textsOf((await messages(alice, roomId, `dir=f&from=${page.end}`)).chunk), ['later']);
      const { chunk, end } = await messages(bob, roomId, 'dir=f&limit=100');
      assert.equal(textsOf(chunk).at(-1), 'now');
      const after = await messages(bob, roomId, `dir=f&from=${end}`);
      assert.deepEqual([after.chunk, after.end], [[], undefined], 'who has left gets no more');
    });

    test('an empty token is as none', async () => {
      const alice = await person();
      const roomId = await alice.createRoom();
      const pageOf = async (query: string) => {
        const { chunk, start, end } = await messages(alice, roomId, query);
        return { start, end, ids: chunk.map((event) => event.event_id) };
      };
      for (const query of ['dir=b&limit=3', 'dir=f&limit=3']) {
        assert.deepEqual(await pageOf(`${query}&from=&to=`), await pageOf(query));
      }
    });

    test('messages can be chosen by how they relate to others', async () => {
      const alice = await person();
      const roomId = await alice.createRoom();
      const root = await alice.send(roomId, 'root');
      for (const type of ['m.thread', 'm.reference']) {
        const content = { msgtype: 'm.text', body: type, 'm.relates_to': { rel_type: type, event_id: root } };
        assert.equal((await alice.http.put(alice.room(roomId, `send/m.room.message/${type}`), content)).status, 200);
      }
      const chosen = async (filter: object) =>
        textsOf((await messages(alice, roomId, `filter=${encodeURIComponent(JSON.stringify(filter))}`)).chunk);
      const [relTypes, notRelTypes] = ['org.matrix.msc3874.rel_types', 'org.matrix.msc3874.not_rel_types'];
      assert.deepEqual(await chosen({ [relTypes]: ['m.thread'] }), ['m.thread']);
      assert.deepEqual(await chosen({ [relTypes]: ['m.thread', 'm.reference'] }), ['m.thread', 'm.reference']);
      assert.deepEqual(await chosen({ [notRelTypes]: ['m.thread'] }), ['root', 'm.reference']);
      assert.deepEqual(await chosen({ [relTypes]: ['m.thread', 'm.reference'], [notRelTypes]: ['m.thread'] }), [
        'm.reference',
      ]);
      assert.deepEqual(await chosen({ [relTypes]: [] }), []);
    });

    test('without a direction messages go forwards', async () => {
      const alice = await person();
      const roomId = await alice.createRoom();
      const idsOf = async (query: string) =>
        (await messages(alice, roomId, query)).chunk.map((event) => event.event_id);
      assert.deepEqual(await idsOf('limit=3'), await idsOf('limit=3&dir=f'));
      assert.equal(await refusal(alice, roomId, 'messages?dir=x'), '400 M_INVALID_PARAM');
      assert.equal(await refusal(await person(), roomId, 'messages'), '403 M_FORBIDDEN');
    });

    test('a page does not stop at events that the reader may not see or did not ask for', async () => {
      const [alice, bob] = [await person(), await person()];
      const roomId = await alice.createRoom();
      await alice.send(roomId, 'first');
      await alice.setState(roomId, 'm.room.history_visibility', { history_visibility: 'joined' });
      for (let index = 0; index < 12; index++) await alice.send(roomId, `hidden ${index}`);
      await bob.join(roomId);
      const page = await messages(bob, roomId, 'dir=b&limit=3');
      assert.equal(page.chunk.length, 3);
      const filter = encodeURIComponent(JSON.stringify({ types: ['m.room.message'] }));
      const filtered = await messages(bob, roomId, `dir=b&limit=3&filter=${filter}`);
      assert.deepEqual(textsOf(filtered.chunk), ['first']);
      const nothing = await messages(bob, roomId, `dir=b&limit=3&filter=${filter}&from=${filtered.end}`);
      assert.deepEqual([nothing.chunk, nothing.end], [[], undefined]);
    });

    test('messages bring the lazily loaded members of their senders', async () => {
      const [alice, bob, carol] = [await person(), await person(), await person()];
      const roomId = await alice.createRoom();
      await bob.join(roomId);
      await carol.join(roomId);
      await bob.send(roomId, 'x');
      const filter = encodeURIComponent(JSON.stringify({ lazy_load_members: true }));
      const page = await messages(alice, roomId, `dir=b&limit=1&filter=${filter}`);
      assert.deepEqual(
        page.state?.map((event) => event.state_key),
        [bob.userId],
      );
    });

    test('strangers and the merely invited get nothing, and learn nothing about what exists', async () => {
      const [alice, bob, carol] = [await person(), await person(), await person()];
      const roomId = await alice.createRoom({ preset: 'private_chat', invite: [bob.userId] });
      const eventId = encodeURIComponent(await alice.send(roomId, 'secret'));
      for (const who of [bob, carol]) {
        for (const rest of ['messages?dir=b', 'state', 'state/m.room.create', 'members', 'joined_members', 'aliases']) {
          assert.equal(await refusal(who, roomId, rest), '403 M_FORBIDDEN', rest);
        }
        assert.equal(await refusal(who, roomId, `event/${eventId}`), '404 M_NOT_FOUND');
        assert.equal(await refusal(who, roomId, `context/${eventId}`), '403 M_FORBIDDEN');
      }
      await bob.leave(roomId);
      assert.equal(await refusal(bob, roomId, 'state'), '403 M_FORBIDDEN', 'having rejected the invite');
      assert.equal(await refusal(alice, '!nowhere:localhost', 'state'), '403 M_FORBIDDEN');
      assert.equal(await refusal(alice, roomId, 'event/$nothing'), '404 M_NOT_FOUND');
      assert.equal(await refusal(alice, roomId, 'state/m.room.topic'), '404 M_NOT_FOUND');
    });

    test('who has left reads the room as it was then', async () => {
      const [alice, bob] = [await person(), await person()];
      const roomId = await alice.createRoom({ preset: 'public_chat', topic: 'then' });
      await bob.join(roomId);
      await alice.send(roomId, 'before');
      await bob.leave(roomId);
      await alice.setState(roomId, 'm.room.topic', { topic: 'now' });
      const later = encodeURIComponent(await alice.send(roomId, 'after'));
      assert.equal((await bob.get(roomId, 'state/m.room.topic'))['topic'], 'then');
      const state = (await bob.get(roomId, 'state')) as unknown as readonly SeenEvent[];
      assert.ok(state.some((event) => event.content['topic'] === 'then'));
      assert.ok(!state.some((event) => event.content['topic'] === 'now'));
      const page = await messages(bob, roomId, 'dir=b&limit=2');
      assert.deepEqual(textsOf(page.chunk), ['before']);
      assert.equal(page.chunk[0]?.content['membership'], 'leave');
      assert.equal(await refusal(bob, roomId, `event/${later}`), '404 M_NOT_FOUND');
      assert.equal(await refusal(bob, roomId, 'joined_members'), '403 M_FORBIDDEN');
      const members = (await bob.get(roomId, 'members'))['chunk'] as readonly SeenEvent[];
      assert.equal(members.length, 2);
    });

    test('who was away does not get what was said meanwhile, if history was for members', async () => {
      const [alice, bob] = [await person(), await person()];
      const roomId = await alice.createRoom();
      await alice.setState(roomId, 'm.room.history_visibility', { history_visibility: 'joined' });
      await bob.join(roomId);
      await alice.send(roomId, 'one');
      await bob.leave(roomId);
      const missed = encodeURIComponent(await alice.send(roomId, 'two'));
      await bob.join(roomId);
      await alice.send(roomId, 'three');
      assert.deepEqual(textsOf((await messages(bob, roomId, 'dir=b&limit=20')).chunk), ['three', 'one']);
      assert.equal(await refusal(bob, roomId, `event/${missed}`), '404 M_NOT_FOUND');
    });

    test('a room open to the world is read by anyone, from when on it was open', async () => {
      const [alice, bob] = [await person(), await person()];
      const roomId = await alice.createRoom();
      const closed = encodeURIComponent(await alice.send(roomId, 'closed'));
      await alice.setState(roomId, 'm.room.history_visibility', { history_visibility: 'world_readable' });
      await alice.send(roomId, 'open');
      const page = await messages(bob, roomId, 'dir=b&limit=20');
      assert.deepEqual(
        page.chunk.map((event) => event.content['body'] ?? event.type),
        ['open', 'm.room.history_visibility'],
      );
      assert.equal(await refusal(bob, roomId, `event/${closed}`), '404 M_NOT_FOUND');
      assert.ok(await bob.get(roomId, 'state/m.room.create'));
      const { joined } = await bob.get(roomId, 'joined_members');
      assert.deepEqual(Object.keys(joined as object), [alice.userId]);
    });

    test('members can be chosen by membership, and asked for as they were', async () => {
      const [alice, bob, carol] = [await person(), await person(), await person()];
      const roomId = await alice.createRoom({ preset: 'public_chat', invite: [carol.userId] });
      const { next_batch: at } = await alice.sync();
      await bob.join(roomId);
      const members = async (query: string) =>
        ((await alice.get(roomId, `members?${query}`))['chunk'] as readonly SeenEvent[])
          .map((event) => String(event.state_key))
          .toSorted();
      assert.deepEqual(await members(''), [alice, bob, carol].map(({ userId }) => userId).toSorted());
      assert.deepEqual(await members('membership=invite'), [carol.userId]);
      assert.deepEqual(await members('not_membership=invite'), [alice.userId, bob.userId].toSorted());
      assert.deepEqual(await members(`at=${at}`), [alice.userId, carol.userId].toSorted());
      assert.deepEqual(await members(`at=${at}&not_membership=invite`), [alice.userId]);
      const { start: beginning } = await messages(alice, roomId, 'dir=f');
      assert.deepEqual(await members(`at=${beginning}`), [alice.userId], 'before all of it: whoever was first');
      const { joined } = await alice.get(roomId, 'joined_members');
      assert.deepEqual(Object.keys(joined as object).toSorted(), [alice.userId, bob.userId].toSorted());
    });

    test('an event comes with what was said around it, and places to go on from', async () => {
      const alice = await person();
      const roomId = await alice.createRoom();
      const ids: string[] = [];
      for (let index = 0; index < 9; index++) ids.push(await alice.send(roomId, String(index)));
      const context = await alice.get(roomId, `context/${encodeURIComponent(ids[4] ?? '')}?limit=4`);
      const {
        event,
        events_before: earlier,
        events_after: later,
        start,
        end,
        state,
      } = context as {
        event: SeenEvent;
        events_before: SeenEvent[];
        events_after: SeenEvent[];
        start: string;
        end: string;
        state: SeenEvent[];
      };
      assert.equal(event.event_id, ids[4]);
      assert.deepEqual(textsOf(earlier), ['3', '2']);
      assert.deepEqual(textsOf(later), ['5', '6']);
      assert.ok(state.some(({ type }) => type === 'm.room.create'));
      assert.deepEqual(textsOf((await messages(alice, roomId, `dir=b&limit=2&from=${start}`)).chunk), ['1', '0']);
      assert.deepEqual(textsOf((await messages(alice, roomId, `dir=f&limit=2&from=${end}`)).chunk), ['7', '8']);
    });

    test('state can be had as content or as the whole event, with or without a state key', async () => {
      const alice = await person();
      const roomId = await alice.createRoom();
      const eventId = await alice.setState(roomId, 'm.room.topic', { topic: 'x' });
      await alice.setState(roomId, 'org.example.keyed', { a: 1 }, 'a key/with a slash');
      for (const rest of ['state/m.room.topic', 'state/m.room.topic/', 'state/m.room.topic?format=content']) {
        assert.deepEqual(await alice.get(roomId, rest), { topic: 'x' }, rest);
      }
      assert.equal((await alice.get(roomId, 'state/m.room.topic?format=event'))['event_id'], eventId);
      assert.deepEqual(await alice.get(roomId, 'state/org.example.keyed/a%20key%2Fwith%20a%20slash'), { a: 1 });
    });

    test('joined rooms and aliases are listed', async () => {
      const alice = await person();
      const name = alice.userId.slice(1).replace(':localhost', '');
      const roomId = await alice.createRoom({ preset: 'public_chat', room_alias_name: name });
      assert.deepEqual((await alice.http.get('/_matrix/client/v3/joined_rooms')).body, { joined_rooms: [roomId] });
      assert.deepEqual(await alice.get(roomId, 'aliases'), { aliases: [`#${name}:localhost`] });
    });

    test('an empty token is none', async () => {
      const alice = await person();
      const roomId = await alice.createRoom();
      for (const direction of ['b', 'f']) {
        const whole = await alice.get(roomId, `messages?dir=${direction}`);
        const { chunk } = await alice.get(roomId, `messages?dir=${direction}&from=&to=`);
        const idsOf = (events: unknown) => (events as { event_id: string }[]).map(({ event_id: id }) => id);
        assert.ok(idsOf(chunk).length > 0);
        assert.deepEqual(idsOf(chunk), idsOf(whole['chunk']));
      }
    });

    test('bad parameters are refused', async () => {
      const alice = await person();
      const roomId = await alice.createRoom();
      for (const rest of [
        'messages?dir=x',
        'messages?dir=b&from=x',
        'messages?dir=b&filter=x',
        'members?at=t2_1',
        'messages?dir=b&limit=-1',
      ]) {
        assert.equal(await refusal(alice, roomId, rest), '400 M_INVALID_PARAM', rest);
      }
    });
  });
}
