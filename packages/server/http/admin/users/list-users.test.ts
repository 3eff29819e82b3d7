import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { must } from '@portico/testkit/people.ts';
import { registerAdmin } from '@portico/testkit/register-admin.ts';
import { serverOfSuite } from '@portico/testkit/server-of-suite.ts';
import { refusalOf, type TestClient } from '@portico/testkit/test-client.ts';

const v3 = '/_matrix/client/v3';
const encoded = encodeURIComponent;
type Listed = { readonly name: string; readonly [field: string]: unknown };
/** There is an account that sends notices as well. */
const known = new Set(['alice', 'bob', 'carol', 'dave', 'erin', 'zoe', 'gone']);
type Page = { readonly users: readonly Listed[]; readonly total: number; readonly next_token?: string };

for (const engine of ['sqlite', 'postgres'] as const) {
  describe(`lists of people, for administrators (${engine})`, () => {
    const server = serverOfSuite({ engine });
    let admin: TestClient;
    let erin: TestClient;
    const list = async (query: string, version = 'v2') =>
      (await must(admin.get(`/_synapse/admin/${version}/users?${query}`))) as unknown as Page;
    const names = async (query: string, version?: string) =>
      (await list(query, version)).users.map(({ name }) => name.slice(1).split(':')[0]);

    /** Page after page, as programs read them. */
    async function readAll(query: string): Promise<string[]> {
      const all: string[] = [];
      for (let from: string | undefined = '0'; from !== undefined;) {
        const page: Page = await list(`${query}&from=${from}`);
        assert.equal(page.total, 7);
        all.push(...page.users.map(({ name }) => name.slice(1).split(':')[0] ?? ''));
        from = page.next_token;
      }
      return all.filter((name) => known.has(name));
    }

    before(async () => {
      admin = await registerAdmin(server, 'zoe');
      const people: TestClient[] = [];
      for (const name of ['erin', 'alice', 'dave', 'carol', 'bob', 'gone'])
        people.push(await server.registerUser(name));
      const [first, , , , , gone] = people;
      assert.ok(first && gone);
      erin = first;
      await must(erin.put(`${v3}/profile/${encoded(erin.userId)}/displayname`, { displayname: 'The "Boss"' }));
      await must(admin.post(`/_synapse/admin/v1/deactivate/${encoded(gone.userId)}`, {}));
    });

    test('are read page by page, in either order and direction', async () => {
      const sorted = ['alice', 'bob', 'carol', 'dave', 'erin', 'zoe'];
      const made = ['zoe', 'erin', 'alice', 'dave', 'carol', 'bob'];
      for (const limit of [1, 2, 6, 100]) {
        assert.deepEqual(await readAll(`limit=${limit}`), sorted);
        assert.deepEqual(await readAll(`limit=${limit}&dir=b&order_by=name`), sorted.toReversed());
      }
      for (const limit of [2, 100]) {
        const times = (await list(`order_by=creation_ts&limit=100`)).users.map((user) => Number(user['creation_ts']));
        assert.deepEqual(
          times,
          times.toSorted((a, b) => a - b),
        );
        assert.deepEqual(new Set(await readAll(`limit=${limit}&order_by=creation_ts`)), new Set(made));
        assert.deepEqual(
          await readAll(`limit=${limit}&order_by=creation_ts&dir=b`),
          (await readAll('limit=100&order_by=creation_ts')).toReversed(),
        );
      }
      assert.deepEqual(await names('from=5&limit=10'), ['erin', 'zoe'], 'as programs ask that count pages');
      assert.deepEqual(await list('from=9&limit=10'), { users: [], total: 9 });
      assert.deepEqual((await list('limit=0')).users, []);
    });

    test('are sorted by what tools show', async () => {
      const profile = (name: string) => `${v3}/profile/${encoded(`@${name}:localhost`)}`;
      await must(erin.put(`${profile('erin')}/avatar_url`, { avatar_url: 'mxc://localhost/face' }));
      const lock = (locked: boolean) => must(admin.put(`/_matrix/client/v1/admin/lock/@bob:localhost`, { locked }));
      await lock(true);
      const first = async (by: string, dir: string, version = 'v2') =>
        (await names(`order_by=${by}&dir=${dir}&limit=1&deactivated=true`, version))[0];
      assert.equal(await first('admin', 'b'), 'zoe');
      assert.equal(await first('locked', 'b'), 'bob');
      assert.equal(await first('deactivated', 'b'), 'gone');
      assert.equal(await first('avatar_url', 'b'), 'erin');
      const shown = (await list('order_by=displayname&limit=100')).users.map((user) =>
        JSON.stringify(user['displayname']),
      );
      assert.deepEqual(shown, shown.toSorted());
      assert.ok(shown.length > 6);
      for (const dir of ['f', 'b']) {
        const seen = (await list(`order_by=last_seen_ts&dir=${dir}&limit=100`)).users.map((user) =>
          Number(user['last_seen_ts']),
        );
        const sorted = seen.toSorted((a, b) => a - b);
        assert.deepEqual(seen, dir === 'f' ? sorted : sorted.toReversed());
      }
      for (const by of [
        'displayname',
        'last_seen_ts',
        'user_type',
        'suspended',
        'is_guest',
        'shadow_banned',
        'approved',
      ]) {
        const all = await readAll(`order_by=${by}&limit=100`);
        assert.equal(all.length, 6);
        for (const limit of [1, 2, 7]) assert.deepEqual(await readAll(`order_by=${by}&limit=${limit}`), all, by);
        assert.deepEqual(await readAll(`order_by=${by}&dir=b&limit=3`), all.toReversed(), by);
      }
      assert.deepEqual(await names('order_by=displayname&name=ar'), ['carol'], 'and narrowed down');
      assert.ok(!(await names('locked=false&limit=100')).includes('bob'));
      assert.ok((await names('locked=true&limit=100')).includes('bob'));
      assert.equal((await list('order_by=admin&locked=false&limit=1')).total, 6);
      await lock(false);
      await must(erin.put(`${profile('erin')}/avatar_url`, { avatar_url: '' }));
    });

    test('are searched and narrowed down', async () => {
      assert.deepEqual(await names('name=LI'), ['alice']);
      assert.deepEqual(await names(`name=${encoded('"Bo')}`), ['erin'], 'the display name');
      assert.deepEqual(await names('user_id=localhost&limit=2&from=2'), ['bob', 'carol']);
      assert.deepEqual(await names('name=localhost'), [], 'which is the server');
      assert.deepEqual(await names('name=@bo'), ['bob']);
      assert.deepEqual(await names(`user_id=${encoded('@da')}`), ['dave']);
      assert.deepEqual(await names('name=nobody'), []);
      assert.deepEqual(await names('admins=true'), ['zoe']);
      assert.equal((await names('admins=false')).length, 6);
      assert.equal((await names('deactivated=true')).length, 8);
      assert.deepEqual(await names('deactivated=true', 'v3'), ['gone']);
      assert.equal((await names('deactivated=false', 'v3')).length, 7);
      assert.equal((await names('', 'v3')).length, 8);
    });

    test('say of each what tools show', async () => {
      const { users } = await list('name=erin');
      const { creation_ts: created, last_seen_ts: seen, ...rest } = users[0] ?? { name: '' };
      assert.deepEqual(rest, {
        name: '@erin:localhost',
        admin: false,
        deactivated: false,
        erased: false,
        locked: false,
        suspended: false,
        user_type: null,
        displayname: 'The "Boss"',
        avatar_url: null,
        is_guest: false,
        shadow_banned: false,
        approved: true,
      });
      assert.ok(Number(created) > 0 && (seen === null || Number(seen) > 0));
    });

    test('come with devices and rooms of each', async () => {
      const roomId = String((await must(erin.post(`${v3}/createRoom`, {})))['room_id']);
      const left = String((await must(erin.post(`${v3}/createRoom`, {})))['room_id']);
      await must(erin.post(`${v3}/rooms/${encoded(left)}/leave`, {}));
      const rooms = `/_synapse/admin/v1/users/${encoded(erin.userId)}/joined_rooms`;
      assert.deepEqual(await must(admin.get(rooms)), { joined_rooms: [roomId], total: 1 });
      const devices = `/_synapse/admin/v2/users/${encoded(erin.userId)}/devices`;
      const answer = await must(admin.get(devices));
      assert.partialDeepStrictEqual(answer, {
        devices: [{ device_id: erin.deviceId, user_id: erin.userId }],
        total: 1,
      });
      for (const path of [rooms, devices]) {
        assert.equal(refusalOf(await admin.get(path.replace('erin', 'nobody'))), '404 M_NOT_FOUND');
        assert.equal(refusalOf(await erin.get(path)), '403 M_FORBIDDEN');
      }
    });

    test('are for administrators, who ask for what there is', async () => {
      for (const version of ['v2', 'v3']) {
        assert.equal(refusalOf(await erin.get(`/_synapse/admin/${version}/users`)), '403 M_FORBIDDEN');
        for (const query of [
          'from=nowhere',
          'from=10001',
          'from=-1',
          'limit=-1',
          'dir=up',
          'admins=maybe',
          'order_by=shoe_size',
        ]) {
          assert.equal(refusalOf(await admin.get(`/_synapse/admin/${version}/users?${query}`)), '400 M_INVALID_PARAM');
        }
        const { body } = await admin.get(`/_synapse/admin/${version}/users?order_by=shoe_size`);
        assert.match(
          String(body['error']),
          /order_by: must be one of name, creation_ts, .*, is_guest, shadow_banned, approved$/,
        );
        const { next_token: next } = await list('limit=1', version);
        for (const from of [next, '10001', '-1']) {
          const answer = await admin.get(`/_synapse/admin/${version}/users?order_by=admin&from=${from}`);
          assert.equal(refusalOf(answer), '400 M_INVALID_PARAM');
        }
      }
    });
  });
}
