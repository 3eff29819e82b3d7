import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createPair, serverOfSuite } from '@portico/testkit/server-of-suite.ts';
import { createSyncClient, type SeenEvent, type SyncClient } from '@portico/testkit/sync-client.ts';
import { refusalOf } from '@portico/testkit/test-client.ts';

const text = (body: string, more: object = {}) => ({ msgtype: 'm.text', body, ...more });
const relation = (rel_type: string, event_id: string, more: object = {}) => ({
  'm.relates_to': { rel_type, event_id, ...more },
});
const edit = (body: string, eventId: string) =>
  text(`* ${body}`, { 'm.new_content': text(body), ...relation('m.replace', eventId) });

type Bundle = {
  readonly 'm.replace'?: SeenEvent;
  readonly 'm.thread'?: { latest_event: SeenEvent; count: number; current_user_participated: boolean };
  readonly 'm.reference'?: { chunk: { event_id: string }[] };
};

for (const engine of ['sqlite', 'postgres'] as const) {
  describe(`relations (${engine})`, () => {
    const server = serverOfSuite({ engine });
    let transactions = 0;

    const person = async () => createSyncClient(await server.registerUser());
    const pair = () => createPair(server);
    const put = (by: SyncClient, roomId: string, content: object, type = 'm.room.message', txn = ++transactions) =>
      by.http.put(by.room(roomId, `send/${type}/r${txn}`), content);
    async function send(by: SyncClient, roomId: string, content: object, type?: string): Promise<string> {
      const { status, body } = await put(by, roomId, content, type);
      assert.equal(status, 200, JSON.stringify(body));
      return String(body['event_id']);
    }
    async function page(by: SyncClient, path: string, roomId: string) {
      const { status, body } = await by.http.get(by.room(roomId, path).replace('/v3/', '/v1/'));
      assert.equal(status, 200, JSON.stringify(body));
      const { chunk, ...rest } = body as { chunk: SeenEvent[]; next_batch?: string; recursion_depth?: number };
      return { ...rest, chunk, ids: chunk.map((event) => event.event_id) };
    }
    const related = (by: SyncClient, roomId: string, eventId: string, rest = '') =>
      page(by, `relations/${encodeURIComponent(eventId)}${rest}`, roomId);
    const bundleOf = (event: SeenEvent | undefined): Bundle | undefined =>
      event?.unsigned['m.relations'] as Bundle | undefined;
    async function bundle(by: SyncClient, roomId: string, eventId: string): Promise<Bundle | undefined> {
      return bundleOf((await by.get(roomId, `event/${encodeURIComponent(eventId)}`)) as unknown as SeenEvent);
    }

    test('children are listed by relation and event type, in pages, both ways', async () => {
      const { alice, roomId } = await pair();
      const root = await send(alice, roomId, text('root'));
      const { next_batch: since } = await alice.sync();
      const ids: string[] = [];
      for (const body of ['a', 'b', 'c', 'd']) {
        ids.push(await send(alice, roomId, text(body, relation('m.thread', root))));
      }
      const odd = await send(alice, roomId, relation('org.example.odd', root), 'org.example.thing');
      const newestFirst = [odd, ...ids.toReversed()];
      assert.deepEqual((await related(alice, roomId, root)).ids, newestFirst);
      assert.deepEqual((await related(alice, roomId, root, '/m.thread')).ids, ids.toReversed());
      assert.deepEqual((await related(alice, roomId, root, '/org.example.odd')).ids, [odd]);
      assert.deepEqual((await related(alice, roomId, root, '/org.example.odd/m.room.message')).ids, []);
      assert.deepEqual((await related(alice, roomId, root, '/org.example.odd/org.example.thing')).ids, [odd]);
      assert.deepEqual((await related(alice, roomId, root, `?dir=f&from=${since}`)).ids, [...ids, odd]);
      // Some programs send what they do not have.
      assert.deepEqual((await related(alice, roomId, root, '?from=&to=')).ids, newestFirst);
      for (const [direction, expected] of [
        ['b', newestFirst],
        ['f', newestFirst.toReversed()],
      ] as const) {
        const seen: string[] = [];
        let from = '';
        do {
          const found = await related(alice, roomId, root, `?dir=${direction}&limit=2${from}`);
          seen.push(...found.ids);
          from = found.next_batch === undefined ? '' : `&from=${found.next_batch}`;
        } while (from !== '');
        assert.deepEqual(seen, expected);
      }
    });

    test('a page has no more than 500 events, whatever is asked for', async () => {
      const { alice, roomId } = await pair();
      const root = await send(alice, roomId, text('root'));
      // Not all at once: each is a connection of its own, and some systems let a process have no more than 1,024.
      for (let sent = 0; sent < 501; sent += 167) {
        await Promise.all(
          Array.from({ length: 167 }, () => send(alice, roomId, relation('m.reference', root), 'org.example.many')),
        );
      }
      const first = await related(alice, roomId, root, '?limit=1000');
      assert.equal(first.ids.length, 500);
      assert.equal((await related(alice, roomId, root, `?limit=1000&from=${first.next_batch}`)).ids.length, 1);
    });

    test('indirect relations are followed through matching events, to a depth', async () => {
      const { alice, bob, roomId } = await pair();
      const root = await send(alice, roomId, text('root'));
      const reply = await send(bob, roomId, text('reply', relation('m.thread', root)));
      const reaction = await send(alice, roomId, relation('m.annotation', reply, { key: '👍' }), 'm.reaction');
      const levels = [reaction];
      for (let level = 0; level < 3; level++) {
        levels.push(await send(alice, roomId, relation('m.reference', levels.at(-1) ?? ''), 'org.example.deep'));
      }
      assert.deepEqual((await related(alice, roomId, root)).ids, [reply]);
      const found = await related(alice, roomId, root, '?recurse=true');
      assert.deepEqual(found.ids, [levels[1], reaction, reply]);
      assert.equal(found.recursion_depth, 3);
      const unstable = await related(alice, roomId, root, '?org.matrix.msc3981.recurse=true');
      assert.deepEqual([unstable.ids, unstable.recursion_depth], [found.ids, 3]);
      assert.deepEqual((await related(alice, roomId, root, '/m.annotation?recurse=true')).ids, []);
    });

    test('the last valid edit comes with an event, and none with a redacted one', async () => {
      const { alice, bob, roomId } = await pair();
      const original = await send(alice, roomId, text('one'));
      const first = await send(alice, roomId, edit('two', original));
      await send(bob, roomId, edit('not mine', original));
      await send(alice, roomId, text('no new content', relation('m.replace', original)));
      await send(alice, roomId, { ...edit('other type', original) }, 'org.example.message');
      assert.equal((await bundle(bob, roomId, original))?.['m.replace']?.event_id, first);
      const last = await send(alice, roomId, edit('three', original));
      const shown = (await bundle(bob, roomId, original))?.['m.replace'];
      assert.equal(shown?.event_id, last);
      assert.deepEqual(shown?.content['m.new_content'], text('three'));
      await send(alice, roomId, edit('an edited edit', last));
      assert.equal(await bundle(bob, roomId, last), undefined);
      await alice.redact(roomId, last);
      assert.equal((await bundle(bob, roomId, original))?.['m.replace']?.event_id, first);
      const event = (await bob.get(roomId, `event/${encodeURIComponent(original)}`)) as unknown as SeenEvent;
      assert.equal(event.content['body'], 'one', 'the server replaces nothing');
      await alice.redact(roomId, original);
      assert.equal(await bundle(bob, roomId, original), undefined);
    });

    test('threads are summed up in every reader', async () => {
      const { alice, bob, roomId } = await pair();
      const root = await send(alice, roomId, text('the root zeppelin'));
      await send(alice, roomId, text('1', relation('m.thread', root)));
      const last = await send(alice, roomId, text('2', relation('m.thread', root)));
      const edited = await send(alice, roomId, edit('2b', last));
      const answer = await send(bob, roomId, relation('m.reference', last), 'org.example.answer');
      const check = (found: SeenEvent | undefined, participated: boolean, reader: string) => {
        const thread = bundleOf(found)?.['m.thread'];
        assert.ok(thread, reader);
        assert.deepEqual([thread.count, thread.current_user_participated], [2, participated], reader);
        assert.equal(thread.latest_event.event_id, last, reader);
        const ofLatest = bundleOf(thread.latest_event);
        assert.equal(ofLatest?.['m.replace']?.event_id, edited, reader);
        assert.deepEqual(ofLatest?.['m.reference'], { chunk: [{ event_id: answer }] }, reader);
      };
      const find = (events: unknown): SeenEvent | undefined =>
        (events as SeenEvent[]).find((event) => event.event_id === root);
      const id = encodeURIComponent(root);
      check((await bob.get(roomId, `event/${id}`)) as unknown as SeenEvent, false, 'event');
      check((await bob.get(roomId, `context/${id}`))['event'] as SeenEvent, false, 'context');
      check(find((await bob.get(roomId, 'messages?dir=b&limit=20'))['chunk']), false, 'messages');
      check(find((await page(bob, 'threads', roomId)).chunk), false, 'threads');
      check(find((await bob.sync()).rooms?.join?.[roomId]?.timeline.events), false, 'sync');
      check(find((await alice.sync()).rooms?.join?.[roomId]?.timeline.events), true, 'sync of the author');
      const { body } = await bob.http.post('/_matrix/client/v3/search', {
        search_categories: { room_events: { search_term: 'zeppelin' } },
      });
      const { results } = (body as { search_categories: { room_events: { results: { result: SeenEvent }[] } } })
        .search_categories.room_events;
      check(results[0]?.result, false, 'search');
      await send(bob, roomId, text('mine', relation('m.thread', root)));
      assert.equal((await bundle(bob, roomId, root))?.['m.thread']?.current_user_participated, true);
    });

    test('a limited sync brings what relates to its events, for each reader as they see it', async () => {
      const { alice, bob, roomId } = await pair();
      const { next_batch: since } = await bob.sync();
      const { next_batch: aliceSince } = await alice.sync();
      for (let count = 0; count < 4; count++) await send(alice, roomId, text(`filler ${count}`));
      const root = await send(alice, roomId, text('root'));
      await send(alice, roomId, text('reply', relation('m.thread', root)));
      const filter = { room: { timeline: { limit: 3 } } };
      for (const [who, from, participated] of [
        [bob, since, false],
        [alice, aliceSince, true],
      ] as const) {
        const { timeline } = (await who.sync({ since: from, filter })).rooms?.join?.[roomId] ?? {};
        assert.equal(timeline?.limited, true);
        const found = timeline?.events.find((event) => event.event_id === root);
        assert.equal(bundleOf(found)?.['m.thread']?.current_user_participated, participated);
      }
    });

    test('references are listed, and ignored people say nothing', async () => {
      const { alice, bob, roomId } = await pair();
      const carol = await person();
      await carol.join(roomId);
      const poll = await send(alice, roomId, text('poll'));
      const vote = await send(bob, roomId, relation('m.reference', poll), 'org.example.vote');
      const other = await send(carol, roomId, relation('m.reference', poll), 'org.example.vote');
      const reply = await send(bob, roomId, text('reply', relation('m.thread', poll)));
      await send(carol, roomId, text('reply', relation('m.thread', poll)));
      assert.deepEqual((await bundle(alice, roomId, poll))?.['m.reference']?.chunk, [
        { event_id: vote },
        { event_id: other },
      ]);
      assert.equal((await bundle(alice, roomId, poll))?.['m.thread']?.count, 2);
      await alice.setAccountData('m.ignored_user_list', { ignored_users: { [carol.userId]: {} } });
      const left = await bundle(alice, roomId, poll);
      assert.deepEqual(left?.['m.reference']?.chunk, [{ event_id: vote }]);
      assert.deepEqual([left?.['m.thread']?.count, left?.['m.thread']?.latest_event.event_id], [1, reply]);
      assert.deepEqual((await related(alice, roomId, poll, '/m.reference')).ids, [vote]);
    });

    test('who has left hears no more of what others say', async () => {
      const { alice, bob, roomId } = await pair();
      const root = await send(alice, roomId, text('root'));
      const early = await send(alice, roomId, text('early', relation('m.thread', root)));
      await bob.leave(roomId);
      await send(alice, roomId, text('late', relation('m.thread', root)));
      await send(alice, roomId, edit('later', root));
      await send(alice, roomId, relation('m.reference', root), 'org.example.vote');
      const shown = await bundle(bob, roomId, root);
      assert.deepEqual(Object.keys(shown ?? {}), ['m.thread']);
      assert.deepEqual([shown?.['m.thread']?.count, shown?.['m.thread']?.latest_event.event_id], [1, early]);
      assert.deepEqual((await related(bob, roomId, root)).ids, [early]);
      assert.equal((await page(bob, 'threads', roomId)).ids.length, 0, 'its last message came after');
    });

    test('who was away hears nothing of what was said meanwhile, where history is for those who were there', async () => {
      const { alice, bob, roomId } = await pair();
      await alice.setState(roomId, 'm.room.history_visibility', { history_visibility: 'joined' });
      const root = await send(alice, roomId, text('root'));
      const seen = await send(alice, roomId, relation('m.reference', root), 'org.example.vote');
      await bob.leave(roomId);
      await send(alice, roomId, edit('meanwhile', root));
      await send(alice, roomId, relation('m.reference', root), 'org.example.vote');
      await send(alice, roomId, text('meanwhile', relation('m.thread', root)));
      await bob.join(roomId);
      const back = await send(alice, roomId, relation('m.reference', root), 'org.example.vote');
      assert.deepEqual(await bundle(bob, roomId, root), {
        'm.reference': { chunk: [{ event_id: seen }, { event_id: back }] },
      });
      assert.deepEqual((await related(bob, roomId, root)).ids, [back, seen]);
      assert.deepEqual(Object.keys((await bundle(alice, roomId, root)) ?? {}).length, 3);
    });

    test('threads are listed, the one last written in first', async () => {
      const { alice, bob, roomId } = await pair();
      const roots = [
        await send(alice, roomId, text('1')),
        await send(alice, roomId, text('2')),
        await send(alice, roomId, text('3')),
      ];
      const replies: string[] = [];
      for (const root of roots) replies.push(await send(alice, roomId, text('reply', relation('m.thread', root))));
      await send(bob, roomId, text('again', relation('m.thread', roots[0] ?? '')));
      const [first, second, third] = roots;
      assert.deepEqual((await page(bob, 'threads', roomId)).ids, [first, third, second]);
      assert.deepEqual((await page(bob, 'threads?include=participated', roomId)).ids, [first]);
      assert.equal((await page(alice, 'threads?include=participated', roomId)).ids.length, 3);
      const one = await page(bob, 'threads?limit=2', roomId);
      assert.deepEqual(one.ids, [first, third]);
      const two = await page(bob, `threads?limit=2&from=${one.next_batch}`, roomId);
      assert.deepEqual([two.ids, two.next_batch], [[second], undefined]);
      assert.deepEqual((await page(bob, 'threads?limit=2&from=', roomId)).ids, one.ids);
      await alice.redact(roomId, replies[1] ?? '');
      assert.deepEqual((await page(bob, 'threads', roomId)).ids, [first, third], 'a thread without messages is none');
    });

    test('the same reaction twice is refused, unless it is sent again', async () => {
      const { alice, bob, roomId } = await pair();
      const eventId = await send(alice, roomId, text('hello'));
      const reaction = relation('m.annotation', eventId, { key: '👍' });
      const sent = await send(bob, roomId, reaction, 'm.reaction');
      assert.equal(refusalOf(await put(bob, roomId, reaction, 'm.reaction')), '400 M_DUPLICATE_ANNOTATION');
      assert.equal((await put(bob, roomId, reaction, 'm.reaction', transactions - 1)).body['event_id'], sent);
      assert.equal((await put(alice, roomId, reaction, 'm.reaction')).status, 200);
      assert.equal(
        (await put(bob, roomId, relation('m.annotation', eventId, { key: '👎' }), 'm.reaction')).status,
        200,
      );
      await bob.redact(roomId, sent);
      assert.equal((await put(bob, roomId, reaction, 'm.reaction')).status, 200, 'the first one is gone');
      const long = relation('m.annotation', eventId, { key: 'ж'.repeat(3000) });
      const both = await Promise.all([put(bob, roomId, long, 'm.reaction'), put(bob, roomId, long, 'm.reaction')]);
      assert.deepEqual(
        both.map(({ status }) => status).toSorted((a, b) => a - b),
        [200, 400],
      );
      assert.deepEqual((await related(bob, roomId, eventId, '/m.annotation')).ids.length, 4);
    });

    test('who is not in the room is told that, and nothing of what its events are', async () => {
      const { alice, bob, roomId } = await pair();
      const carol = await person();
      const root = await send(alice, roomId, text('root'));
      const reply = await send(alice, roomId, text('reply', relation('m.thread', root)));
      const reaction = relation('m.annotation', root, { key: '👍' });
      await send(bob, roomId, reaction, 'm.reaction');
      await bob.leave(roomId);
      for (const by of [carol, bob]) {
        assert.equal(refusalOf(await put(by, roomId, text('x', relation('m.thread', reply)))), '403 M_FORBIDDEN');
        assert.equal(refusalOf(await put(by, roomId, reaction, 'm.reaction')), '403 M_FORBIDDEN');
      }
    });

    test('a thread that starts at a state event is listed, without a summary, as long as there is something in it', async () => {
      const { alice, bob, roomId } = await pair();
      const topic = await alice.setState(roomId, 'm.room.topic', { topic: 'Let us talk' });
      const reply = await send(alice, roomId, text('about it', relation('m.thread', topic)));
      const { chunk } = await page(bob, 'threads', roomId);
      assert.deepEqual(
        chunk.map((event) => [event.event_id, bundleOf(event)]),
        [[topic, undefined]],
      );
      await alice.redact(roomId, reply);
      assert.deepEqual((await page(bob, 'threads', roomId)).ids, []);
    });

    test('a thread cannot start at a reply of a thread', async () => {
      const { alice, roomId } = await pair();
      const root = await send(alice, roomId, text('root'));
      const reply = await send(alice, roomId, text('reply', relation('m.thread', root)));
      assert.equal(refusalOf(await put(alice, roomId, text('x', relation('m.thread', reply)))), '400 M_UNKNOWN');
    });

    test('what is not there, or not for the reader, is not found', async () => {
      const { alice, roomId } = await pair();
      const stranger = await person();
      const secret = await alice.createRoom({ preset: 'private_chat' });
      const eventId = await send(alice, secret, text('x'));
      const get = async (by: SyncClient, room: string, path: string) =>
        refusalOf(await by.http.get(by.room(room, path).replace('/v3/', '/v1/')));
      assert.equal(await get(alice, roomId, 'relations/$nothing'), '404 M_NOT_FOUND');
      assert.equal(await get(alice, roomId, `relations/${encodeURIComponent(eventId)}`), '404 M_NOT_FOUND');
      assert.equal(await get(stranger, secret, `relations/${encodeURIComponent(eventId)}`), '403 M_FORBIDDEN');
      assert.equal(await get(stranger, secret, 'threads'), '403 M_FORBIDDEN');
      assert.equal(await get(alice, roomId, 'threads?include=some'), '400 M_INVALID_PARAM');
    });
  });
}
