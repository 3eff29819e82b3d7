import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { serverOfSuite } from '@portico/testkit/server-of-suite.ts';

const base = '/_matrix/client/v3/room_keys';
const backup = { algorithm: 'm.megolm_backup.v1', auth_data: { public_key: 'x' } };

for (const engine of ['sqlite', 'postgres'] as const) {
  describe(`key backup (${engine})`, () => {
    const server = serverOfSuite({ engine });

    test('a backup keeps the better key, counts, and takes writes to its newest version only', async () => {
      const [alice, bob] = [await server.registerUser(), await server.registerUser()];
      const session = (index: number, verified = false, forwarded = 0) => ({
        first_message_index: index,
        forwarded_count: forwarded,
        is_verified: verified,
        session_data: { index },
      });
      assert.equal((await alice.get(`${base}/version`)).status, 404);
      assert.deepEqual((await alice.post(`${base}/version`, backup)).body, { version: '1' });
      const at = `${base}/keys/!r/s?version=1`;
      const put = async (key: object) => (await alice.put(at, key)).status;
      const kept = async () => ((await alice.get(at)).body['session_data'] as { index: number }).index;
      for (const [key, expected] of [
        [session(5, false, 1), 5],
        [session(6), 5],
        [session(4, false, 9), 4],
        [session(9, true), 9],
        [session(0), 9],
      ] as const) {
        assert.equal(await put(key), 200);
        assert.equal(await kept(), expected);
      }
      const more = await alice.put(`${base}/keys?version=1`, {
        rooms: { '!q': { sessions: { a: session(1), b: session(2) } } },
      });
      assert.equal(more.body['count'], 3);
      assert.notEqual((await alice.get(`${base}/version/1`)).body['etag'], '0');
      assert.equal((await alice.delete(`${base}/keys/!q/a?version=1`)).body['count'], 2);
      assert.deepEqual(Object.keys((await alice.get(`${base}/keys?version=1`)).body['rooms'] as object).toSorted(), [
        '!q',
        '!r',
      ]);
      assert.equal((await bob.get(at)).status, 404, 'of somebody else');
      assert.equal((await alice.put(`${base}/version/1`, { ...backup, algorithm: 'other' })).status, 400);
      assert.equal((await alice.put(`${base}/version/1`, backup)).status, 200);
      assert.deepEqual((await alice.post(`${base}/version`, backup)).body, { version: '2' });
      const late = await alice.put(at, session(0));
      assert.deepEqual(
        [late.status, late.body['errcode'], late.body['current_version']],
        [403, 'M_WRONG_ROOM_KEYS_VERSION', '2'],
      );
      assert.equal((await alice.delete(`${base}/version/2`)).status, 200);
      assert.equal((await alice.get(`${base}/version/2`)).status, 404);
      assert.deepEqual(
        (await alice.post(`${base}/version`, backup)).body,
        { version: '3' },
        'numbers are not used again',
      );
    });

    test('what a version says of itself is bounded', async () => {
      const alice = await server.registerUser();
      const long = { ...backup, auth_data: { public_key: 'x'.repeat(65_536) } };
      assert.equal((await alice.post(`${base}/version`, long)).status, 413);
      const { version } = (await alice.post(`${base}/version`, backup)).body;
      assert.equal((await alice.put(`${base}/version/${String(version)}`, long)).status, 413);
    });

    test('thousands of keys in one request are all stored, or none of them if one is no key', async () => {
      const alice = await server.registerUser();
      const version = String((await alice.post(`${base}/version`, backup)).body['version']);
      const session = { first_message_index: 0, forwarded_count: 0, is_verified: false, session_data: { a: 'b' } };
      const sessions = Object.fromEntries(Array.from({ length: 1200 }, (_, n) => [`s${n}`, session]));
      const put = async (rooms: object) => {
        const { status, body } = await alice.put(`${base}/keys?version=${version}`, { rooms });
        return [status, body['errcode'] ?? body['count']];
      };
      const count = async () => (await alice.get(`${base}/version/${version}`)).body['count'];
      const negative = { ...session, first_message_index: -1 };
      const long = { ...session, session_data: { a: 'x'.repeat(70_000) } };
      const many = { ...session, session_data: { a: Array.from({ length: 200_000 }, () => 0) } };
      assert.deepEqual(await put({ '!a': { sessions }, '!b': { sessions: { negative } } }), [400, 'M_BAD_JSON']);
      assert.deepEqual(await put({ '!a': { sessions }, '!b': { sessions: { long } } }), [413, 'M_TOO_LARGE']);
      assert.deepEqual(await put({ '!a': { sessions }, '!b': { sessions: { many } } }), [413, 'M_TOO_LARGE']);
      assert.equal(await count(), 0);
      assert.deepEqual(
        await put({ '!a': { sessions }, '!b': { sessions: { ...sessions, last: session } } }),
        [200, 2401],
      );
      const { etag } = (await alice.get(`${base}/version/${version}`)).body;
      assert.deepEqual(await put({ '!a': { sessions }, '!c': { sessions: {} } }), [200, 2401]);
      assert.equal((await alice.get(`${base}/version/${version}`)).body['etag'], etag, 'nothing is new');
      const { sessions: stored } = (await alice.get(`${base}/keys/!b?version=${version}`)).body as { sessions: object };
      assert.equal(Object.keys(stored).length, 1201);
    });

    // Where each key that is given is compared with each that is there, this takes minutes.
    test('keys that are there already are found by their names', { timeout: 60_000 }, async () => {
      const alice = await server.registerUser();
      const version = String((await alice.post(`${base}/version`, backup)).body['version']);
      const session = { first_message_index: 5, forwarded_count: 0, is_verified: false, session_data: { a: 'b' } };
      const sessions = Object.fromEntries(Array.from({ length: 8000 }, (_, n) => [`s${n}`, session]));
      const better = { ...sessions, s7999: { ...session, first_message_index: 1 } };
      const etags = new Set<unknown>();
      for (const given of [sessions, sessions, better]) {
        const { status, body } = await alice.put(`${base}/keys/!a?version=${version}`, { sessions: given });
        assert.deepEqual([status, body['count']], [200, 8000]);
        etags.add(body['etag']);
      }
      assert.equal(etags.size, 2);
    });

    test('a backup is written, read and emptied as a whole, by room and by session', async () => {
      const alice = await server.registerUser();
      const session = { first_message_index: 0, forwarded_count: 0, is_verified: false, session_data: { a: 'b' } };
      const version = String((await alice.post(`${base}/version`, backup)).body['version']);
      const at = (place: string) => `${base}/keys${place}?version=${version}`;
      const put = await alice.put(at('/!q'), { sessions: { a: session, b: session } });
      assert.deepEqual([put.status, put.body['count']], [200, 2]);
      await alice.put(at('/!r/c'), session);
      assert.deepEqual((await alice.get(at('/!q'))).body, { sessions: { a: session, b: session } });
      assert.deepEqual((await alice.get(at('/!nowhere'))).body, { sessions: {} });
      const emptied = await alice.delete(at('/!q'));
      assert.deepEqual([emptied.status, emptied.body['count']], [200, 1]);
      assert.notEqual(emptied.body['etag'], put.body['etag']);
      assert.deepEqual((await alice.get(at(''))).body, { rooms: { '!r': { sessions: { c: session } } } });
      const all = await alice.delete(at(''));
      assert.deepEqual([all.status, all.body['count']], [200, 0]);
      assert.deepEqual((await alice.get(at(''))).body, { rooms: {} });
      const gone = await alice.get(at('/!r/c'));
      assert.deepEqual([gone.status, gone.body['errcode']], [404, 'M_NOT_FOUND']);
      const other = await alice.put(`${base}/keys/!q?version=${version}0`, { sessions: {} });
      assert.deepEqual([other.status, other.body['errcode']], [403, 'M_WRONG_ROOM_KEYS_VERSION']);
    });

    test('what changes no key leaves the etag as it is', async () => {
      const alice = await server.registerUser();
      const version = String((await alice.post(`${base}/version`, backup)).body['version']);
      const at = (place: string) => `${base}/keys${place}?version=${version}`;
      const key = { first_message_index: 5, forwarded_count: 1, is_verified: false, session_data: { a: 'b' } };
      const steps: readonly (readonly [expected: 'same' | 'new', () => ReturnType<typeof alice.put>])[] = [
        ['new', () => alice.put(at('/!r/s'), key)],
        ['same', () => alice.put(at('/!r/s'), key)],
        ['same', () => alice.put(at('/!r/s'), { ...key, first_message_index: 6 })],
        ['same', () => alice.put(at(''), { rooms: { '!r': { sessions: { s: key } } } })],
        ['same', () => alice.put(at(''), { rooms: {} })],
        ['new', () => alice.put(at('/!r/s'), { ...key, forwarded_count: 0 })],
        ['new', () => alice.put(at(''), { rooms: { '!r': { sessions: { s: key, t: key } } } })],
        ['same', () => alice.delete(at('/!r/u'))],
        ['same', () => alice.delete(at('/!q'))],
        ['new', () => alice.delete(at('/!r/t'))],
        ['new', () => alice.delete(at(''))],
        ['same', () => alice.delete(at(''))],
      ];
      let etag: unknown = (await alice.get(`${base}/version`)).body['etag'];
      for (const [index, [expected, step]] of steps.entries()) {
        const { status, body } = await step();
        assert.deepEqual([index, status, body['etag'] === etag ? 'same' : 'new'], [index, 200, expected]);
        etag = body['etag'];
        assert.equal((await alice.get(`${base}/version/${version}`)).body['etag'], etag);
      }
    });

    test('keys of an older version can be deleted, and a version more than once', async () => {
      const alice = await server.registerUser();
      const session = { first_message_index: 0, forwarded_count: 0, is_verified: false, session_data: {} };
      await alice.post(`${base}/version`, backup);
      await alice.put(`${base}/keys?version=1`, {
        rooms: { '!r': { sessions: { a: session, b: session, c: session } } },
      });
      await alice.post(`${base}/version`, backup);
      for (const [place, left] of [
        ['/!r/a', 2],
        ['/!r', 0],
        ['', 0],
      ] as const) {
        const { status, body } = await alice.delete(`${base}/keys${place}?version=1`);
        assert.deepEqual([status, body['count']], [200, left], place);
        const unknown = await alice.delete(`${base}/keys${place}?version=3`);
        assert.deepEqual([unknown.status, unknown.body['errcode']], [404, 'M_NOT_FOUND']);
        const late = await alice.put(
          `${base}/keys${place}?version=1`,
          { '/!r/a': session, '/!r': { sessions: {} }, '': { rooms: {} } }[place],
        );
        assert.deepEqual([late.status, late.body['current_version']], [403, '2'], place);
      }
      for (const version of ['2', '2', '1', '1']) {
        assert.equal((await alice.delete(`${base}/version/${version}`)).status, 200, version);
        await alice.post(`${base}/version`, backup);
      }
      for (const version of ['0', '99', '-1', 'x']) {
        assert.equal((await alice.delete(`${base}/version/${version}`)).status, 404, version);
      }
      const bob = await server.registerUser();
      const none = await bob.delete(`${base}/version/1`);
      assert.deepEqual([none.status, none.body['errcode']], [404, 'M_NOT_FOUND']);
    });

    test('a backup of any size is read in pieces', async () => {
      const alice = await server.registerUser();
      const version = String((await alice.post(`${base}/version`, backup)).body['version']);
      const session = (n: number) => ({
        first_message_index: n,
        forwarded_count: n % 2,
        is_verified: n % 3 === 0,
        session_data: n % 5 === 0 ? `text "${n}"` : { ciphertext: `x\u2028"${n}` },
      });
      for (const sizes of [[249], [1, 250], [250, 251], [0, 500], [1000, 1, 600]]) {
        const rooms = Object.fromEntries(
          sizes.map((size, room) => [
            `!room"${room}`,
            { sessions: Object.fromEntries(Array.from({ length: size }, (_, n) => [`s\\${n}`, session(n)])) },
          ]),
        );
        assert.equal((await alice.put(`${base}/keys?version=${version}`, { rooms })).status, 200);
        const kept = Object.fromEntries(Object.entries(rooms).filter((_, index) => sizes[index] !== 0));
        const all = await alice.get(`${base}/keys?version=${version}`);
        assert.deepEqual([all.status, all.body], [200, { rooms: kept }], String(sizes));
        for (const [roomId, room] of Object.entries(rooms)) {
          const one = await alice.get(`${base}/keys/${encodeURIComponent(roomId)}?version=${version}`);
          assert.deepEqual(one.body, room, `${roomId} of ${String(sizes)}`);
        }
        await alice.delete(`${base}/keys?version=${version}`);
      }
      const nameless = { rooms: { '': { sessions: { s: session(1) } } } };
      assert.equal((await alice.put(`${base}/keys?version=${version}`, nameless)).status, 400);
    });
  });
}
