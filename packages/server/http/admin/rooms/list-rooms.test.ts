import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { createRoom, must } from '@portico/testkit/people.ts';
import { registerAdmin } from '@portico/testkit/register-admin.ts';
import { serverOfSuite } from '@portico/testkit/server-of-suite.ts';
import { refusalOf, type TestClient } from '@portico/testkit/test-client.ts';

const encoded = encodeURIComponent;
const path = '/_synapse/admin/v1/rooms';
const room = (roomId: string) => `${path}/${encoded(roomId)}`;
type Listed = { readonly room_id: string; readonly [field: string]: unknown };
type Page = {
  readonly rooms: readonly Listed[];
  readonly offset: number;
  readonly total_rooms: number;
  readonly next_batch?: number;
};

for (const engine of ['sqlite', 'postgres'] as const) {
  describe(`lists of rooms, for administrators (${engine})`, () => {
    const server = serverOfSuite({ engine });
    let admin: TestClient;
    let [alice, bob]: TestClient[] = [];
    const made: string[] = [];
    const list = async (query: string) => (await must(admin.get(`${path}?${query}`))) as unknown as Page;
    const ids = (page: Page) => page.rooms.map((one) => one.room_id);
    async function readAll(query: string): Promise<string[]> {
      const all: string[] = [];
      for (let from: number | undefined = 0; from !== undefined;) {
        const page: Page = await list(`${query}&from=${from}`);
        all.push(...ids(page));
        from = page.next_batch;
      }
      return all;
    }

    before(async () => {
      admin = await registerAdmin(server, 'admin');
      [alice, bob] = [await server.registerUser('alice'), await server.registerUser('bob')];
      assert.ok(alice && bob);
      for (const name of ['Kitchen', 'Garden', 'Cellar', 'Attic', 'Garage']) {
        made.push(await createRoom(alice, { name, room_alias_name: `${name.toLowerCase()}-place` }));
      }
      await must(bob.post(`/_matrix/client/v3/join/${encoded(made[1] ?? '')}`, {}));
    });

    test('are read page by page, forwards and backwards', async () => {
      for (const limit of [1, 2, 5, 100]) {
        assert.deepEqual(await readAll(`limit=${limit}`), made);
        assert.deepEqual(await readAll(`limit=${limit}&dir=b`), made.toReversed());
      }
      const page = await list('from=3&limit=1');
      assert.deepEqual([ids(page), page.offset, page.total_rooms], [[made[3]], 3, 5]);
      assert.deepEqual((await list('limit=0')).rooms, []);
      assert.deepEqual((await list('from=50')).rooms, []);
    });

    test('are searched', async () => {
      const found = async (text: string, rest = '') => ids(await list(`search_term=${encoded(text)}${rest}`));
      assert.deepEqual(await found('gar'), [made[1], made[4]]);
      assert.deepEqual(await found('GAR', '&from=1'), [made[4]]);
      assert.deepEqual(await found('#attic-'), [made[3]]);
      assert.deepEqual(await found(made[2] ?? ''), [made[2]]);
      assert.deepEqual(await found('nothing'), []);
      assert.deepEqual(await readAll('search_term=place&limit=2'), made);
      assert.equal((await list('search_term=gar&limit=1')).total_rooms, 2);
    });

    test('are sorted', async () => {
      const [kitchen, garden, cellar, attic, garage] = made;
      assert.ok(alice && bob && garden && attic);
      const byName = [attic, cellar, garage, garden, kitchen];
      for (const limit of [1, 2, 5, 100]) {
        for (const by of ['name', 'alphabetical', 'canonical_alias']) {
          assert.deepEqual(await readAll(`limit=${limit}&order_by=${by}`), byName);
          assert.deepEqual(await readAll(`limit=${limit}&order_by=${by}&dir=b`), byName.toReversed());
        }
      }
      for (const by of ['joined_members', 'size', 'joined_local_members']) {
        assert.equal((await readAll(`order_by=${by}`))[0], garden, 'the largest first, as tools expect');
        assert.equal((await readAll(`order_by=${by}&dir=b&limit=2`)).at(-1), garden);
      }
      const owner = alice;
      const publish = (visibility: string) =>
        must(owner.put(`/_matrix/client/v3/directory/list/room/${encoded(attic)}`, { visibility }));
      await publish('public');
      assert.equal((await readAll('order_by=public')).at(-1), attic);
      assert.deepEqual(await readAll('public_rooms=true'), [attic]);
      assert.equal((await readAll('public_rooms=false&order_by=name')).length, 4);
      await publish('private');
      const mine = await createRoom(bob, { name: 'Shed', creation_content: { 'm.federate': false } });
      await must(
        bob.put(`/_matrix/client/v3/rooms/${encoded(mine)}/state/m.room.encryption`, { algorithm: 'm.megolm.v1' }),
      );
      for (const by of ['creator', 'history_visibility', 'guest_access', 'join_rules', 'version', 'federatable']) {
        assert.equal((await readAll(`order_by=${by}&limit=2`)).length, 6, by);
      }
      assert.equal((await readAll('order_by=creator')).at(-1), mine);
      assert.equal((await readAll('order_by=federatable'))[0], mine);
      assert.equal((await readAll('order_by=encryption'))[0], mine, 'those that have none come last');
      await must(bob.post(`/_matrix/client/v3/rooms/${encoded(mine)}/leave`, {}));
      assert.deepEqual(await readAll('empty_rooms=true'), [mine]);
      assert.deepEqual(await readAll('empty_rooms=true&order_by=name'), [mine]);
      assert.deepEqual(await readAll('empty_rooms=false&order_by=name&limit=2'), byName);
      const page = await list('order_by=name&search_term=gar&from=1&limit=1&empty_rooms=false');
      assert.deepEqual([ids(page), page.offset, page.total_rooms, page.next_batch], [[garden], 1, 2, undefined]);
      assert.ok(kitchen);
    });

    test('say of each what tools show, and who is in it', async () => {
      const roomId = made[1] ?? '';
      const answer = await must(admin.get(room(roomId)));
      const { state_events: stateEvents, version, ...rest } = answer;
      assert.deepEqual(rest, {
        room_id: roomId,
        name: 'Garden',
        canonical_alias: '#garden-place:localhost',
        joined_members: 2,
        joined_local_members: 2,
        creator: alice?.userId,
        encryption: null,
        federatable: true,
        public: false,
        join_rules: 'public',
        guest_access: null,
        history_visibility: 'shared',
        room_type: null,
        avatar: null,
        topic: null,
      });
      assert.ok(alice);
      const { body: state } = await alice.get(`/_matrix/client/v3/rooms/${encoded(roomId)}/state`);
      assert.deepEqual([stateEvents, typeof version], [(state as unknown as object[]).length, 'string']);
      const members = `${room(roomId)}/members`;
      assert.deepEqual(await must(admin.get(members)), { members: [alice?.userId, bob?.userId], total: 2 });
      const first = await must(admin.get(`${members}?limit=1`));
      assert.deepEqual(first, { members: [alice?.userId], total: 2, next_token: alice?.userId });
      const rest2 = await must(admin.get(`${members}?limit=1&from=${encoded(alice.userId)}`));
      assert.deepEqual(rest2, { members: [bob?.userId], total: 2 });
      const counted = await must(admin.get(`${members}?limit=1&from=1`));
      assert.deepEqual(counted, { members: [bob?.userId], total: 2 }, 'as programs ask that count pages');
      assert.deepEqual((await must(admin.get(`${members}?from=0&limit=10`)))['members'], [alice.userId, bob?.userId]);
      assert.equal(refusalOf(await admin.get(`${members}?from=10001`)), '400 M_INVALID_PARAM');
    });

    test('say nothing of what tools would refuse a whole list for', async () => {
      assert.ok(bob);
      const state = [
        { type: 'm.room.guest_access', content: { guest_access: 'perhaps' } },
        { type: 'm.room.history_visibility', content: { history_visibility: 'seldom' } },
      ].map((event) => ({ ...event, state_key: '' }));
      const roomId = await createRoom(bob, { initial_state: state });
      const answer = await must(admin.get(room(roomId)));
      assert.deepEqual([answer['guest_access'], answer['history_visibility']], [null, null]);
    });

    test('are for administrators, of rooms that there are', async () => {
      const missing = room('!nowhere:localhost');
      for (const each of [missing, `${missing}/members`]) {
        assert.equal(refusalOf(await admin.get(each)), '404 M_NOT_FOUND');
      }
      for (const each of [path, missing, `${missing}/members`]) {
        assert.equal(refusalOf((await alice?.get(each)) ?? (await admin.get(each))), '403 M_FORBIDDEN');
      }
      for (const query of ['from=10001', 'from=10001&order_by=name', 'limit=-1', 'dir=up', 'order_by=state_events']) {
        assert.equal(refusalOf(await admin.get(`${path}?${query}`)), '400 M_INVALID_PARAM');
      }
      const { body } = await admin.get(`${path}?order_by=state_events`);
      assert.match(String(body['error']), /order_by: must be one of name, alphabetical, .*, history_visibility$/);
    });
  });
}
