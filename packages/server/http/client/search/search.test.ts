import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { openDatabase } from '@portico/storage';
import { fullTextFor } from '@portico/storage/full-text/engines.ts';
import { createPair, serverOfSuite } from '@portico/testkit/server-of-suite.ts';
import { createSyncClient, type SeenEvent, type SyncClient } from '@portico/testkit/sync-client.ts';

type Found = {
  readonly count: number;
  readonly highlights: readonly string[];
  readonly results: readonly {
    readonly rank: number;
    readonly result: SeenEvent;
    readonly context?: {
      readonly start: string;
      readonly end: string;
      readonly events_before: readonly SeenEvent[];
      readonly events_after: readonly SeenEvent[];
      readonly profile_info?: Readonly<Record<string, { displayname?: string }>>;
    };
  }[];
  readonly next_batch?: string;
  readonly groups?: unknown;
  readonly state?: Readonly<Record<string, readonly SeenEvent[]>>;
};

for (const engine of ['sqlite', 'postgres'] as const) {
  describe(`search (${engine})`, () => {
    const server = serverOfSuite({ engine });

    const person = async () => createSyncClient(await server.registerUser());
    const pair = () => createPair(server);
    const request = (by: SyncClient, criteria: object, next = '') =>
      by.http.post(`/_matrix/client/v3/search${next}`, {
        search_categories: { room_events: { order_by: 'recent', ...criteria } },
      });
    async function search(by: SyncClient, term: string, more: object = {}, next = ''): Promise<Found> {
      const { status, body } = await request(by, { search_term: term, ...more }, next);
      assert.equal(status, 200, JSON.stringify(body));
      return (body as { search_categories: { room_events: Found } }).search_categories.room_events;
    }
    const bodiesOf = ({ results }: Found) => results.map(({ result }) => result.content['body']);
    const find = async (by: SyncClient, term: string, more: object = {}) => bodiesOf(await search(by, term, more));

    test('finds what was just said, by all its words, whatever their case and diacritics', async () => {
      const { alice, bob, roomId } = await pair();
      await alice.send(roomId, 'The Zebra crossed the Straße, naïvely');
      await alice.send(roomId, 'another zebra');
      await alice.send(roomId, '東京タワーへ行きました');
      await alice.send(roomId, "it's o'clock \\ 'quoted' \"twice\" & | ! :* (odd)");
      assert.deepEqual(await find(bob, 'zebra'), ['another zebra', 'The Zebra crossed the Straße, naïvely']);
      assert.deepEqual(await find(bob, 'NAIVELY Zebra'), ['The Zebra crossed the Straße, naïvely']);
      assert.deepEqual(await find(bob, 'zeb'), []);
      assert.deepEqual(await find(bob, 'タワー'), ['東京タワーへ行きました']);
      assert.deepEqual(await find(bob, '京'), ['東京タワーへ行きました']);
      assert.equal((await find(bob, `o'clock "quoted" & | ! :* (odd) \\`)).length, 1);
      assert.deepEqual(await find(bob, `' " & | ( ) ! :* \\`), []);
      assert.deepEqual(await find(bob, 'words OR scope'), []);
      const { highlights, count } = await search(bob, 'naively zebra');
      assert.deepEqual(
        [highlights, count],
        [['naively', 'zebra', 'naïvely'], 1],
        'as it is asked for, and as it is written',
      );
    });

    test('names and topics are found where they are asked for', async () => {
      const { alice, bob, roomId } = await pair();
      await alice.setState(roomId, 'm.room.name', { name: 'Giraffes' });
      await alice.setState(roomId, 'm.room.topic', { topic: 'all about giraffes' });
      await alice.send(roomId, 'giraffes are tall');
      const types = async (keys?: string[]) =>
        (await search(bob, 'giraffes', keys && { keys })).results.map(({ result }) => result.type);
      assert.deepEqual(await types(), ['m.room.message', 'm.room.topic', 'm.room.name']);
      assert.deepEqual(await types(['content.name']), ['m.room.name']);
      assert.deepEqual(await types(['content.topic', 'content.body']), ['m.room.message', 'm.room.topic']);
      assert.deepEqual(await types(['content.unknown']), []);
    });

    test('filters, pages, ranks and groups', async () => {
      const { alice, bob, roomId } = await pair();
      const second = await alice.createRoom();
      const said: string[] = [];
      for (let index = 0; index < 7; index++) {
        const by = index % 2 === 0 ? alice : bob;
        said.unshift(`otter number ${index}`);
        await by.send(roomId, said[0] ?? '');
      }
      await alice.send(second, 'an otter elsewhere');
      await bob.send(roomId, 'otter otter otter');
      const inRoom = { rooms: [roomId] };
      assert.equal((await find(alice, 'otter')).length, 9);
      assert.deepEqual(await find(alice, 'otter', { filter: { not_rooms: [roomId] } }), ['an otter elsewhere']);
      assert.deepEqual(await find(bob, 'elsewhere'), [], 'not a room of theirs');
      assert.deepEqual(await find(alice, 'otter number', { filter: { senders: [bob.userId] } }), [
        'otter number 5',
        'otter number 3',
        'otter number 1',
      ]);
      assert.deepEqual(await find(alice, 'otter', { filter: { types: ['m.room.topic'] } }), []);
      assert.equal(
        (await search(alice, 'otter', { order_by: 'rank' })).results[0]?.result.content['body'],
        'otter otter otter',
      );
      for (const order of ['recent', 'rank']) {
        const seen: string[] = [];
        let next = '';
        do {
          const criteria = { order_by: order, filter: { ...inRoom, limit: 3 } };
          const page = await search(alice, 'number', criteria, next);
          assert.ok(page.count >= page.results.length && page.results.length <= 3);
          seen.push(...bodiesOf(page).map(String));
          next = page.next_batch === undefined ? '' : `?next_batch=${page.next_batch}`;
        } while (next !== '');
        if (order === 'recent') assert.deepEqual(seen, said);
        assert.deepEqual(seen.toSorted(), said.toSorted(), order);
      }
      for (const order of ['recent', 'rank']) {
        const criteria = { order_by: order, filter: { ...inRoom, limit: said.length } };
        const full = await search(alice, 'number', criteria);
        assert.deepEqual([full.count, full.results.length], [said.length, said.length]);
        const after = await search(alice, 'number', criteria, `?next_batch=${full.next_batch}`);
        assert.deepEqual([after.count, after.results, after.next_batch], [said.length, [], undefined], order);
      }
      const grouped = await search(alice, 'otter', {
        groupings: { group_by: [{ key: 'room_id' }, { key: 'sender' }] },
      });
      const groups = grouped.groups as Record<string, Record<string, { order: number; results: string[] }>>;
      assert.deepEqual(Object.keys(groups), ['room_id', 'sender']);
      assert.equal(groups['room_id']?.[second]?.results.length, 1);
      assert.equal(groups['room_id']?.[roomId]?.order, 1);
      assert.equal((await request(alice, { search_term: 'x' }, '?next_batch=nonsense')).status, 400);
      assert.equal((await request(alice, {})).status, 400);
      assert.equal((await request(alice, { search_term: 'x', filter: { rooms: 'x' } })).status, 400);
    });

    test('leads on in each group by itself', async () => {
      const { alice, bob, roomId } = await pair();
      const second = await alice.createRoom();
      const said = new Map<string, string[]>([roomId, second, alice.userId, bob.userId].map((value) => [value, []]));
      for (let index = 0; index < 9; index++) {
        const [by, where] = index % 3 === 0 ? [bob, roomId] : [alice, index % 2 === 0 ? roomId : second];
        const eventId = await by.send(where, `a lynx, ${index}`);
        said.get(where)?.unshift(eventId);
        said.get(by.userId)?.unshift(eventId);
      }
      type Groups = Record<string, Record<string, { results: string[]; next_batch?: string }>>;
      for (const order of ['recent', 'rank']) {
        const criteria = {
          order_by: order,
          filter: { limit: 2 },
          groupings: { group_by: [{ key: 'room_id' }, { key: 'sender' }] },
        };
        const page = async (next = '') => search(alice, 'lynx', criteria, next);
        const first = (await page()).groups as Groups;
        for (const [key, groups] of Object.entries(first)) {
          for (const [value, group] of Object.entries(groups)) {
            const seen = [...group.results];
            for (let next = group.next_batch; next !== undefined;) {
              const more = await page(`?next_batch=${next}`);
              seen.push(...more.results.map(({ result }) => result.event_id));
              next = more.next_batch;
              const inGroup = (more.groups as Groups)[key]?.[value];
              if (inGroup?.next_batch !== undefined) assert.equal(inGroup.next_batch, next);
            }
            const all = said.get(value) ?? [];
            assert.deepEqual(order === 'recent' ? seen : seen.toSorted(), order === 'recent' ? all : all.toSorted());
          }
        }
        assert.ok(Object.keys(first['room_id'] ?? {}).length > 0, order);
      }
      const all = await search(alice, 'lynx', { groupings: { group_by: [{ key: 'sender' }] } });
      assert.ok(Object.values((all.groups as Groups)['sender'] ?? {}).every((group) => !('next_batch' in group)));
    });

    test('finds the same, however many texts have the words', async () => {
      const { alice, bob, roomId } = await pair();
      const elsewhere = createSyncClient(await server.registerUser());
      const theirs = await elsewhere.createRoom();
      const last = 'heron heron heron';
      await alice.send(roomId, 'a lapwing beside a heron');
      await elsewhere.send(theirs, 'a lapwing, a heron and a bittern of others');
      for (let number = 0; number < 205; number++) await bob.send(roomId, `heron ${number}`);
      await alice.send(roomId, last);

      const common = await search(alice, 'heron');
      assert.deepEqual([common.count, bodiesOf(common).slice(0, 2)], [200, [last, 'heron 204']]);
      const ranked = await search(alice, 'heron', { order_by: 'rank' });
      assert.deepEqual([ranked.count, bodiesOf(ranked)[0]], [200, last]);
      const rare = await search(alice, 'heron lapwing');
      assert.deepEqual([rare.count, bodiesOf(rare)], [1, ['a lapwing beside a heron']]);
      assert.deepEqual(await find(alice, 'lapwing heron', { order_by: 'rank' }), ['a lapwing beside a heron']);
      assert.deepEqual(await find(alice, 'bittern'), [], 'not a room of theirs');

      const seen: unknown[] = [];
      let next = '';
      do {
        const page = await search(alice, 'heron', { filter: { limit: 90 } }, next);
        assert.equal(page.count, 200);
        seen.push(...bodiesOf(page));
        next = page.next_batch === undefined ? '' : `?next_batch=${page.next_batch}`;
      } while (next !== '');
      const numbered = Array.from({ length: 205 }, (_, index) => `heron ${204 - index}`);
      assert.deepEqual(seen, [last, ...numbered, 'a lapwing beside a heron']);
    });

    test('shows what was around, who said it, and the state of the room', async () => {
      const { alice, bob, roomId } = await pair();
      for (const body of ['one', 'two', 'the heron', 'four', 'the second heron', 'six']) await alice.send(roomId, body);
      const found = await search(bob, 'heron', {
        event_context: { before_limit: 2, after_limit: 1, include_profile: true },
        include_state: true,
      });
      const around = found.results.map(({ context }) => [
        context?.events_before.map(({ content }) => content['body']),
        context?.events_after.map(({ content }) => content['body']),
      ]);
      assert.deepEqual(around, [
        [['four', 'the heron'], ['six']],
        [['two', 'one'], ['four']],
      ]);
      const [context] = found.results.map((result) => result.context);
      assert.deepEqual(Object.keys(context?.profile_info ?? {}), [alice.userId]);
      assert.ok(found.state?.[roomId]?.some(({ type }) => type === 'm.room.create'));
      const earlier = await bob.get(roomId, `messages?dir=b&limit=1&from=${context?.start}`);
      assert.equal((earlier['chunk'] as SeenEvent[])[0]?.content['body'], 'two');
      const later = await bob.get(roomId, `messages?dir=f&limit=1&from=${context?.end}`);
      assert.deepEqual(later['chunk'], []);
    });

    test('a redacted event is gone at once, from the index too', async () => {
      const { alice, bob, roomId } = await pair();
      const eventId = await alice.send(roomId, 'a walrus');
      assert.deepEqual(await find(bob, 'walrus'), ['a walrus']);
      await alice.redact(roomId, eventId);
      assert.deepEqual(await find(bob, 'walrus'), []);
      const quick = await alice.send(roomId, 'a quick walrus');
      await alice.redact(roomId, quick);
      assert.deepEqual(await find(bob, 'walrus'), []);
      assert.equal(await documents(roomId, bob, 'walrus'), 0);
    });

    /** How many documents there are with a word, whatever may be shown of them. */
    async function documents(_roomId: string, by: SyncClient, word: string): Promise<number> {
      await find(by, word);
      const url = engine === 'sqlite' ? `sqlite:${server.dataDir}/portico.db` : server.databaseUrl;
      if (engine === 'sqlite') {
        const { DatabaseSync } = await import('node:sqlite');
        const db = new DatabaseSync(`${server.dataDir}/portico.db`, { readOnly: true });
        const row = db
          .prepare('select count(*) as n from message_search where message_search match ?')
          .get(`"${word}"`);
        db.close();
        return Number(row?.['n']);
      }
      const db = await openDatabase({ url, durability: 'relaxed' });
      const query = fullTextFor(db).query({
        words: [word],
        rooms: Array.from({ length: 100 }, (_, n) => n),
        parts: undefined,
      });
      try {
        return (await db.all(fullTextFor(db).best, [query, 10])).length;
      } finally {
        await db.close();
      }
    }

    test('rooms that are encrypted are never found, nor kept in the index', async () => {
      const { alice, bob, roomId } = await pair();
      await alice.send(roomId, 'a badger, in plain words');
      assert.deepEqual(await find(bob, 'badger'), ['a badger, in plain words']);
      await alice.setState(roomId, 'm.room.encryption', { algorithm: 'm.megolm.v1.aes-sha2' });
      await alice.send(roomId, 'a plain badger by mistake');
      assert.deepEqual(await find(bob, 'badger'), []);
      assert.equal(await documents(roomId, bob, 'badger'), 0);
    });

    test('tells nothing of what is said elsewhere, or where one no longer is, not even whether it is there', async () => {
      const { alice, bob, roomId } = await pair();
      const own = await bob.createRoom();
      for (let count = 0; count < 3; count++) await bob.send(own, `quagga, number ${count}`);
      await bob.leave(roomId);
      const ways = [
        ['quagga', { order_by: 'rank' }],
        ['quagga', { filter: { limit: 1 } }],
        ['quagga', { order_by: 'rank', filter: { limit: 1 } }],
        ['thylacine', {}],
        ['thylacine', { order_by: 'rank' }],
      ] as const;
      const seen = async () => {
        const answers = [];
        for (const [term, criteria] of ways) {
          const { count, highlights, results } = await search(bob, term, criteria);
          answers.push({ count, highlights, ranks: results.map(({ rank }) => rank) });
        }
        return answers;
      };
      const before = await seen();
      const hidden = await alice.createRoom();
      for (const place of [roomId, hidden]) await alice.send(place, 'a quagga and a thylacine');
      assert.equal((await find(alice, 'thylacine')).length, 2);
      assert.deepEqual(await seen(), before);
    });

    test('shows what one may see, and nothing of ignored people', async () => {
      const { alice, bob, roomId } = await pair();
      const late = await person();
      await alice.setState(roomId, 'm.room.history_visibility', { history_visibility: 'joined' });
      await alice.send(roomId, 'a capybara, early');
      await late.join(roomId);
      await alice.send(roomId, 'a capybara, now');
      await bob.leave(roomId);
      await alice.send(roomId, 'a capybara, late');
      assert.deepEqual(await find(late, 'capybara'), ['a capybara, late', 'a capybara, now']);
      assert.deepEqual(await find(bob, 'capybara'), ['a capybara, now', 'a capybara, early']);
      await late.setAccountData('m.ignored_user_list', { ignored_users: { [alice.userId]: {} } });
      assert.deepEqual(await find(late, 'capybara'), []);
      assert.deepEqual(await find(await person(), 'capybara'), []);
    });
  });
}
