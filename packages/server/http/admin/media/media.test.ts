import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { startTestNetwork } from '@portico/testkit/network.ts';
import { createRoom, must, say } from '@portico/testkit/people.ts';
import { registerAdmin } from '@portico/testkit/register-admin.ts';
import { serverOfSuite } from '@portico/testkit/server-of-suite.ts';
import { refusalOf, type TestClient } from '@portico/testkit/test-client.ts';
import { until } from '@portico/testkit/until.ts';

const api = '/_synapse/admin/v1';
const ofUser = ({ userId }: TestClient) => `${api}/user/${encodeURIComponent(userId)}/media/quarantine`;

/** A picture of one colour. */
const png = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);

async function upload(baseUrl: string | undefined, { accessToken }: TestClient): Promise<string> {
  const response = await fetch(`${baseUrl}/_matrix/media/v3/upload`, {
    method: 'POST',
    headers: { authorization: `Bearer ${accessToken}`, 'content-type': 'image/png' },
    body: png,
  });
  const { content_uri: uri } = (await response.json()) as { content_uri: string };
  return uri.slice('mxc://'.length);
}

const thumbnail = 'width=32&height=32';

/** What the doors answer by which people of a server get at a file. */
async function doors(baseUrl: string | undefined, { accessToken }: TestClient, place: string): Promise<number[]> {
  const headers = { authorization: `Bearer ${accessToken}` };
  const answers = [];
  for (const path of [
    `client/v1/media/download/${place}`,
    `client/v1/media/download/${place}/name.png`,
    `client/v1/media/thumbnail/${place}?${thumbnail}`,
    `media/v3/download/${place}`,
    `media/v3/thumbnail/${place}?${thumbnail}`,
  ]) {
    const response = await fetch(`${baseUrl}/_matrix/${path}`, { headers });
    await response.arrayBuffer();
    answers.push(response.status);
  }
  return [...new Set(answers)];
}

for (const engine of ['sqlite', 'postgres'] as const) {
  describe(`files, for administrators (${engine})`, () => {
    const server = serverOfSuite({ engine, settings: { MEDIA_REQUIRE_AUTHENTICATION: 'false' } });
    let admin: TestClient;
    let alice: TestClient;
    before(async () => {
      admin = await registerAdmin(server, 'admin');
      alice = await server.registerUser('alice');
    });

    test('are listed by who uploaded them, and deleted', async () => {
      const carol = await server.registerUser();
      const path = `${api}/users/${encodeURIComponent(carol.userId)}/media`;
      const places: string[] = [];
      for (let count = 0; count < 4; count += 1) places.push(await upload(server.baseUrl, carol));
      const ids = places.map((place) => place.split('/')[1] ?? '');
      await must(admin.post(`${api}/media/protect/${ids[1]}`));
      await must(admin.post(`${api}/media/quarantine/${places[2]}`));
      type Listed = { readonly media_id: string; readonly created_ts: number };
      const list = async (query = '') =>
        (await must(admin.get(`${path}?${query}`))) as unknown as { media: Listed[]; next_token?: number };
      async function readAll(query: string): Promise<string[]> {
        const all: string[] = [];
        for (let from: number | undefined = 0; from !== undefined;) {
          const { media, next_token: next } = await list(`${query}&from=${from}`);
          all.push(...media.map((one) => one.media_id));
          from = next;
        }
        return all;
      }
      for (const order of ['created_ts', 'media_length', 'media_type', 'media_id']) {
        const all = await readAll(`order_by=${order}`);
        assert.deepEqual(all.toSorted(), ids.toSorted());
        for (const limit of [1, 3, 4]) {
          assert.deepEqual(await readAll(`order_by=${order}&limit=${limit}`), all);
          assert.deepEqual(await readAll(`order_by=${order}&limit=${limit}&dir=b`), all.toReversed());
        }
      }
      assert.equal((await readAll('order_by=safe_from_quarantine&dir=b'))[0], ids[1]);
      assert.equal((await readAll('order_by=quarantined_by&dir=b'))[0], ids[2]);
      const times = (await list()).media.map((one) => one.created_ts);
      assert.deepEqual(
        times,
        times.toSorted((a, b) => b - a),
        'the newest first',
      );
      const { created_ts: created, ...rest } = (await list('order_by=quarantined_by&dir=b&limit=1')).media[0] ?? {};
      assert.ok(Number(created) > 0);
      assert.deepEqual(rest, {
        media_id: ids[2],
        media_type: 'image/png',
        media_length: png.length,
        last_access_ts: null,
        quarantined_by: admin.userId,
        safe_from_quarantine: false,
      });

      assert.deepEqual(await must(admin.delete(`${api}/media/${places[0]}`)), { deleted_media: [ids[0]], total: 1 });
      assert.deepEqual(await doors(server.baseUrl, carol, places[0] ?? ''), [404]);
      assert.deepEqual(await doors(server.baseUrl, carol, places[1] ?? ''), [200]);
      assert.equal((await must(admin.delete(`${path}?limit=2`)))['total'], 2);
      assert.equal((await must(admin.delete(path)))['total'], 1);
      assert.deepEqual(await must(admin.get(path)), { media: [], total: 0 });
      for (const gone of [places[0], 'localhost/nowhere', 'elsewhere.example/something']) {
        assert.equal(refusalOf(await admin.delete(`${api}/media/${gone}`)), '404 M_NOT_FOUND');
      }
      const nobody = `${api}/users/@nobody:localhost/media`;
      assert.equal(refusalOf(await admin.get(nobody)), '404 M_NOT_FOUND');
      assert.equal(refusalOf(await admin.delete(nobody)), '404 M_NOT_FOUND');
      for (const query of ['order_by=upload_name', 'from=-1', 'dir=up']) {
        assert.equal(refusalOf(await admin.get(`${path}?${query}`)), '400 M_INVALID_PARAM');
      }
      for (const answer of [
        await carol.get(path),
        await carol.delete(path),
        await carol.delete(`${api}/media/${await upload(server.baseUrl, carol)}`),
      ]) {
        assert.equal(refusalOf(answer), '403 M_FORBIDDEN');
      }
    });

    test('are deleted that nobody has used for long, but not what people and rooms have as their picture', async () => {
      const carol = await server.registerUser();
      const [face, here, sign, small, safe, locked, read, unread] = await Promise.all(
        Array.from({ length: 8 }, () => upload(server.baseUrl, carol)),
      );
      const idOf = (place = '') => place.split('/')[1] ?? '';
      const profile = `/_matrix/client/v3/profile/${encodeURIComponent(carol.userId)}/avatar_url`;
      await must(carol.put(profile, { avatar_url: `mxc://${face}` }));
      const roomId = await createRoom(carol);
      const state = `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/state`;
      const inRoom = { membership: 'join', avatar_url: `mxc://${here}` };
      await must(carol.put(`${state}/m.room.member/${carol.userId}`, inRoom));
      const picture = { url: `mxc://${sign}`, info: { thumbnail_url: `mxc://${small}` } };
      await must(carol.put(`${state}/m.room.avatar/`, picture));
      await must(admin.post(`${api}/media/protect/${idOf(safe)}`));
      await must(admin.post(`${api}/media/quarantine/${locked}`));
      assert.deepEqual(await doors(server.baseUrl, carol, read ?? ''), [200]);
      const list = async () =>
        (await must(admin.get(`${api}/users/${encodeURIComponent(carol.userId)}/media`))) as unknown as {
          media: { media_id: string; last_access_ts: number | null }[];
        };
      const day = 24 * 60 * 60 * 1000;
      const media = await until(async () => {
        const listed = (await list()).media;
        return listed.some(({ last_access_ts: last }) => last !== null) && listed;
      }, 'it is written that one was read');
      for (const { media_id: id, last_access_ts: last } of media) {
        if (id !== idOf(read)) assert.equal(last, null);
        else assert.ok(last !== null && last % day === 0 && last > Date.now() - 2 * day && last <= Date.now());
      }
      const remove = async (query: string, path = 'media/delete') => {
        const answer = await must(admin.post(`${api}/${path}?${query}`));
        const { deleted_media: deleted, total } = answer as unknown as { deleted_media: string[]; total: number };
        assert.equal(total, deleted.length);
        return deleted.filter((id) => media.some((one) => one.media_id === id)).toSorted();
      };
      const idsOf = (...places: (string | undefined)[]) => places.map(idOf).toSorted();
      const [now, later] = [Date.now() + 1000, Date.now() + 2 * day];
      assert.deepEqual(await remove(`before_ts=${Date.now() - day}&keep_profiles=false`), []);
      assert.deepEqual(await remove(`before_ts=${later}&size_gt=${png.length}&keep_profiles=false`), []);
      assert.deepEqual(await remove(`before_ts=${now}`), idsOf(unread));
      assert.deepEqual(await doors(server.baseUrl, carol, unread ?? ''), [404]);
      assert.deepEqual(
        await remove(`before_ts=${later}&size_gt=${png.length - 1}`, 'media/localhost/delete'),
        idsOf(read),
      );
      assert.deepEqual(await doors(server.baseUrl, carol, safe ?? ''), [200]);
      assert.deepEqual(await remove(`before_ts=${later}&keep_profiles=false`), idsOf(face, here, sign, small));
      assert.deepEqual((await list()).media.map((one) => one.media_id).toSorted(), idsOf(safe, locked));
      const errors: [path: string, refusal: string][] = [
        [`media/elsewhere.example/delete?before_ts=${now}`, '400 M_INVALID_PARAM'],
        [`media/delete?before_ts=${Math.floor(now / 1000)}`, '400 M_INVALID_PARAM'],
        [`media/delete?before_ts=${now}&size_gt=-1`, '400 M_INVALID_PARAM'],
        [`media/delete?before_ts=${now}&keep_profiles=perhaps`, '400 M_INVALID_PARAM'],
        ['media/delete', '400 M_MISSING_PARAM'],
        ['media/localhost/delete', '400 M_MISSING_PARAM'],
      ];
      for (const [path, refusal] of errors) assert.equal(refusalOf(await admin.post(`${api}/${path}`)), refusal, path);
      for (const path of ['media/delete', 'media/localhost/delete']) {
        assert.equal(refusalOf(await carol.post(`${api}/${path}?before_ts=${now}`)), '403 M_FORBIDDEN');
      }
    });

    test('are kept from everybody, and given again', async () => {
      const [place, other] = [await upload(server.baseUrl, alice), await upload(server.baseUrl, alice)];
      assert.deepEqual(await doors(server.baseUrl, alice, place), [200]);
      for (let times = 0; times < 2; times += 1) {
        assert.deepEqual((await admin.post(`${api}/media/quarantine/${place}`)).body, {});
        assert.deepEqual(await doors(server.baseUrl, alice, place), [404]);
      }
      assert.deepEqual(await doors(server.baseUrl, alice, other), [200]);
      assert.deepEqual((await admin.post(`${api}/media/unquarantine/${place}`)).body, {});
      assert.deepEqual(await doors(server.baseUrl, alice, place), [200]);
    });

    test('of one person are, all but those that are protected', async () => {
      const [carol, dave] = [await server.registerUser(), await server.registerUser()];
      const [first, second, kept] = [
        await upload(server.baseUrl, carol),
        await upload(server.baseUrl, carol),
        await upload(server.baseUrl, carol),
      ];
      const others = await upload(server.baseUrl, dave);
      const idOfKept = kept.split('/')[1] ?? '';
      assert.deepEqual((await admin.post(`${api}/media/protect/${idOfKept}`)).body, {});
      await must(admin.post(`${api}/media/quarantine/${kept}`));
      assert.deepEqual((await admin.post(ofUser(carol))).body, { num_quarantined: 2 });
      assert.deepEqual((await admin.post(ofUser(carol))).body, { num_quarantined: 0 });
      for (const place of [first, second]) assert.deepEqual(await doors(server.baseUrl, dave, place), [404]);
      for (const place of [kept, others]) assert.deepEqual(await doors(server.baseUrl, dave, place), [200]);
      assert.deepEqual((await admin.post(`${api}/media/unprotect/${idOfKept}`)).body, {});
      assert.deepEqual((await admin.post(ofUser(carol))).body, { num_quarantined: 1 });
      assert.deepEqual(await doors(server.baseUrl, dave, kept), [404]);
    });

    test('that a room is about are, and no others', async () => {
      const roomId = await createRoom(alice);
      const ofRoom = `${api}/room/${encodeURIComponent(roomId)}/media/quarantine`;
      const places = [];
      for (let n = 0; n < 9; n += 1) places.push(await upload(server.baseUrl, alice));
      const [shown = '', small = '', locked = '', face = '', edited = '', inHtml = '', beside = '', hidden = ''] =
        places;
      const [, , , , , , , , mentioned = ''] = places;
      const image = { msgtype: 'm.image', url: `mxc://${shown}`, info: { thumbnail_url: `mxc://${small}` } };
      await say(alice, roomId, 'picture', image);
      await say(alice, roomId, 'locked', { msgtype: 'm.file', file: { url: `mxc://${locked}` } });
      await say(alice, roomId, 'edited', { 'm.new_content': { msgtype: 'm.image', url: `mxc://${edited}` } });
      await say(alice, roomId, 'elsewhere', { msgtype: 'm.file', url: 'mxc://elsewhere.example/abc' });
      await say(alice, roomId, 'nothing', { url: 'mxc://', info: 7, formatted_body: ['mxc://'] });
      const html = { format: 'org.matrix.custom.html' };
      const two = `<img src="mxc://${inHtml}" alt="mxc://"> and <img src='mxc://${beside}'>`;
      await say(alice, roomId, 'pictures', { 'm.new_content': { msgtype: 'm.text', ...html, formatted_body: two } });
      const disguised = `<img src=&#109;xc&colon;&#x2F;/${hidden.replace('/', '&sol;')}>&#x110000;`;
      await say(alice, roomId, 'disguised', { ...html, formatted_body: disguised });
      await say(alice, roomId, `mxc://${mentioned}`);
      const member = `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/state/m.room.member/${alice.userId}`;
      await must(alice.put(member, { membership: 'join', avatar_url: `mxc://${face}`, url: `mxc://${face}` }));
      const progress = ofRoom.replace('_synapse', '_portico');
      assert.equal(refusalOf(await admin.get(progress)), '404 M_NOT_FOUND');
      const answer = await must(admin.post(ofRoom));
      assert.partialDeepStrictEqual(answer, { num_quarantined: 8, status: 'complete' });
      assert.ok(Number(answer['events_examined']) >= 9);
      assert.deepEqual(await must(admin.get(progress)), answer);
      for (const place of [shown, small, locked, edited, inHtml, beside, hidden]) {
        assert.deepEqual(await doors(server.baseUrl, alice, place), [404]);
      }
      assert.deepEqual(await doors(server.baseUrl, alice, face), [200], 'the face of a member');
      assert.deepEqual(await doors(server.baseUrl, alice, mentioned), [200], 'what is only named');
      assert.partialDeepStrictEqual(await must(admin.post(ofRoom)), { num_quarantined: 0 });
      for (const refused of [await alice.post(ofRoom), await alice.get(progress)]) {
        assert.equal(refusalOf(refused), '403 M_FORBIDDEN');
      }
      const nowhere = `${api}/room/${encodeURIComponent('!nowhere:localhost')}/media/quarantine`;
      assert.equal(refusalOf(await admin.post(nowhere)), '404 M_NOT_FOUND');
    });

    test('are a matter of administrators, and have addresses', async () => {
      const place = await upload(server.baseUrl, alice);
      for (const answer of [
        await alice.post(`${api}/media/quarantine/${place}`),
        await alice.post(`${api}/media/unquarantine/${place}`),
        await alice.post(ofUser(alice)),
        await alice.post(`${api}/media/protect/${place.split('/')[1]}`),
        await alice.post(`${api}/purge_media_cache?before_ts=0`),
      ]) {
        assert.equal(refusalOf(answer), '403 M_FORBIDDEN');
      }
      assert.equal(refusalOf(await admin.post(`${api}/media/protect/nothing`)), '404 M_NOT_FOUND');
      assert.equal(refusalOf(await admin.post(`${api}/media/quarantine/localhost/a%20b`)), '400 M_INVALID_PARAM');
      assert.equal(refusalOf(await admin.post(`${api}/purge_media_cache`)), '400 M_MISSING_PARAM');
    });
  });
}

test('files of other servers are not fetched once they are quarantined, and what is kept of them can be purged', async (context) => {
  const settings = { MEDIA_REQUIRE_AUTHENTICATION: 'false' };
  const network = await startTestNetwork(['hs1', 'hs2'], { settings });
  context.after(() => network.close());
  const [here, there] = [network.server('hs1'), network.server('hs2')];
  const [admin, alice] = [await registerAdmin(here, 'admin'), await here.registerUser()];
  const adminThere = await registerAdmin(there, 'admin');
  const bob = await there.registerUser();
  const [own, known, unknown, kept] = [
    await upload(here.urls[0], alice),
    await upload(there.urls[0], bob),
    await upload(there.urls[0], bob),
    await upload(there.urls[0], bob),
  ];
  for (const place of [known, kept]) assert.deepEqual(await doors(here.urls[0], alice, place), [200]);
  for (const place of [known, unknown]) await must(admin.post(`${api}/media/quarantine/${place}`));
  const purge = (before: number) => admin.post(`${api}/purge_media_cache?before_ts=${before}`);
  for (const place of [known, unknown]) assert.deepEqual(await doors(here.urls[0], alice, place), [404]);
  assert.deepEqual((await purge(0)).body, { deleted: 0 });
  assert.deepEqual((await purge(Date.now() + 1000)).body, { deleted: 2 });
  for (const place of [known, unknown]) assert.deepEqual(await doors(here.urls[0], alice, place), [404]);
  assert.deepEqual((await purge(Date.now() + 1000)).body, { deleted: 0 }, 'nothing was fetched');
  // What is not quarantined is fetched once more, and nothing of this server's own was deleted.
  for (const place of [kept, own]) assert.deepEqual(await doors(here.urls[0], alice, place), [200]);
  // Other servers are not given what is quarantined here.
  await must(admin.post(`${api}/media/quarantine/${own}`));
  assert.deepEqual(await doors(there.urls[0], bob, own), [404]);
  assert.deepEqual(await doors(there.urls[0], bob, known), [200], 'each server decides for its own people');
  await must(adminThere.post(`${api}/media/quarantine/${known}`));
  assert.deepEqual(await doors(there.urls[0], bob, known), [404]);
});
